// ConfigMaps and Secrets that Felix's environment or felix.cfg comes from: each is read once, by
// name, and only if it can matter.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/resolve/resolve.hpp"
#include "kube/api.hpp"

namespace catflap::look {

enum class RefKind { config_map, secret };

struct Ref {
  RefKind kind = RefKind::config_map;
  std::string namespace_;
  std::string name;
  friend auto operator<=>(const Ref&, const Ref&) = default;
};

/// What the container's environment refers to and could decide a parameter of Felix: every envFrom;
/// valueFrom of names that Felix or calico/node's start scripts read, and of all names once a value
/// has a $(REFERENCE).
[[nodiscard]] std::set<Ref> environment_refs(const json::object& container,
                                             const std::string& namespace_);

class References {
 public:
  explicit References(kube::Api& api) : api_(api) {}

  /// Reads those that have not been read yet.
  void fetch(const std::set<Ref>& refs);

  /// What the container got when it started. A change after `started` makes it unreadable: the
  /// process runs with values that the API server no longer has. Pass none for a container that is
  /// still to start.
  [[nodiscard]] Lookup lookup(const Ref& ref, std::optional<TimePoint> started) const;

 private:
  struct Entry {
    Lookup lookup;
    std::optional<TimePoint> changed;
  };
  [[nodiscard]] Entry read(const Ref& ref);

  kube::Api& api_;
  std::map<Ref, Entry> entries_;
};

}  // namespace catflap::look
