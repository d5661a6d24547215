#include "core/resolve/notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "core/resolve/embedded.hpp"

namespace catflap {
namespace {

using Params = std::map<std::string, std::string>;

class Notes {
 public:
  Notes(const Sources& sources, const Declared& declared)
      : sources_(sources), declared_(declared) {}

  std::vector<Message> run() {
    for (const Parameter& parameter : kParameters) {
      const auto layers = sources_.layers(parameter);
      for (const LayerValues& layer : layers) note_layer(layer);
    }
    note_values();
    note_port();
    note_environment();
    note_file();
    note_objects();
    return std::move(notes_);
  }

 private:
  void add(const char* code, Params params) {
    Message note{code, std::move(params)};
    if (std::find(notes_.begin(), notes_.end(), note) == notes_.end()) {
      notes_.push_back(std::move(note));
    }
  }

  static std::string words(const Source& source) {
    if (source.kind == "FelixConfiguration") {
      return fmt::format("FelixConfiguration {} {}", source.name, source.field);
    }
    return source.kind == "File" ? fmt::format("{} {}", source.name, source.field) : source.field;
  }

  static std::string winner(Layer layer, const Source& source) {
    return source.field.empty() ? to_string(layer) : words(source);
  }

  void note_layer(const LayerValues& layer) {
    std::string names;
    int count = 0;
    for (const Candidate& candidate : layer.candidates) {
      if (candidate.source.kind.empty()) continue;  // the possibility that nothing is set here
      const std::string text = words(candidate.source);
      names += count++ == 0 ? text : ", " + text;
      if (candidate.raw.empty()) add("CF0013", {{"source", text}});
      note_annotation(candidate.source.field, text);
    }
    if (count > 1 && layer.layer != Layer::fc_node) add("CF0011", {{"names", names}});
    if (count > 1 && layer.layer == Layer::fc_node && same_object(layer)) {
      add("CF0011", {{"names", names}});
    }
  }

  static bool same_object(const LayerValues& layer) {
    return std::all_of(layer.candidates.begin(), layer.candidates.end(), [&](const auto& c) {
      return c.source.name == layer.candidates.front().source.name;
    });
  }

  void note_annotation(std::string_view field, const std::string& text) {
    const std::string embedded = fmt::format("metadata.annotations[{}]", kMetadataAnnotation);
    if (field.starts_with(embedded)) {
      add("CF0015", {{"source", text}});
    } else if (field.starts_with("metadata.annotations[")) {
      add("CF0014", {{"source", text}});
    }
  }

  template <class T>
  void note_invalid(const Param<T>& param) {
    if (param.invalid) add("CF0012", {{"raw", param.raw}, {"source", words(param.source)}});
  }

  void note_values() {
    note_invalid(declared_.enabled);
    note_invalid(declared_.port);
    note_invalid(declared_.host);
    note_invalid(declared_.tls);
    note_invalid(declared_.client_auth);
    if (declared_.tls.value.value_or(false) && declared_.ca_file_set == false) {
      add("CF0020", {{"source", words(declared_.tls.source)}});
    }
    if (!declared_.enabled.value) return;
    for (const Masked& masked : declared_.enabled.masked) {
      if (!parse_felix_bool(masked.raw).value_or(false)) continue;
      add(*declared_.enabled.value ? "CF0010" : "CF0016",
          {{"source", words(masked.source)},
           {"winner", winner(declared_.enabled.layer, declared_.enabled.source)}});
    }
  }

  void note_port() {
    if (!declared_.port.value) return;
    const std::string source = words(declared_.port.source);
    if (*declared_.port.value == 0) {
      add("CF0009", {{"source", source}});
    } else if (*declared_.port.value != kDefaultMetricsPort) {
      add("CF0008", {{"port", std::to_string(*declared_.port.value)}, {"source", source}});
    }
  }

  void note_environment() {
    for (const EnvVariable& variable : sources_.environment().variables) {
      note_variable(variable);
      if (variable.name == "CALICO_DISABLE_FELIX" && variable.value.value_or("?") != "") {
        add("CF0019", {{"source", variable.source.field}});
      }
    }
    for (const OpaqueSource& opaque : sources_.environment().opaque) {
      if (!std::string_view{"felix_prometheusmetrics"}.starts_with(felix_lower(opaque.prefix))) {
        continue;
      }
      add("CF0047",
          {{"kind", opaque.source.kind}, {"object", opaque.source.name}, {"why", opaque.why}});
    }
  }

  void note_variable(const EnvVariable& variable) {
    const std::string name = felix_lower(variable.name);
    std::string squeezed = name;
    std::erase(squeezed, '_');
    const bool known = std::any_of(kParameters.begin(), kParameters.end(), [&](const auto& p) {
      return env_names_parameter(variable.name, p.name);
    });
    if (!known && name.starts_with("felix_") && squeezed == "felixprometheusmetricsenabled") {
      add("CF0021", {{"name", variable.name}});
    }
    if (!known) return;
    const Source& source = variable.source;
    const bool elsewhere = source.kind == "ConfigMap" || source.kind == "Secret";
    if (elsewhere && variable.value) {
      add("CF0017", {{"name", variable.name}, {"kind", source.kind}, {"object", source.name}});
    } else if (elsewhere) {
      add("CF0047", {{"kind", source.kind}, {"object", source.name}, {"why", variable.why}});
    }
    if (variable.times > 1) {
      add("CF0018", {{"name", variable.name}, {"count", std::to_string(variable.times)}});
    }
  }

  void note_file() {
    for (const Parameter& parameter : kParameters) {
      for (const LayerValues& layer : sources_.layers(parameter)) {
        if (layer.layer != Layer::file) continue;
        for (const Candidate& c : layer.candidates) add("CF0022", {{"path", c.source.name}});
        if (!layer.unreadable.empty()) add("CF0022", {{"path", layer.unreadable_source.name}});
      }
    }
  }

  void note_objects() {
    if (sources_.etcd_datastore()) return add("CF0052", {});
    const Support support = sources_.since(Version{3, 32, 0});
    for (const FelixConfiguration& object : sources_.objects()) {
      if (!Sources::is_selector_scoped(object)) continue;
      for (const RawSetting& setting : object.settings) {
        if (!names_parameter(setting.name, kEnabled.name)) continue;
        if (support == Support::no) {
          add("CF0023", {{"version", sources_.input().calico_version}, {"name", object.name}});
        } else if (parse_felix_bool(setting.raw).value_or(false)) {
          add("CF0053", {{"name", object.name}, {"selector", object.node_selector.value_or("")}});
        }
      }
    }
  }

  const Sources& sources_;
  const Declared& declared_;
  std::vector<Message> notes_;
};

}  // namespace

std::vector<Message> notes_of(const Sources& sources, const Declared& declared) {
  return Notes{sources, declared}.run();
}

}  // namespace catflap
