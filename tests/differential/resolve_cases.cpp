// catflap's side of the differential test: reads the cases that testbed/calico/oracle reads, one
// JSON object a line, and prints what core/resolve makes of each for the version of Calico in its
// argument.
#include <iostream>

#include "base/json_read.hpp"
#include "core/resolve/resolve.hpp"

namespace catflap {
namespace {

std::string in_words(bool value) {
  return value ? "true" : "false";
}

std::string in_words(int value) {
  return std::to_string(value);
}

std::string in_words(const std::string& value) {
  return value;
}

/// The source as Felix calls it.
const char* source_of(Layer layer) {
  switch (layer) {
    case Layer::env:
      return "environment variable";
    case Layer::file:
      return "config file";
    case Layer::fc_node:
      return "datastore (per-host)";
    case Layer::fc_selector:
      return "selector";
    case Layer::fc_default:
      return "datastore (global)";
    case Layer::compiled:
      return "";
    case Layer::build:
      return "build";
  }
  return "?";
}

template <class T>
json::object shown(const Param<T>& param) {
  json::object out{{"state", to_string(param.state)}, {"source", source_of(param.layer)}};
  if (param.value) out["value"] = in_words(*param.value);
  return out;
}

json::object answer_to(const json::object& test_case, const std::string& calico_version) {
  const std::string node = text_at(test_case, {"node"});
  json::array env = array_at(test_case, {"env"});
  env.push_back(
      {{"name", "NODENAME"}, {"valueFrom", {{"fieldRef", {{"fieldPath", "spec.nodeName"}}}}}});
  const json::object container{{"name", "calico-node"}, {"env", std::move(env)}};
  std::vector<json::object> objects;
  for (const auto* object : objects_at(test_case, {"objects"})) objects.push_back(*object);

  ResolveInput input{
      .felix_container = "calico-node",
      .node = node,
      .file = {.state = FelixConfigFile::State::text, .text = text_at(test_case, {"file"})},
      .felix_configurations = &objects,
      .calico_version = calico_version};
  input.pod = {{"metadata", {{"namespace", "kube-system"}}},
               {"spec", {{"nodeName", node}, {"containers", json::array{container}}}}};
  const Declared declared = resolve(input);
  return {{"PrometheusMetricsEnabled", shown(declared.enabled)},
          {"PrometheusMetricsPort", shown(declared.port)},
          {"PrometheusMetricsHost", shown(declared.host)}};
}

}  // namespace
}  // namespace catflap

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto test_case = boost::json::parse(line);
    std::cout << boost::json::serialize(catflap::answer_to(test_case.as_object(), argv[1])) << '\n';
  }
}
