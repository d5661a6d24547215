// Planning: a look from outside and inside, and the plan that follows from it. `plan` and `close`
// must come to the same one.
#pragma once

#include "app/session.hpp"
#include "core/plan/plan.hpp"

namespace catflap::app {

struct Planned {
  Sight sight;
  Plan plan;
  bool unfinished = false;  // an earlier run of close was killed; its pending change is ours
};

/// Reads only.
[[nodiscard]] Result<Planned> make_planned(Session& session);

/// The digest of a plan file (plan -o json or yaml is not enough: json). Errors: usage.
[[nodiscard]] Result<std::string> digest_of_plan_file(const std::string& text,
                                                      const std::string& name);

}  // namespace catflap::app
