// K: k8s.io/apimachinery strategicpatch, and the patchStrategy and patchMergeKey marks on the types
// of k8s.io/api.
#include "sim/strategic_patch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/json_read.hpp"

namespace catflap::sim {

namespace {

constexpr std::string_view kOrder = "$setElementOrder/";
constexpr std::string_view kDeletePrimitives = "$deleteFromPrimitiveList/";

struct KeyedList {
  std::string_view field;
  std::string_view key;
};

constexpr std::array<KeyedList, 18> kKeyedLists{{
    {"addresses", "type"},
    {"conditions", "type"},
    {"containers", "name"},
    {"env", "name"},
    {"ephemeralContainers", "name"},
    {"hostAliases", "ip"},
    {"hostIPs", "ip"},
    {"imagePullSecrets", "name"},
    {"initContainers", "name"},
    {"ownerReferences", "uid"},
    {"podIPs", "ip"},
    {"resourceClaims", "name"},
    {"schedulingGates", "name"},
    {"secrets", "name"},
    {"topologySpreadConstraints", "topologyKey"},
    {"volumeDevices", "devicePath"},
    {"volumeMounts", "mountPath"},
    {"volumes", "name"},
}};

bool merges_primitives(std::string_view field) {
  return field == "finalizers" || field == "podCIDRs";
}

Error bad_patch(std::string what) {
  return Error{.kind = ErrorKind::internal, .what = std::move(what), .system_code = 500};
}

std::string directive(const json::object& patch) {
  return text_at(patch, {"$patch"});
}

json::value without_directives(const json::value& value) {
  if (const auto* object = value.if_object()) {
    json::object clean;
    for (const auto& [key, member] : *object)
      if (!key.starts_with('$') && !member.is_null()) clean[key] = without_directives(member);
    return clean;
  }
  if (const auto* array = value.if_array()) {
    json::array clean;
    for (const auto& element : *array) {
      const auto* object = element.if_object();
      if (object == nullptr || directive(*object).empty())
        clean.push_back(without_directives(element));
    }
    return clean;
  }
  return value;
}

using Merged = Result<json::object>;
Merged merge_objects(json::object target, const json::object& patch);

/// What tells an element from the others: its key's value, or itself.
const json::value* identity(const json::value& element, const std::string& key) {
  if (key.empty()) return &element;
  const auto* object = element.if_object();
  return object == nullptr ? nullptr : object->if_contains(key);
}

std::size_t position(const json::array& list, const json::value* wanted, const std::string& key) {
  const auto same = [&](const json::value& element) {
    const auto* found = identity(element, key);
    return found != nullptr && wanted != nullptr && *found == *wanted;
  };
  return static_cast<std::size_t>(std::find_if(list.begin(), list.end(), same) - list.begin());
}

/// The order that the client wants among what it named; what only the server has keeps its place
/// before the elements that it stood before.
json::array ordered(const json::array& merged, const json::array& before, const json::array& wanted,
                    const std::string& key) {
  std::vector<const json::value*> named;
  std::vector<const json::value*> others;
  const auto at = [&](const json::array& list, const json::value* element) {
    return position(list, identity(*element, key), key);
  };
  for (const auto& element : merged)
    (at(wanted, &element) < wanted.size() ? named : others).push_back(&element);
  std::stable_sort(named.begin(), named.end(),
                   [&](const auto* a, const auto* b) { return at(wanted, a) < at(wanted, b); });
  std::stable_sort(others.begin(), others.end(),
                   [&](const auto* a, const auto* b) { return at(before, a) < at(before, b); });
  json::array out;
  auto other = others.begin();
  for (const auto* element : named) {
    const auto place = at(before, element);
    while (other != others.end() && place < before.size() && at(before, *other) < place)
      out.push_back(**other++);
    out.push_back(*element);
  }
  for (; other != others.end(); ++other) out.push_back(**other);
  return out;
}

Result<json::array> merge_keyed(json::array target, const json::array& patch,
                                const std::string& key) {
  for (const auto& element : patch) {
    const auto* object = element.if_object();
    if (object != nullptr && directive(*object) == "replace")
      return without_directives(patch).as_array();
  }
  for (const auto& element : patch) {
    const auto* object = element.if_object();
    const auto* wanted = identity(element, key);
    if (object == nullptr || wanted == nullptr)
      return bad_patch(fmt::format("map: {} does not contain declared merge key: {}",
                                   json::serialize(element), key));
    auto at = position(target, wanted, key);
    if (directive(*object) == "delete") {
      for (; at < target.size(); at = position(target, wanted, key))
        target.erase(target.begin() + static_cast<std::ptrdiff_t>(at));
    } else if (at == target.size()) {
      target.push_back(without_directives(element));
    } else if (target[at].is_object()) {
      TRY_ASSIGN(auto merged, merge_objects(std::move(target[at].as_object()), *object));
      target[at] = std::move(merged);
    }
  }
  return target;
}

json::array merge_primitives(json::array target, const json::array& more) {
  for (const auto& element : more)
    if (std::find(target.begin(), target.end(), element) == target.end()) target.push_back(element);
  return target;
}

json::array take_out(const json::array& target, const json::array& unwanted) {
  json::array left;
  for (const auto& element : target)
    if (std::find(unwanted.begin(), unwanted.end(), element) == unwanted.end())
      left.push_back(element);
  return left;
}

const json::array* array_in(const json::object& object, const std::string& key) {
  const auto* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_array();
}

/// One list of the object, with all that the patch says of it.
Result<void> merge_list(json::object& target, const std::string& field, const json::object& patch) {
  const auto* change = array_in(patch, field);
  const auto* order = array_in(patch, std::string{kOrder} + field);
  const auto* unwanted = array_in(patch, std::string{kDeletePrimitives} + field);
  const auto* old = array_in(target, field);
  if (old == nullptr && change == nullptr) return {};
  const json::array before = old == nullptr ? json::array{} : *old;
  const json::array none;
  const auto key = merge_key(field, change != nullptr && !change->empty() ? *change : before);
  json::array merged = before;
  if (unwanted != nullptr) merged = take_out(merged, *unwanted);
  if (!key.empty()) {
    TRY_ASSIGN(merged, merge_keyed(std::move(merged), change == nullptr ? none : *change, key));
  } else if (merges_primitives(field)) {
    merged = merge_primitives(std::move(merged), change == nullptr ? none : *change);
  } else if (change != nullptr) {
    merged = *change;
  }
  const bool merges = !key.empty() || merges_primitives(field);
  const auto* wanted = order != nullptr ? order : change;
  if (merges && wanted != nullptr) merged = ordered(merged, before, *wanted, key);
  if (merged.empty())
    target.erase(field);
  else
    target[field] = std::move(merged);
  return {};
}

void retain(json::object& target, const json::object& patch) {
  const auto* keys = array_in(patch, "$retainKeys");
  if (keys == nullptr) return;
  json::object kept;
  for (const auto& [key, value] : target)
    if (std::find(keys->begin(), keys->end(), json::value(key)) != keys->end()) kept[key] = value;
  target = std::move(kept);
}

/// "env" of "$setElementOrder/env"; a plain key is itself; nothing for other directives.
std::optional<std::string> field_of(std::string_view key) {
  for (const auto prefix : {kOrder, kDeletePrimitives})
    if (key.starts_with(prefix)) return std::string{key.substr(prefix.size())};
  if (key.starts_with('$')) return std::nullopt;
  return std::string{key};
}

Merged merge_objects(json::object target, const json::object& patch) {
  const auto what = directive(patch);
  if (what == "replace") return without_directives(patch).as_object();
  if (what == "delete") return json::object{};
  if (!what.empty() && what != "merge") return bad_patch("unknown patch type: " + what);
  retain(target, patch);
  for (const auto& [key, value] : patch) {
    const auto field = field_of(key);
    if (!field) continue;
    const auto* old = target.if_contains(*field);
    if (value.is_null()) {
      target.erase(*field);
    } else if (value.is_array()) {
      // The list itself brings its order along; an order alone stands for the list.
      if (*field == key || !patch.contains(*field)) TRY(merge_list(target, *field, patch));
    } else if (value.is_object() && old != nullptr && old->is_object()) {
      TRY_ASSIGN(auto merged, merge_objects(old->as_object(), value.as_object()));
      target[*field] = std::move(merged);
    } else {
      target[*field] = without_directives(value);
    }
  }
  return target;
}

}  // namespace

std::string merge_key(std::string_view field, const json::array& list) {
  if (field == "ports") {
    const auto* first = list.empty() ? nullptr : list.front().if_object();
    return first != nullptr && first->contains("containerPort") ? "containerPort" : "port";
  }
  for (const auto& [known, key] : kKeyedLists)
    if (known == field) return std::string{key};
  return {};
}

Result<json::object> apply_strategic_patch(json::object target, const json::object& patch) {
  return merge_objects(std::move(target), patch);
}

}  // namespace catflap::sim
