// A pod and its surroundings for the tests of resolve, built up call by call.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/resolve/resolve.hpp"

namespace catflap {

class Case {
 public:
  Case() {
    input_.felix_container = "calico-node";
    input_.node = "n1";
    input_.node_labels = {{"kubernetes.io/hostname", "n1"}, {"zone", "a"}};
    input_.calico_version = "v3.30.1";
  }

  Case& env(std::string_view name, std::string_view value) {
    return entry(json::serialize(json::object{{"name", text(name)}, {"value", text(value)}}));
  }
  Case& entry(std::string_view json_text) {
    env_.push_back(json::parse(text(json_text)));
    return *this;
  }
  Case& env_from(std::string_view json_text) {
    env_from_.push_back(json::parse(text(json_text)));
    return *this;
  }
  Case& config_map(const std::string& name, std::map<std::string, std::string> data) {
    input_.config_maps[name] = {Lookup::State::found, std::move(data), ""};
    return *this;
  }
  Case& closed_secret(const std::string& name) {
    input_.secrets[name] = {Lookup::State::unreadable, {}, "forbidden"};
    return *this;
  }
  Case& file(std::string_view content) {
    input_.file = {FelixConfigFile::State::text, std::string{content}, "", ""};
    return *this;
  }
  Case& closed_file() {
    input_.file = {FelixConfigFile::State::unreadable, "", "", "exec forbidden"};
    return *this;
  }
  /// `metadata` is merged with the name: R"("creationTimestamp":"…")".
  Case& fc(std::string_view name, std::string_view spec, std::string_view metadata = "") {
    objects_.push_back(json::parse(fmt::format(
                                       R"({{"apiVersion":"crd.projectcalico.org/v1",
        "kind":"FelixConfiguration","metadata":{{"name":"{}"{}{}}},"spec":{}}})",
                                       name, metadata.empty() ? "" : ",", metadata, spec))
                           .as_object());
    return *this;
  }
  Case& annotated(std::string_view name, std::string_view parameter, std::string_view value,
                  std::string_view spec = "{}") {
    return fc(
        name, spec,
        fmt::format(R"("annotations":{{"config.projectcalico.org/{}":"{}"}})", parameter, value));
  }
  Case& closed_objects(std::string why = "forbidden") {
    input_.felix_configurations_state = {.readable = false, .why = std::move(why)};
    return *this;
  }
  Case& version(std::string value) {
    input_.calico_version = std::move(value);
    return *this;
  }
  Case& labels(std::map<std::string, std::string> value) {
    input_.node_labels = std::move(value);
    return *this;
  }

  [[nodiscard]] Declared declared() const {
    ResolveInput input = input_;
    json::object container{{"name", "calico-node"}, {"env", env_}, {"envFrom", env_from_}};
    input.pod = {{"metadata", {{"name", "calico-node-x"}, {"namespace", "kube-system"}}},
                 {"spec", {{"nodeName", "n1"}, {"containers", json::array{container}}}}};
    input.felix_configurations = &objects_;
    return resolve(input);
  }
  [[nodiscard]] std::string dumped() const { return dump(declared()); }
  /// Without the findings.
  [[nodiscard]] std::string decision() const {
    Declared plain = declared();
    plain.notes.clear();
    return dump(plain);
  }

 private:
  static json::string_view text(std::string_view view) { return {view.data(), view.size()}; }

  ResolveInput input_;
  json::array env_;
  json::array env_from_;
  std::vector<json::object> objects_;
};

inline constexpr std::string_view kOn = R"({"prometheusMetricsEnabled":true})";
inline constexpr std::string_view kOff = R"({"prometheusMetricsEnabled":false})";
inline constexpr const char* kEnvEnabled = "FELIX_PROMETHEUSMETRICSENABLED";

}  // namespace catflap
