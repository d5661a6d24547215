// What a pod is asked to try, for pod/NS/NAME and agent: every address and port of every node, and
// the kubelet's port beside them as the control. Private to src/look.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/model/cluster.hpp"
#include "look/look.hpp"
#include "look/pod_script.hpp"

namespace catflap::look {

struct Ask {
  std::string node;
  HostPort endpoint;
  bool control = false;
};

[[nodiscard]] std::vector<Ask> asks_of(const ClusterFacts& facts, const LookOptions& options);

/// As the pod's script takes them. `tls`: of those that are no controls, which always are.
[[nodiscard]] std::vector<PodAsk> script_asks(std::span<const Ask* const> asks, bool tls);

/// Reaches without an answer, one an ask.
[[nodiscard]] std::vector<Reach> unanswered(const std::vector<Ask>& asks,
                                            const std::string& vantage, TimePoint at);

/// Puts them into the look, the controls apart. False: no control passed, and what is left of the
/// rest is what answered.
[[nodiscard]] bool sort_in(Look& look, const std::vector<Ask>& asks, std::vector<Reach> reaches);

/// "port 10250 answered it at none of 3 addresses".
[[nodiscard]] std::string blind_words(const Look& look);

/// Not a secret of ours: no server that is asked knows it, and no text that stands in a file
/// already contains it.
[[nodiscard]] std::string make_nonce();

}  // namespace catflap::look
