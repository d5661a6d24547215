#include "core/resolve/felixconfiguration.hpp"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "core/resolve/embedded.hpp"

namespace catflap {
namespace {

struct Annotation {
  std::string key;
  std::string value;
  Place place;
  bool replaces_spec;
};

/// The annotations of an object, those of the embedded metadata apart, and what is wrong with them.
struct Annotations {
  std::map<std::string, std::string> outer;
  std::map<std::string, std::string> embedded;
  std::optional<TimePoint> created;
  std::string broken;
};

Annotations read_annotations(const json::object& object) {
  Annotations read;
  const json::object* metadata = object_at(object, {"metadata"});
  const json::value* value = metadata ? metadata->if_contains("annotations") : nullptr;
  if (!value || value->is_null()) return read;
  if (!value->is_object()) {
    read.broken = "metadata.annotations is not an object";
    return read;
  }
  for (const auto& [key, text] : value->get_object()) {
    if (!text.is_string()) {
      read.broken = "an annotation is not a string";
      continue;
    }
    read.outer[std::string{key.data(), key.size()}] =
        std::string{text.get_string().data(), text.get_string().size()};
  }
  const auto found = read.outer.find(std::string{kMetadataAnnotation});
  if (found == read.outer.end()) return read;
  auto embedded = parse_embedded_metadata(found->second);
  if (!embedded) {
    read.broken = to_string(embedded.error());
    return read;
  }
  read.embedded = std::move(embedded->annotations);
  read.created = embedded->created;
  return read;
}

std::string field_text(Place place, std::string_view key) {
  if (place == Place::spec) return fmt::format("spec.{}", key);
  if (place == Place::annotation) return fmt::format("metadata.annotations[{}]", key);
  return fmt::format("metadata.annotations[{}].annotations[{}]", kMetadataAnnotation, key);
}

/// A native projectcalico.org/v3 object is read without the embedded metadata, one served by
/// Calico's API server has them merged already; both have this group. So what is embedded there
/// counts as one more possibility, not as an override.
bool overrides_by_embedded(const json::object& object) {
  return text_at(object, {"apiVersion"}) != "projectcalico.org/v3";
}

/// The annotations that Felix takes as settings, outer ones that an embedded one replaces left out.
std::vector<Annotation> config_annotations(const json::object& object, const Annotations& read) {
  std::vector<Annotation> found;
  const bool overrides = overrides_by_embedded(object);
  for (const auto& [key, value] : read.outer) {
    if (!key.starts_with(kConfigAnnotationPrefix)) continue;
    if (overrides && read.embedded.contains(key)) continue;
    found.push_back({key, value, Place::annotation, true});
  }
  for (const auto& [key, value] : read.embedded) {
    if (!key.starts_with(kConfigAnnotationPrefix)) continue;
    found.push_back({key, value, Place::embedded, overrides});
  }
  return found;
}

std::string parameter_of(const Annotation& annotation) {
  return annotation.key.substr(kConfigAnnotationPrefix.size());
}

/// The spec field as text. Nothing if it is not set; broken names a type that Felix's typed client
/// does not decode.
std::optional<std::string> spec_value(const json::object& spec, const Parameter& parameter,
                                      std::string& broken) {
  const json::value* value = spec.if_contains(parameter.spec_field);
  if (!value || value->is_null()) return std::nullopt;
  if (parameter.spec_type == SpecType::boolean && value->is_bool()) {
    return value->get_bool() ? "true" : "false";
  }
  if (parameter.spec_type == SpecType::integer && value->is_int64()) {
    return std::to_string(value->get_int64());
  }
  if (parameter.spec_type == SpecType::string && value->is_string()) {
    const std::string text = text_at(spec, {parameter.spec_field});
    return text.empty() ? std::nullopt : std::optional{text};
  }
  broken = fmt::format("spec.{} has a wrong type", parameter.spec_field);
  return std::nullopt;
}

void add_settings(const Parameter& parameter, const json::object* spec,
                  const std::vector<Annotation>& annotations, FelixConfiguration& out) {
  bool overridden = false;
  for (const Annotation& annotation : annotations) {
    const std::string name = parameter_of(annotation);
    if (!names_parameter(name, parameter.name)) continue;
    overridden = overridden || (annotation.replaces_spec && name == parameter.name);
    out.settings.push_back(
        {annotation.place, name, annotation.value, field_text(annotation.place, annotation.key)});
  }
  if (!spec) return;
  const auto value = spec_value(*spec, parameter, out.broken);
  if (!value || overridden) return;
  out.settings.push_back({Place::spec, std::string{parameter.name}, *value,
                          field_text(Place::spec, parameter.spec_field)});
}

FelixConfigurationSetting enabled_setting(Place place, std::string_view key, std::string raw) {
  FelixConfigurationSetting setting{place, std::string{key}, field_text(place, key),
                                    std::move(raw)};
  const auto value = parse_felix_bool(setting.raw);
  setting.value = value.value_or(false);
  setting.empty = setting.raw.empty();
  setting.invalid = !value && !setting.empty;
  return setting;
}

}  // namespace

FelixConfiguration read_felix_configuration(const json::object& object) {
  FelixConfiguration out;
  const json::object* metadata = object_at(object, {"metadata"});
  if (metadata) {
    out.name = text_at(*metadata, {"name"});
    out.created = parse_rfc3339(text_at(*metadata, {"creationTimestamp"}));
  }
  const Annotations read = read_annotations(object);
  out.broken = read.broken;
  if (read.created) out.created = read.created;

  const json::value* spec_value = object.if_contains("spec");
  if (spec_value && !spec_value->is_object() && !spec_value->is_null()) {
    out.broken = "spec is not an object";
  }
  const json::object* spec = object_at(object, {"spec"});
  const auto annotations = config_annotations(object, read);
  for (const Parameter& parameter : kParameters) add_settings(parameter, spec, annotations, out);
  for (const Parameter& parameter : kOtherPorts) add_settings(parameter, spec, annotations, out);
  if (!spec) return out;
  if (const json::value* selector = spec->if_contains("nodeSelector")) {
    if (selector->is_string()) out.node_selector = text_at(*spec, {"nodeSelector"});
    if (!selector->is_string() && !selector->is_null()) {
      out.broken = "spec.nodeSelector has a wrong type";
    }
  }
  return out;
}

std::vector<FelixConfigurationSetting> enabled_settings(const json::object& object) {
  std::vector<FelixConfigurationSetting> found;
  const json::object* spec = object_at(object, {"spec"});
  const json::value* value = spec ? spec->if_contains(kEnabled.spec_field) : nullptr;
  if (value && !value->is_null()) {
    const std::string raw =
        value->is_string() ? text_at(*spec, {kEnabled.spec_field}) : json::serialize(*value);
    found.push_back(enabled_setting(Place::spec, kEnabled.spec_field, raw));
  }
  const Annotations read = read_annotations(object);
  const auto add = [&found](Place place, const std::map<std::string, std::string>& annotations) {
    for (const auto& [key, text] : annotations) {
      if (!key.starts_with(kConfigAnnotationPrefix)) continue;
      const auto name = std::string_view{key}.substr(kConfigAnnotationPrefix.size());
      if (names_parameter(name, kEnabled.name)) found.push_back(enabled_setting(place, key, text));
    }
  };
  add(Place::annotation, read.outer);
  add(Place::embedded, read.embedded);
  return found;
}

}  // namespace catflap
