#include "core/plan/env_edit.hpp"

#include <algorithm>

#include "base/json_read.hpp"
#include "core/resolve/env.hpp"
#include "core/resolve/values.hpp"

namespace catflap {
namespace {

constexpr std::string_view kArticleName = "FELIX_PROMETHEUSMETRICSENABLED";

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

/// The spellings in the list, each once, in order.
std::vector<std::string> spellings(const json::array& env,
                                   const std::vector<std::size_t>& entries) {
  std::vector<std::string> names;
  for (const std::size_t i : entries) {
    const std::string name = text_at(env[i].get_object(), {"name"});
    if (!contains(names, name)) names.push_back(name);
  }
  return names;
}

std::vector<std::string> names_to_set(const std::vector<std::string>& listed,
                                      const std::vector<std::string>& outside) {
  if (!outside.empty()) return outside;
  const std::string article{kArticleName};
  return {listed.empty() || contains(listed, article) ? article : listed.front()};
}

json::object off(const std::string& name) {
  return {{"name", name}, {"value", "false"}};
}

}  // namespace

EnvEdit switch_off_in_env(const json::value* env, const std::vector<std::string>& outside) {
  const json::array* list = env == nullptr ? nullptr : env->if_array();
  const json::array before = list == nullptr ? json::array{} : *list;
  const auto entries = env_entries_for(before, kEnabled.name);
  const auto listed = spellings(before, entries);

  EnvEdit edit;
  if (list != nullptr) edit.before = before;
  edit.set = names_to_set(listed, outside);
  std::ranges::copy_if(listed, std::back_inserter(edit.removed),
                       [&](const auto& name) { return !contains(edit.set, name); });

  json::array after;
  std::vector<std::string> missing = edit.set;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (!std::ranges::binary_search(entries, i)) {
      after.push_back(before[i]);
      continue;
    }
    const std::string name = text_at(before[i].get_object(), {"name"});
    if (std::erase(missing, name) > 0) after.push_back(off(name));
  }
  for (const std::string& name : missing) after.push_back(off(name));
  edit.after = std::move(after);
  return edit;
}

}  // namespace catflap
