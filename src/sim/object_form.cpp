// K: the types of k8s.io/api, and what encoding/json says when a member does not fit them.
#include "sim/object_form.hpp"

#include <fmt/format.h>

#include <vector>

#include "base/json_read.hpp"

namespace catflap::sim {
namespace {

std::string_view name_of_form(const json::value& value) {
  if (value.is_object()) return "object";
  if (value.is_array()) return "array";
  if (value.is_string()) return "string";
  return value.is_bool() ? "bool" : "number";
}

/// Reads members by their type and keeps the first that has another.
class Checker {
 public:
  [[nodiscard]] const std::optional<std::string>& fault() const { return fault_; }

  const json::object* object(const json::object* parent, std::string_view key) {
    const auto* value = member(parent, key);
    if (value == nullptr) return nullptr;
    if (!value->is_object()) blame(*value, key);
    return value->if_object();
  }

  std::vector<const json::object*> objects(const json::object* parent, std::string_view key) {
    std::vector<const json::object*> found;
    const auto* value = member(parent, key);
    if (value == nullptr) return found;
    if (!value->is_array()) {
      blame(*value, key);
      return found;
    }
    for (const auto& one : value->get_array()) {
      if (one.is_object())
        found.push_back(&one.get_object());
      else
        blame(one, key);
    }
    return found;
  }

  void texts(const json::object* parent, std::string_view key) {
    const auto* map = object(parent, key);
    if (map == nullptr) return;
    for (const auto& [name, value] : *map)
      if (!value.is_string()) blame(value, key);
  }

 private:
  /// Null where there is nothing; null in JSON is nothing, too.
  static const json::value* member(const json::object* parent, std::string_view key) {
    const auto* value = parent == nullptr ? nullptr : parent->if_contains(key);
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  void blame(const json::value& value, std::string_view key) {
    if (!fault_) fault_ = fmt::format("{} into Go struct field {}", name_of_form(value), key);
  }

  std::optional<std::string> fault_;
};

void check_metadata(Checker& checker, const json::object* object) {
  const auto* metadata = checker.object(object, "metadata");
  checker.texts(metadata, "labels");
  checker.texts(metadata, "annotations");
  checker.objects(metadata, "ownerReferences");
  checker.objects(metadata, "managedFields");
}

void check_pod_spec(Checker& checker, const json::object* spec) {
  for (const auto* key : {"initContainers", "containers"})
    for (const auto* container : checker.objects(spec, key))
      for (const auto* list : {"env", "envFrom", "ports", "volumeMounts"})
        checker.objects(container, list);
  for (const auto* list : {"volumes", "tolerations", "taints"}) checker.objects(spec, list);
  checker.object(spec, "affinity");
}

}  // namespace

std::optional<std::string> malformed_member(const Kind& kind, const json::object& object) {
  Checker checker;
  check_metadata(checker, &object);
  const auto& group = kind.resource.group;
  if (group.empty() || group == "apps") {
    const auto* spec = checker.object(&object, "spec");
    check_pod_spec(checker, spec);
    const auto* own = checker.object(spec, "template");
    check_metadata(checker, own);
    check_pod_spec(checker, checker.object(own, "spec"));
    const auto* status = checker.object(&object, "status");
    for (const auto* list : {"conditions", "addresses", "containerStatuses"})
      checker.objects(status, list);
  }
  if (!checker.fault()) return std::nullopt;
  return fmt::format(
      "{0} in version \"{1}\" cannot be handled as a {0}: json: cannot unmarshal {2}", kind.name,
      kind.resource.version, *checker.fault());
}

void drop_empty_values(json::value& value) {
  if (auto* list = value.if_array())
    for (auto& one : *list) drop_empty_values(one);
  auto* object = value.if_object();
  if (object == nullptr) return;
  for (auto& [key, member] : *object) {
    auto* env = key == "env" ? member.if_array() : nullptr;
    if (env == nullptr) {
      drop_empty_values(member);
      continue;
    }
    for (auto& entry : *env)
      if (auto* one = entry.if_object(); one != nullptr && one->if_contains("value") != nullptr &&
                                         (*one)["value"] == json::value(""))
        one->erase("value");
  }
}

}  // namespace catflap::sim
