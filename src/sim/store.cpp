#include "sim/store.hpp"

#include <fmt/format.h>

#include "base/json_read.hpp"
#include "sim/json_patch.hpp"
#include "sim/object_form.hpp"
#include "sim/selector.hpp"

namespace catflap::sim {

namespace {

// K: pkg/apis/core/validation, ValidateConfigMap: the values of a ConfigMap together, in bytes.
constexpr std::size_t kMaxConfigMapBytes = 1u << 20;

std::string text_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string{value->as_string()} : std::string{};
}

json::object& metadata_of(json::object& object) {
  auto& metadata = object["metadata"];
  if (!metadata.is_object()) metadata = json::object{};
  return metadata.as_object();
}

std::string meta(const json::object& object, std::string_view key) {
  const auto* metadata = object.if_contains("metadata");
  return metadata != nullptr && metadata->is_object() ? text_at(metadata->as_object(), key)
                                                      : std::string{};
}

Error invalid(const ObjectRef& ref, std::string what) {
  return Error{.kind = ErrorKind::internal,
               .what = std::move(what),
               .subject = ref.to_string(),
               .system_code = 422};
}

json::object without(json::object object, std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) object.erase(key);
  return object;
}

void name_versions(json::value& value) {
  if (auto* list = value.if_array())
    for (auto& one : *list) name_versions(one);
  auto* object = value.if_object();
  if (object == nullptr) return;
  for (auto& entry : *object) {
    if (entry.key() == "fieldRef" && entry.value().is_object())
      entry.value().as_object().emplace("apiVersion", "v1");
    name_versions(entry.value());
  }
}

/// What the server writes where nothing is said and leaves out where nothing is meant, as far as
/// catflap shows it: the version of a field that a template's environment refers to, and a
/// variable's empty value.
void fill_in(const Resource& resource, json::object& object) {
  auto* spec = object.if_contains("spec");
  if (spec == nullptr || (resource.group != "apps" && resource != kube::kPods)) return;
  if (resource.group == "apps") name_versions(*spec);
  drop_empty_values(*spec);
}

Result<void> check_size(const ObjectRef& ref, const json::object& object) {
  const auto* data = object.if_contains("data");
  if (ref.resource != kube::kConfigMaps || data == nullptr || !data->is_object()) return {};
  std::size_t total = 0;
  for (const auto& [key, value] : data->as_object()) {
    if (!value.is_string()) return invalid(ref, "data: Invalid value: must be strings");
    total += value.as_string().size();
  }
  if (total > kMaxConfigMapBytes)
    return invalid(ref, "[]: Too long: may not be more than 1048576 bytes");
  return {};
}

Result<void> check_immutable(const ObjectRef& ref, const json::object& old,
                             const json::object& next) {
  if (meta(next, "uid") != meta(old, "uid"))
    return invalid(ref, "metadata.uid: Invalid value: field is immutable");
  const auto* selector = value_at(old, {"spec", "selector"});
  const auto* wanted = value_at(next, {"spec", "selector"});
  if (ref.resource == kube::kDaemonSets && selector != nullptr &&
      (wanted == nullptr || *wanted != *selector))
    return invalid(ref, "spec.selector: Invalid value: field is immutable");
  return {};
}

}  // namespace

Error not_found(const ObjectRef& ref) {
  return Error{.kind = ErrorKind::not_found,
               .what = fmt::format("\"{}\" not found", ref.name),
               .subject = ref.to_string(),
               .system_code = 404};
}

Error conflict(const ObjectRef& ref) {
  return Error{
      .kind = ErrorKind::conflict,
      .what = "the object has been modified; please apply your changes to the latest version",
      .subject = ref.to_string(),
      .system_code = 409};
}

std::string Store::key_of(const Resource& resource) {
  return resource.group.empty() ? resource.plural : resource.plural + "." + resource.group;
}

