// One field of one object, from an expected value to a wanted one, by compare-and-swap. Only the
// touched field is compared, and of an env list only the entries that the change touches: what
// others change elsewhere is theirs, and stays.
#pragma once

#include <functional>
#include <string>

#include "act/context.hpp"
#include "core/model/plan.hpp"

namespace catflap::act {

struct FieldChange {
  Target target;
  json::value expected;            // null: absent
  json::value wanted;              // null: to be absent
  bool drop_empty_parent = false;  // remove the holder of the field if nothing else is left in it
};

/// The touched field against what a change expects and wants.
enum class FieldMatch { as_expected, as_wanted, neither };

/// The field as it stands now.
struct FieldNow {
  FieldMatch match = FieldMatch::neither;
  json::value value;        // null: absent
  json::value next;         // what to write for it to be as wanted; null: to be absent
  bool has_parent = true;   // spec, metadata.annotations: the object that holds the field exists
  bool only_field = false;  // and holds nothing else
  std::int64_t generation = 0;  // as changes_of() counts
  std::string resource_version;
  std::string parent_pointer;  // RFC 6901
  std::string pointer;
};

struct Applied {
  bool written = false;         // false: it already was as wanted
  std::string audit_id;         // "" if nothing was written or the answer was lost
  std::int64_t generation = 0;  // as changes_of() counts, afterwards; 0: not known
};

struct ApplyOptions {
  bool dry_run = false;  // dryRun=All
  /// Asked before each attempt to write; an error ends it there. The lock's loser stops here. May
  /// be empty.
  std::function<Result<void>()> may_write;
  /// Asked while it waits for the next attempt. May be empty.
  std::function<Result<void>()> keep_alive;
};

/// Counts the changes of a DaemonSet's template, or of another object's spec; 0: not known.
[[nodiscard]] std::int64_t changes_of(const json::object& object);

/// Pure. Errors: the object is not the one that was planned for (another uid, no such container):
/// refused.
[[nodiscard]] Result<FieldNow> judge_field(const json::object& object, const FieldChange& change);

/// Reads the object and judges. Errors: the object is gone or another one (refused), what the
/// server says.
[[nodiscard]] Result<FieldNow> read_field(kube::Api& api, const FieldChange& change);

/// Writes if the field is as expected; nothing if it is as wanted already. At most 5 attempts;
/// after a lost answer the object says whether it was written. Errors: refused with a short
/// difference if the field is neither, refused if the object is gone.
[[nodiscard]] Result<Applied> apply_field(const Context& context, const FieldChange& change,
                                          const ApplyOptions& options);

/// The error for an object that is not the one the change was made for.
[[nodiscard]] Error not_the_planned(const Target& target, std::string what);

/// The error for a field that is neither: what stands there now, in one bounded line.
[[nodiscard]] Error changed_since(const FieldChange& change, const json::value& now);

/// The API's resource of a target: "apps/v1 DaemonSet", "crd.projectcalico.org/v1
/// FelixConfiguration".
[[nodiscard]] kube::ObjectRef object_ref(const Target& target);

}  // namespace catflap::act
