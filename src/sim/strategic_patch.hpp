// Strategic merge patch, as kubectl set, annotate, label, edit and rollout send it for built-in
// types: lists whose elements have a key (containers by name, env by name, ports by containerPort)
// are merged element by element, the others replaced.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace catflap::sim {

/// The field that tells the elements of a list apart, "name" for "env"; "" if the list is replaced
/// as a whole. `list` is the elements of the patch or of the object.
[[nodiscard]] std::string merge_key(std::string_view field, const boost::json::array& list);

/// Understands null, $patch (replace, delete, merge), $setElementOrder, $deleteFromPrimitiveList
/// and $retainKeys. Elements that the patch brings stand where its own order puts them, so a new
/// one alone stands first. An error with system_code 500, as the real server answers it, if an
/// element lacks its key.
[[nodiscard]] Result<boost::json::object> apply_strategic_patch(boost::json::object target,
                                                                const boost::json::object& patch);

}  // namespace catflap::sim