bool Store::matches(const json::object& object, const ListQuery& query) {
  if (!query.namespace_.empty() && meta(object, "namespace") != query.namespace_) return false;
  return labels_match(object, query.label_selector) && fields_match(object, query.field_selector);
}

json::object& Store::store(const Resource& resource, json::object object) {
  auto& metadata = metadata_of(object);
  metadata["resourceVersion"] = std::to_string(++revision_);
  const auto name = std::pair{meta(object, "namespace"), meta(object, "name")};
  auto& names = objects_[key_of(resource)];
  Change change{.revision = revision_, .resource = key_of(resource), .object = object};
  if (const auto old = names.find(name); old != names.end()) change.before = std::move(old->second);
  remember(std::move(change));
  return names[name] = std::move(object);
}

void Store::remember(Change change) {
  history_.push_back(std::move(change));
  if (history_.size() <= remembered_) return;
  forgotten_ = history_.front().revision;
  history_.pop_front();
}

const Store::Change* Store::change_after(std::uint64_t revision) const {
  CHECK(revision >= forgotten_, "the history is read from before its beginning");
  if (revision >= revision_) return nullptr;
  const auto newer = std::min<std::uint64_t>(revision_ - revision, history_.size());
  return &history_[history_.size() - newer];
}

void Store::forget_history() {
  history_.clear();
  forgotten_ = revision_;
}

void Store::put(const Resource& resource, json::object object) {
  auto& metadata = metadata_of(object);
  const auto fill = [&](std::string_view key, const json::value& value) {
    if (!metadata.contains(key)) metadata[key] = value;
  };
  fill("uid", json::value(fmt::format("uid-{}", ++uids_)));
  fill("generation", json::value(1));
  fill("creationTimestamp", json::value(to_rfc3339(clock_.now())));
  fill_in(resource, object);
  store(resource, std::move(object));
}

const json::object* Store::find(const ObjectRef& ref) const {
  const auto kind = objects_.find(key_of(ref.resource));
  if (kind == objects_.end()) return nullptr;
  const auto found = kind->second.find({ref.namespace_, ref.name});
  return found == kind->second.end() ? nullptr : &found->second;
}

std::vector<json::object> Store::select(const ListQuery& query) const {
  std::vector<json::object> found;
  const auto kind = objects_.find(key_of(query.resource));
  if (kind == objects_.end()) return found;
  for (const auto& [name, object] : kind->second)
    if (matches(object, query)) found.push_back(object);
  return found;
}

Result<std::vector<json::object>> Store::select_at(const ListQuery& query,
                                                   std::uint64_t revision) const {
  if (revision < forgotten_)
    return Error{.kind = ErrorKind::internal,
                 .what = fmt::format("too old resource version: {} ({})", revision, forgotten_),
                 .system_code = 410};
  std::map<std::pair<std::string, std::string>, const json::object*> names;
  if (const auto kind = objects_.find(key_of(query.resource)); kind != objects_.end())
    for (const auto& [name, object] : kind->second) names[name] = &object;
  for (auto change = history_.rbegin(); change != history_.rend(); ++change) {
    if (change->revision <= revision) break;
    if (change->resource != key_of(query.resource)) continue;
    const auto name = std::pair{meta(change->object, "namespace"), meta(change->object, "name")};
    if (change->before)
      names[name] = &*change->before;
    else
      names.erase(name);
  }
  std::vector<json::object> found;
  for (const auto& [name, object] : names)
    if (matches(*object, query)) found.push_back(*object);
  return found;
}

std::map<std::string, const json::object*> Store::samples() const {
  std::map<std::string, const json::object*> found;
  for (const auto& [key, names] : objects_)
    if (!names.empty()) found[key] = &names.begin()->second;
  return found;
}

json::object Store::updated(const json::object& old, json::object next) const {
  const auto content = [](const json::object& object) {
    return without(object, {"metadata", "status"});
  };
  auto& metadata = metadata_of(next);
  if (content(old) != content(next)) {
    metadata["generation"] = number_at(old, {"metadata", "generation"}) + 1;
  }
  return next;
}

