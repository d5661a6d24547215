// The entries of an env list that a change touches, and nothing else: what others add or change
// beside them is theirs.
#pragma once

#include <boost/json.hpp>
#include <set>
#include <string>

namespace catflap {

namespace json = boost::json;

/// The names, in small letters, whose entries differ between the two lists (null: no list), with
/// every case variant of them: to Felix they are one variable.
[[nodiscard]] std::set<std::string> touched_names(const json::value& before,
                                                  const json::value& after);

/// The entries of these names, in their order.
[[nodiscard]] json::array entries_of(const json::value& env, const std::set<std::string>& names);

/// `now` with the entries of these names as `wanted` has them: in the same number and order, each
/// behind the neighbour that it has there, if that still stands in `now`. Null: to be no list.
[[nodiscard]] json::value with_entries_of(const json::value& now, const json::value& wanted,
                                          const std::set<std::string>& names);

}  // namespace catflap
