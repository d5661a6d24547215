// A set of fields is a tree as in FieldsV1: "f:spec" leads to what is below it, an empty object is
// a field that is owned.
#include "sim/field_owners.hpp"

#include "base/json_read.hpp"
#include "sim/strategic_patch.hpp"

namespace catflap::sim {

namespace {

struct Changes {
  json::object set;   // fields that are new or others now
  json::object gone;  // fields that are no more
};

void add(json::object& tree, const std::string& step, json::object below) {
  if (!below.empty()) tree[step] = std::move(below);
}

Changes compare(const json::value& old, const json::value& next, std::string_view field);

/// Every field of something that was not there before.
json::object all_of(const json::value& value, std::string_view field) {
  if (value.is_object()) return compare(json::object{}, value, field).set;
  if (value.is_array() && !value.as_array().empty())
    return compare(json::array{}, value, field).set;
  return {};
}

void compare_member(const json::value* old, const json::value* next, const std::string& step,
                    std::string_view field, Changes& changes) {
  if (old == nullptr) {
    changes.set[step] = all_of(*next, field);
  } else if (next == nullptr) {
    changes.gone[step] = json::object{};
  } else if (*old != *next) {
    auto below = compare(*old, *next, field);
    const bool leaf = below.set.empty() && below.gone.empty();
    if (leaf) changes.set[step] = json::object{};
    add(changes.set, step, std::move(below.set));
    add(changes.gone, step, std::move(below.gone));
  }
}

const json::value* element(const json::array& list, const std::string& key,
                           const json::value& identity) {
  for (const auto& one : list) {
    const auto* object = one.if_object();
    const auto* found = object == nullptr ? nullptr : object->if_contains(key);
    if (found != nullptr && *found == identity) return &one;
  }
  return nullptr;
}

Changes compare_lists(const json::array& old, const json::array& next, const std::string& key) {
  Changes changes;
  const auto each = [&](const json::array& list, const json::array& other, bool is_next) {
    for (const auto& one : list) {
      const auto* object = one.if_object();
      const auto* identity = object == nullptr ? nullptr : object->if_contains(key);
      if (identity == nullptr) continue;
      const auto* twin = element(other, key, *identity);
      if (!is_next && twin != nullptr) continue;
      const auto step = "k:" + json::serialize(json::object{{key, *identity}});
      compare_member(is_next ? twin : &one, is_next ? &one : nullptr, step, "", changes);
      if (is_next && twin == nullptr) changes.set[step].as_object()["."] = json::object{};
    }
  };
  each(next, old, true);
  each(old, next, false);
  return changes;
}

Changes compare(const json::value& old, const json::value& next, std::string_view field) {
  if (old.is_array() && next.is_array()) {
    const auto& list = next.as_array().empty() ? old.as_array() : next.as_array();
    const auto key = merge_key(field, list);
    return key.empty() ? Changes{} : compare_lists(old.as_array(), next.as_array(), key);
  }
  Changes changes;
  if (!old.is_object() || !next.is_object()) return changes;
  for (const auto& [name, value] : next.as_object())
    compare_member(old.as_object().if_contains(name), &value, "f:" + std::string{name}, name,
                   changes);
  for (const auto& [name, value] : old.as_object())
    if (!next.as_object().contains(name))
      compare_member(&value, nullptr, "f:" + std::string{name}, name, changes);
  return changes;
}

void unite(json::object& tree, const json::object& more) {
  for (const auto& [step, below] : more) {
    auto& here = tree[step];
    if (!here.is_object()) here = json::object{};
    unite(here.as_object(), below.as_object());
  }
}

void subtract(json::object& tree, const json::object& what) {
  for (const auto& [step, below] : what) {
    auto* here = tree.if_contains(step);
    if (here == nullptr || !here->is_object()) continue;
    if (!below.as_object().empty()) subtract(here->as_object(), below.as_object());
    if (below.as_object().empty() || here->as_object().empty()) tree.erase(step);
  }
}

/// Without what the server counts and what names the object.
json::value content(json::object object) {
  object.erase("apiVersion");
  object.erase("kind");
  auto* metadata = object.if_contains("metadata");
  if (metadata != nullptr && metadata->is_object())
    for (const auto* key : {"managedFields", "resourceVersion", "generation", "uid", "name",
                            "namespace", "creationTimestamp"})
      metadata->as_object().erase(key);
  return object;
}

bool is_of(const json::object& entry, const Writer& writer) {
  return text_at(entry, {"manager"}) == writer.manager &&
         text_at(entry, {"operation"}) == "Update" &&
         text_at(entry, {"apiVersion"}) == writer.api_version &&
         text_at(entry, {"subresource"}) == writer.subresource;
}

/// As the API writes times, in whole seconds.
std::string seconds_of(TimePoint time) {
  auto text = to_rfc3339(time);
  return text.erase(text.find('.')) + "Z";
}

}  // namespace

void record_writer(const json::object& old, json::object& next, const Writer& writer) {
  const auto changes = compare(content(old), content(next), "");
  if (changes.set.empty() && changes.gone.empty()) return;
  json::object mine;
  json::array entries;
  for (const auto* entry : objects_at(next, {"metadata", "managedFields"})) {
    json::object kept = *entry;
    auto& fields = kept["fieldsV1"];
    if (!fields.is_object()) fields = json::object{};
    subtract(fields.as_object(), changes.set);
    subtract(fields.as_object(), changes.gone);
    if (is_of(kept, writer))
      mine = std::move(fields.as_object());
    else if (!fields.as_object().empty())
      entries.push_back(std::move(kept));
  }
  unite(mine, changes.set);
  auto& stored = next["metadata"].as_object()["managedFields"];
  if (mine.empty()) {  // it only took away
    stored = std::move(entries);
    return;
  }
  json::object entry{{"manager", writer.manager},        {"operation", "Update"},
                     {"apiVersion", writer.api_version}, {"time", seconds_of(writer.now)},
                     {"fieldsType", "FieldsV1"},         {"fieldsV1", std::move(mine)}};
  if (!writer.subresource.empty()) entry["subresource"] = writer.subresource;
  entries.push_back(std::move(entry));
  stored = std::move(entries);
}

}  // namespace catflap::sim
