// How the kubelet fills a container's environment. Entry point: build_environment; the Builder is
// private.
#include "core/resolve/env.hpp"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "base/json_read.hpp"
#include "core/resolve/expand.hpp"
#include "core/resolve/field_ref.hpp"
#include "core/resolve/values.hpp"

namespace catflap {
namespace {

/// What one entry comes to. Neither value nor why: the entry sets nothing (an optional reference to
/// nothing).
struct Resolved {
  std::optional<std::string> value;
  std::string why;
  Source source;
};

class Builder {
 public:
  Builder(const json::object& pod, const Lookups& config_maps, const Lookups& secrets)
      : pod_(pod), config_maps_(config_maps), secrets_(secrets) {
    namespace_ = text_at(pod, {"metadata", "namespace"});
    pod_name_ = text_at(pod, {"metadata", "name"});
    const json::value* links = value_at(pod, {"spec", "enableServiceLinks"});
    service_links_ = links == nullptr || *links != false;  // absent means yes
  }

  Environment run(const json::object& container) {
    for (const auto* entry : objects_at(container, {"envFrom"})) take_from(*entry);
    for (const auto* entry : objects_at(container, {"env"})) take_entry(*entry);
    for (auto& [name, variable] : variables_) environment_.variables.push_back(std::move(variable));
    return std::move(environment_);
  }

 private:
  [[nodiscard]] Source object_source(std::string kind, std::string name, std::string field) const {
    return {std::move(kind), namespace_, std::move(name), std::move(field)};
  }

  void take_from(const json::object& entry) {
    const std::string prefix = text_at(entry, {"prefix"});
    if (const auto* ref = object_at(entry, {"configMapRef"})) {
      take_all(*ref, "ConfigMap", config_maps_, prefix);
    } else if (const auto* secret = object_at(entry, {"secretRef"})) {
      take_all(*secret, "Secret", secrets_, prefix);
    }
  }

  void take_all(const json::object& ref, const char* kind, const Lookups& lookups,
                const std::string& prefix) {
    const std::string name = text_at(ref, {"name"});
    const Lookup lookup = look_up(lookups, name);
    if (lookup.state != Lookup::State::found) {
      if (lookup.state == Lookup::State::absent && true_at(ref, {"optional"})) return;
      environment_.opaque.push_back(
          {object_source(kind, name, "envFrom"), prefix, why_not(lookup, kind, name)});
      return;
    }
    for (const auto& [key, value] : lookup.data) {
      const std::string variable = prefix + key;
      variables_[variable] = {
          .name = variable,
          .value = value,
          .source = object_source(kind, name, fmt::format("env {} from data[{}]", variable, key)),
          .from_outside = true};
    }
  }

  void take_entry(const json::object& entry) {
    const std::string name = text_at(entry, {"name"});
    Resolved resolved = resolve_entry(entry, name);
    if (!resolved.value && resolved.why.empty()) return;
    const auto before = variables_.find(name);
    const bool again = before != variables_.end() && before->second.from_list;
    const int times = again ? before->second.times + 1 : 1;
    const bool from_outside = before != variables_.end() && before->second.from_outside;
    variables_[name] = {.name = name,
                        .value = std::move(resolved.value),
                        .why = std::move(resolved.why),
                        .source = std::move(resolved.source),
                        .from_list = true,
                        .times = times,
                        .from_outside = from_outside};
  }

  Resolved resolve_entry(const json::object& entry, const std::string& name) {
    const Source own = object_source("Pod", pod_name_, "env " + name);
    const std::string text = text_at(entry, {"value"});
    if (!text.empty()) return expanded(text, own);
    const auto* from = object_at(entry, {"valueFrom"});
    if (!from) return {"", "", own};
    if (const auto* ref = object_at(*from, {"configMapKeyRef"})) {
      return from_key(*ref, "ConfigMap", config_maps_, name);
    }
    if (const auto* ref = object_at(*from, {"secretKeyRef"})) {
      return from_key(*ref, "Secret", secrets_, name);
    }
    if (const auto* ref = object_at(*from, {"fieldRef"})) {
      const std::string path = text_at(*ref, {"fieldPath"});
      auto value = read_field(pod_, path);
      std::string why = value ? "" : fmt::format("the field {} is not known", path);
      return {std::move(value), std::move(why), own};
    }
    return {std::nullopt, "its valueFrom is of a kind that catflap does not follow", own};
  }

