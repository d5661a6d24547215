#include "core/plan/env_touch.hpp"

#include <map>
#include <utility>
#include <vector>

#include "base/json_read.hpp"
#include "base/text.hpp"

namespace catflap {
namespace {

const json::array& list_of(const json::value& env) {
  static const json::array none;
  const json::array* list = env.if_array();
  return list == nullptr ? none : *list;
}

std::string name_of(const json::value& entry) {
  const json::object* object = entry.if_object();
  return object == nullptr ? "" : text_at(*object, {"name"});
}

/// An entry among others of its name: the second "A" of a list is {"A", 1}.
using Nth = std::pair<std::string, int>;

}  // namespace

std::set<std::string> touched_names(const json::value& before, const json::value& after) {
  std::map<std::string, std::pair<json::array, json::array>> by_name;
  for (const json::value& entry : list_of(before)) by_name[name_of(entry)].first.push_back(entry);
  for (const json::value& entry : list_of(after)) by_name[name_of(entry)].second.push_back(entry);
  std::set<std::string> names;
  for (const auto& [name, lists] : by_name)
    if (lists.first != lists.second) names.insert(to_lower(name));
  return names;
}

json::array entries_of(const json::value& env, const std::set<std::string>& names) {
  json::array entries;
  for (const json::value& entry : list_of(env))
    if (names.contains(to_lower(name_of(entry)))) entries.push_back(entry);
  return entries;
}

json::value with_entries_of(const json::value& now, const json::value& wanted,
                            const std::set<std::string>& names) {
  std::map<Nth, json::array>
      behind;  // what stands behind an entry that is not touched; {"", -1}: at the front
  std::set<Nth> kept;
  std::map<std::string, int> seen;
  for (const json::value& entry : list_of(now)) {
    const std::string name = name_of(entry);
    if (!names.contains(to_lower(name))) kept.insert({name, seen[name]++});
  }
  seen.clear();
  Nth neighbour{"", -1};
  for (const json::value& entry : list_of(wanted)) {
    const std::string name = name_of(entry);
    if (names.contains(to_lower(name))) {
      behind[neighbour].push_back(entry);
    } else if (const Nth here{name, seen[name]++}; kept.contains(here)) {
      neighbour = here;
    }
  }
  seen.clear();
  json::array list = behind[{"", -1}];
  for (const json::value& entry : list_of(now)) {
    const std::string name = name_of(entry);
    if (names.contains(to_lower(name))) continue;
    list.push_back(entry);
    for (const json::value& touched : behind[{name, seen[name]++}]) list.push_back(touched);
  }
  return list.empty() ? wanted.is_null() ? json::value{} : json::value(json::array{})
                      : json::value(std::move(list));
}

}  // namespace catflap
