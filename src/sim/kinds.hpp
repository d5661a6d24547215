// The types of objects that the embedded API server serves: the built-in ones, those that a
// CustomResourceDefinition in the store defines, and those of any other object that a manifest
// brought there.
#pragma once

#include <string>
#include <vector>

#include "sim/store.hpp"

namespace catflap::sim {

struct Kind {
  enum class Scope { namespaced, cluster };

  Resource resource;
  std::string name;  // "DaemonSet"
  std::string singular;
  std::vector<std::string> short_names;
  Scope scope = Scope::namespaced;
  bool has_status =
      false;  // a write of the object leaves its status alone, one of /status the rest

  /// The server knows its fields: strategic merge patch, and items of a list without apiVersion.
  [[nodiscard]] bool is_built_in() const;
};

[[nodiscard]] std::vector<Kind> kinds_of(const Store& store);

/// The type of an object of a manifest. One that is not built in gets the usual plural, and counts
/// as namespaced if the object says a namespace.
[[nodiscard]] Kind kind_of(const json::object& manifest);

}  // namespace catflap::sim
