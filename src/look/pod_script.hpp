// The command that asks endpoints from inside the user's own pod, and the reading of what it
// prints. It uses curl, or else bash and timeout; the image of such a pod is anybody's. It writes
// nothing.
//
// The output is sections between marker lines with a nonce, of which only lines that matter come
// home: neither a server nor the pod can fill our memory, and no server knows the nonce. The pod
// itself is trusted with nothing that closes a node: it can show a Felix, and a refusal that is
// retold.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/observation.hpp"

namespace catflap::look {

struct PodAsk {
  HostPort endpoint;
  bool tls = false;
  std::string path = "/metrics";
};

/// What one endpoint said, told by the pod.
struct PodSaid {
  bool complete = false;   // the section has its end
  int exit_code = 0;       // curl's, or of bash under timeout
  bool connected = false;  // the port took the connection
  int http_status = 0;
  std::string lines;           // of the body: felix_host and typha's mark
  bool lines_missing = false;  // others of these were too long or too many
  std::string words;           // the tool's own, one line
};

struct PodOutput {
  enum class Tool { curl, bash, none } tool = Tool::none;
  std::vector<PodSaid> said;  // one an ask, in order
};

/// For `sh -c`. `nonce`: letters and digits only.
[[nodiscard]] std::string pod_script(std::string_view nonce, std::span<const PodAsk> asks);

/// `count`: how many asks there were.
[[nodiscard]] PodOutput parse_pod_output(std::string_view output, std::string_view nonce,
                                         std::size_t count);

/// What was said as an observation: outcome, identity, TLS. Endpoint and so on are there already;
/// an earlier try over plain text may be, too.
void add_said(Reach& reach, const PodSaid& said, PodOutput::Tool tool, bool tls);

/// The longest that one ask takes.
constexpr Duration kPodAskTime{std::chrono::seconds{6}};

}  // namespace catflap::look
