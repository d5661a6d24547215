// Verdicts: what catflap says about a node and a cluster, and why. core/prove is the only place
// that makes them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/model/cluster.hpp"
#include "core/model/declared.hpp"
#include "core/model/observation.hpp"

namespace catflap {

/// In the order of the verdict table (docs/verdicts.md): the first that matches wins.
enum class Verdict {
  exposed,
  armed,
  protected_,
  local_only,
  filtered,
  not_felix,
  closed,
  no_felix,
  unknown
};

/// Why `closed` may be said, strongest first.
enum class Basis { none, inside, before_after, network };

struct Coverage {
  std::vector<HostPort> tested;
  std::vector<HostPort> untested;  // covered by the inside look only, or not at all
};

struct PodVerdict {
  std::string namespace_, name, uid;
  bool ready = false, stale = false, terminating = false;
  Declared declared;
};

struct NodeVerdict {
  std::string name;
  std::vector<NodeAddress> addresses;
  Verdict verdict = Verdict::unknown;
  Basis basis = Basis::none;
  std::string by;  // for protected: client-cert or token
  std::vector<Message> reasons;
  std::optional<Declared> declared;  // the worst pod's: on, then ambiguous or unreadable, then off
  std::vector<PodVerdict> pods;
  std::vector<Listener> listening;
  std::vector<Reach> reachable;  // of the last look
  Coverage coverage;
  std::vector<Message> findings;
  bool accepted = false;  // by policy
};

struct Population {
  std::string source = "nodes";
  int total = 0;
  int tested = 0;
  std::vector<Message> excluded;  // {node, why}
  std::vector<std::string> joined;
  std::vector<std::string> left;
};

struct Stability {
  std::vector<TimePoint> looks;
  bool settled = false;              // two looks at least the settle time apart
  bool owner_cycle_covered = false;  // the owner's write-back cycle fits into the time watched
  std::string owner_cycle;           // "6m", or "" if nobody writes back
};

struct ClusterVerdict {
  Verdict verdict = Verdict::unknown;
  std::map<Verdict, int> counts;
  Population population;
  Stability stability;
  std::vector<NodeVerdict> nodes;  // by name
  std::vector<Message> findings;   // of the cluster, not of one node
};

/// What is wanted. YAML (--policy) or flags (--accept, …).
struct Policy {
  std::vector<Verdict> accept;  // never exposed, armed or unknown
  enum class Scope { port, felix } scope = Scope::port;
  struct Exception {
    std::string node;
    Verdict verdict = Verdict::unknown;
    std::string why;
    std::optional<TimePoint> until;
  };
  std::vector<Exception> exceptions;
  Basis require_basis = Basis::none;  // none: any
  std::optional<Duration> max_age;
};

[[nodiscard]] const char* to_string(
    Verdict verdict);  // exposed, armed, protected, local-only, filtered, not-felix, closed,
                       // no-felix, unknown
[[nodiscard]] const char* to_string(Basis basis);  // "", inside, before-after, network
[[nodiscard]] std::optional<Verdict> parse_verdict(std::string_view text);

}  // namespace catflap
