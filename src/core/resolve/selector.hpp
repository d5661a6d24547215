// Calico's selector language, as far as a FelixConfiguration's nodeSelector can use it.
// It is not Kubernetes' label selector: "zone == 'a' && !has(gpu)".
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace catflap {

/// Does the selector match the labels? The empty selector matches everything here (a
/// FelixConfiguration with an empty nodeSelector matches nothing: that is the caller's rule).
/// malformed_input where Calico's parser refuses, and for more than 100 nested parentheses. Source:
/// libcalico-go/lib/selector/{tokenizer,parser}.
[[nodiscard]] Result<bool> selector_matches(std::string_view selector,
                                            const std::map<std::string, std::string>& labels);

}  // namespace catflap