  Resolved from_key(const json::object& ref, const char* kind, const Lookups& lookups,
                    const std::string& variable) {
    const std::string name = text_at(ref, {"name"});
    const std::string key = text_at(ref, {"key"});
    const Source source =
        object_source(kind, name, fmt::format("env {} from data[{}]", variable, key));
    const Lookup lookup = look_up(lookups, name);
    const bool optional = true_at(ref, {"optional"});
    if (lookup.state == Lookup::State::found) {
      const auto found = lookup.data.find(key);
      if (found != lookup.data.end()) return {found->second, "", source};
      if (optional) return {std::nullopt, "", source};
      return {std::nullopt, fmt::format("{} {} has no key {}", kind, name, key), source};
    }
    if (lookup.state == Lookup::State::absent && optional) return {std::nullopt, "", source};
    return {std::nullopt, why_not(lookup, kind, name), source};
  }

  Resolved expanded(const std::string& text, const Source& source) {
    std::string why;
    auto value = expand(text, [&](const std::string& name) { return refer_to(name, why); });
    return {std::move(value), std::move(why), source};
  }

  /// What $(name) stands for at this point of the list. `why` is set if that is not known.
  Reference refer_to(const std::string& name, std::string& why) const {
    const auto found = variables_.find(name);
    if (found != variables_.end() && found->second.from_list) {
      why = found->second.why;
      return {found->second.value, !found->second.value.has_value()};
    }
    for (const OpaqueSource& opaque : environment_.opaque) {
      if (name.starts_with(opaque.prefix)) why = opaque.why;
    }
    if (found != variables_.end()) return {found->second.value, !why.empty()};
    if (may_be_service_variable(name, service_links_)) {
      why = fmt::format("$({}) may be a Service's variable", name);
    }
    return {std::nullopt, !why.empty()};
  }

  static Lookup look_up(const Lookups& lookups, const std::string& name) {
    const auto found = lookups.find(name);
    if (found != lookups.end()) return found->second;
    return {.state = Lookup::State::unreadable, .why = "it was not read"};
  }

  static std::string why_not(const Lookup& lookup, const char* kind, const std::string& name) {
    if (lookup.state == Lookup::State::unreadable) {
      return fmt::format("{} {} could not be read: {}", kind, name, lookup.why);
    }
    return fmt::format("{} {} does not exist", kind, name);
  }

  const json::object& pod_;
  const Lookups& config_maps_;
  const Lookups& secrets_;
  std::string namespace_;
  std::string pod_name_;
  bool service_links_ = true;
  std::map<std::string, EnvVariable> variables_;
  Environment environment_;
};

}  // namespace

const EnvVariable* Environment::find(std::string_view name) const {
  for (const EnvVariable& variable : variables) {
    if (variable.name == name) return &variable;
  }
  return nullptr;
}

Environment build_environment(const json::object& pod, std::string_view container,
                              const Lookups& config_maps, const Lookups& secrets) {
  const json::object* found = named(array_at(pod, {"spec", "containers"}), container);
  return found == nullptr ? Environment{} : Builder{pod, config_maps, secrets}.run(*found);
}

std::vector<std::size_t> env_entries_for(const json::array& env, std::string_view parameter) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < env.size(); ++i) {
    const json::object* entry = env[i].if_object();
    if (entry && env_names_parameter(text_at(*entry, {"name"}), parameter)) indices.push_back(i);
  }
  return indices;
}

}  // namespace catflap
