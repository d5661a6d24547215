// The table of owners: what an owner leaves on the objects that it writes, and what to change
// where it reads. core/plan/owner.cpp reads it; docs/owners.md tells it.
#pragma once

#include <span>
#include <string_view>

#include "core/plan/owner.hpp"

namespace catflap {

enum class Place {
  label,
  annotation,
  writer,  // metadata.managedFields: the manager of fields below spec; the value is its operation
};

/// Where an owner keeps the setting. In the texts {setting} is the setting in the words of the
/// object; {name}, {namespace}, {container} and {apiVersion} are the object's own; {release} and
/// {releaseNamespace} those of Flux' HelmRelease, by its labels on the object.
struct AtSource {
  std::string_view change;  // one line
  std::string_view env;     // ready to paste: for a DaemonSet; "": there is nothing to paste
  std::string_view field;   // ready to paste: for a FelixConfiguration
  std::string_view port;    // ready to paste: for an Installation of the tigera operator
};

/// One trace that an owner leaves (sources: the owners' own documentation and code).
struct Mark {
  Place place;
  std::string_view key;
  std::string_view value;  // empty: any; ends with *: begins so
  OwnerClass class_;
  std::string_view owner;
  std::string_view cycle;
  const AtSource* source;
};

/// In the order of strictness, and within it the surest mark of an owner first.
[[nodiscard]] std::span<const Mark> owner_marks();

inline constexpr std::string_view kHelmRelease = "meta.helm.sh/release-name";
inline constexpr std::string_view kOperatorCycle = "within seconds, at the latest after 5 min";
inline constexpr std::string_view kArgoCycle = "at its next sync, within about 3 min";

extern const AtSource kAtOperator;
extern const AtSource kAtArgo;
extern const AtSource kAtPlatform;  // ACP, whose AppRelease installs Calico

}  // namespace catflap
