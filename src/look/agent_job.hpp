// The Jobs that the vantage point agent has run, as objects: what is made, and what its pod says of
// itself. Pure.
//
// A Job is bound to its node by nodeName (no scheduler is asked), ends by itself and is taken away
// by the cluster a minute later: nothing of it needs catflap to go on living.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kube/api.hpp"

namespace catflap::look {

namespace json = boost::json;

inline const kube::Resource kJobs{"batch", "v1", "jobs"};
inline const kube::Resource kEvents{"", "v1", "events"};
inline constexpr const char* kAgentSelector = "app.kubernetes.io/name=catflap-agent";
inline constexpr const char* kRunLabel = "catflap/run";

struct AgentJob {
  enum class Network {
    node,  // the node's own network and processes: root with two capabilities, as an owner's
           // descriptors need them
    pod,   // a pod like any other: nobody's user, no capability
  };
  std::string node;
  Network network = Network::node;
  std::string image;
  bool is_on_node = true;          // the image: then it is never pulled
  std::vector<std::string> words;  // the command; of catflap's image, its arguments
  Duration longest{std::chrono::seconds{45}};
};

[[nodiscard]] json::object job_manifest(const AgentJob& job, const std::string& name,
                                        const std::string& run);

/// What became of it so far. `code` is a reason of the catalogue.
struct AgentPod {
  enum class Stage { waits, answered, failed } stage = Stage::waits;
  std::string code;
  std::string why;  // of one that waits: for what
};
[[nodiscard]] AgentPod read_agent_pod(const json::object& pod);

/// May another run take this Job away? Those that have ended some time ago, or have lived longer
/// than any lives; not those that somebody may still read. `now`: by the server's clock.
[[nodiscard]] bool is_left_over(const json::object& job, TimePoint now);

}  // namespace catflap::look
