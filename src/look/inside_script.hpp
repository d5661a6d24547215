// The one command that looks at a node from inside its Felix container, and the reading of what it
// prints. calico/node's image has little more than sh, cat, grep and ls (Calico:
// node/clean-up-filesystem.sh): no ss, no curl, no tr. It writes nothing.
//
// The output is sections between marker lines with a nonce, so that no file's text can pass for a
// marker. Everything in it is hostile all the same; what is missing or doubtful makes the look
// incomplete, never empty.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/model/observation.hpp"

namespace catflap::look {

/// For `sh -c`. `nonce`: letters and digits only. Brings home: LISTEN rows of both socket tables;
/// Felix's processes with age, sockets and of their environment only FELIX_*, CALICO_DISABLE_FELIX
/// and NODENAME; names of the visible processes; felix.cfg.
[[nodiscard]] std::string inside_script(std::string_view nonce);

/// The script's output as a look. vantage, node, pod_uid and at are the caller's. `received`: when
/// the output had arrived, by the clock that FelixProcess.started is to be told in; the kernel's
/// clock tick is taken to be 1/100 s, as on every architecture that Calico is built for.
[[nodiscard]] InsideLook parse_inside(std::string_view output, std::string_view nonce,
                                      TimePoint received);

/// The text of one section of such an output, if it is there once, whole, and its command ended
/// well.
[[nodiscard]] std::optional<std::string> inside_section(std::string_view output,
                                                        std::string_view nonce,
                                                        std::string_view name);

}  // namespace catflap::look