void Store::edit(const ObjectRef& ref, const std::function<void(json::object&)>& change) {
  const auto* old = find(ref);
  CHECK(old != nullptr, "a test edits an object that does not exist: " + ref.name);
  json::object next = *old;
  change(next);
  fill_in(ref.resource, next);
  if (next == *old) return;
  store(ref.resource, updated(*old, std::move(next)));
}

bool Store::erase(const ObjectRef& ref) {
  const auto* old = find(ref);
  if (old == nullptr) return false;
  Change change{.revision = ++revision_,
                .resource = key_of(ref.resource),
                .deleted = true,
                .object = *old,
                .before = *old};
  metadata_of(change.object)["resourceVersion"] = std::to_string(revision_);
  remember(std::move(change));
  objects_[key_of(ref.resource)].erase({ref.namespace_, ref.name});
  return true;
}

Result<json::object> Store::create(const Resource& resource, const std::string& namespace_,
                                   const json::object& object, bool dry_run) {
  json::object next = object;
  auto& metadata = metadata_of(next);
  if (!namespace_.empty()) metadata["namespace"] = namespace_;
  const ObjectRef ref{resource, namespace_, meta(next, "name")};
  if (find(ref) != nullptr)
    return Error{.kind = ErrorKind::conflict,
                 .what = fmt::format("\"{}\" already exists", ref.name),
                 .subject = ref.to_string(),
                 .system_code = 409};
  TRY(check_size(ref, next));
  fill_in(resource, next);
  for (const auto* key : {"uid", "generation", "creationTimestamp", "resourceVersion"})
    metadata.erase(key);
  if (dry_run) return next;
  put(resource, std::move(next));
  return *find(ref);
}

Result<json::object> Store::patch(const ObjectRef& ref, PatchType type, const json::value& body,
                                  bool dry_run) {
  const auto* old = find(ref);
  if (old == nullptr) return not_found(ref);
  json::value patched = *old;
  if (type == PatchType::json_patch) {
    auto applied = apply_json_patch(*old, body);
    if (!applied) return std::move(applied).error();
    patched = std::move(*applied);
  } else {
    patched = apply_merge_patch(*old, body);
  }
  if (!patched.is_object()) return invalid(ref, "the patch leaves no object");
  return update(ref, std::move(patched.as_object()), dry_run);
}

Result<json::object> Store::update(const ObjectRef& ref, json::object next, bool dry_run) {
  const auto* old = find(ref);
  if (old == nullptr) return not_found(ref);
  auto& metadata = metadata_of(next);
  for (const auto* key : {"uid", "resourceVersion"})
    if (meta(next, key).empty()) metadata[key] = meta(*old, key);
  for (const auto* key : {"generation", "creationTimestamp"})
    if (const auto* counted = value_at(*old, {"metadata", key})) metadata[key] = *counted;
  if (meta(next, "resourceVersion") != meta(*old, "resourceVersion")) return conflict(ref);
  TRY(check_immutable(ref, *old, next));
  TRY(check_size(ref, next));
  fill_in(ref.resource, next);
  if (next == *old) return next;
  next = updated(*old, std::move(next));
  return dry_run ? next : store(ref.resource, std::move(next));
}

Result<json::object> Store::remove(const ObjectRef& ref, const std::string& uid,
                                   const std::string& resource_version, bool dry_run) {
  const auto* old = find(ref);
  if (old == nullptr) return not_found(ref);
  json::object last = *old;
  if (!uid.empty() && uid != meta(last, "uid")) return conflict(ref);
  if (!resource_version.empty() && resource_version != meta(last, "resourceVersion"))
    return conflict(ref);
  if (!dry_run) erase(ref);
  return last;
}

}  // namespace catflap::sim
