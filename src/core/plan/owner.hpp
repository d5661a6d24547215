// Who writes an object back. One table of marks (owner_marks.cpp); the class decides whether a
// change would stick.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "core/model/cluster.hpp"
#include "core/model/verdict.hpp"

namespace catflap {

enum class OwnerClass {
  nobody,                   // proceed
  reverts_at_next_release,  // proceed, with a finding that says when it comes back
  reverts_now,              // refuse
  unknown_controller,       // a controller owner reference that catflap does not know: refuse
};

struct Owner {
  OwnerClass class_ = OwnerClass::nobody;
  std::string name;  // tigera-operator, kubectl-apply, argocd …
  std::string
      mark;  // what gave it away: annotation kubectl.kubernetes.io/last-applied-configuration
  std::string cycle;             // "seconds to 5 min", "at the next apply"
  std::string change_at_source;  // what to change instead, in one line
  std::string paste;             // the same ready to paste, in lines; "": there is nothing to paste
};

/// Every owner whose mark the object carries, the strictest class first; empty: nobody.
[[nodiscard]] std::vector<Owner> owners_of(const json::object& object);

/// As above, with what the cluster around it says: an Argo CD that does not heal itself writes back
/// at its next sync only, and a platform may keep the object without a mark on it.
[[nodiscard]] std::vector<Owner> owners_of(const json::object& object,
                                           const Surroundings& surroundings);

/// As above, with everything that is known: what the tigera operator reads is ready to paste, each
/// object that opens the port.
[[nodiscard]] std::vector<Owner> owners_of(const json::object& object, const ClusterFacts& facts);

/// The Applications of Argo CD that the object's marks name, as NAMESPACE/NAME or NAME.
[[nodiscard]] std::vector<std::string> applications_of(const json::object& object);

/// The finding about it (CF0030 … CF0034, CF0072), with every parameter of its row, and `paste` if
/// there is something to paste. `object`: "DaemonSet kube-system/calico-node".
[[nodiscard]] Message owner_finding(const Owner& owner, const std::string& object);

/// Would an edit be written back now, or might it be?
[[nodiscard]] bool refuses_edits(const Owner& owner);

[[nodiscard]] const char* to_string(OwnerClass c);

}  // namespace catflap
