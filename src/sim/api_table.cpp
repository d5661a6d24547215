#include "sim/api_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_read.hpp"

namespace catflap::sim {

namespace {

struct Column {
  std::string name;
  std::string type = "string";
  int priority = 0;  // 1: only with -o wide
};

using Cells = json::array (*)(const json::object& object, const std::string& age);

struct Layout {
  std::string plural;
  std::vector<Column> columns;
  Cells cells;
};

std::string or_none(std::string text) {
  return text.empty() ? "<none>" : std::move(text);
}

std::string name_of(const json::object& object) {
  return text_at(object, {"metadata", "name"});
}

std::string joined(const json::object* labels) {
  std::string out;
  if (labels == nullptr) return or_none(out);
  for (const auto& [key, value] : *labels)
    out += fmt::format("{}{}={}", out.empty() ? "" : ",", std::string_view(key),
                       value.is_string() ? std::string_view(value.as_string()) : "");
  return or_none(out);
}

std::string joined(const std::vector<const json::object*>& containers, std::string_view field) {
  std::string out;
  for (const auto* container : containers)
    out += (out.empty() ? "" : ",") + text_at(*container, {field});
  return or_none(out);
}

// Nodes.

std::string node_status(const json::object& node) {
  std::string status = "Unknown";
  for (const auto* condition : objects_at(node, {"status", "conditions"}))
    if (text_at(*condition, {"type"}) == "Ready")
      status = text_at(*condition, {"status"}) == "True" ? "Ready" : "NotReady";
  return true_at(node, {"spec", "unschedulable"}) ? status + ",SchedulingDisabled" : status;
}

std::string node_roles(const json::object& node) {
  constexpr std::string_view kRole = "node-role.kubernetes.io/";
  std::string roles;
  if (const auto* labels = object_at(node, {"metadata", "labels"}))
    for (const auto& [key, value] : *labels)
      if (std::string_view(key).starts_with(kRole))
        roles +=
            (roles.empty() ? "" : ",") + std::string{std::string_view(key).substr(kRole.size())};
  return or_none(roles);
}

std::string node_address(const json::object& node, std::string_view type) {
  for (const auto* address : objects_at(node, {"status", "addresses"}))
    if (text_at(*address, {"type"}) == type) return text_at(*address, {"address"});
  return "<none>";
}

json::array node_cells(const json::object& node, const std::string& age) {
  const auto info = [&](std::string_view field) {
    const auto text = text_at(node, {"status", "nodeInfo", field});
    return text.empty() ? std::string{"<unknown>"} : text;
  };
  return {name_of(node),
          node_status(node),
          node_roles(node),
          age,
          text_at(node, {"status", "nodeInfo", "kubeletVersion"}),
          node_address(node, "InternalIP"),
          node_address(node, "ExternalIP"),
          info("osImage"),
          info("kernelVersion"),
          info("containerRuntimeVersion")};
}

// Pods.

std::string pod_status(const json::object& pod) {
  std::string status = text_at(pod, {"status", "phase"});
  if (const auto reason = text_at(pod, {"status", "reason"}); !reason.empty()) status = reason;
  for (const auto* container : objects_at(pod, {"status", "containerStatuses"})) {
    const auto waiting = text_at(*container, {"state", "waiting", "reason"});
    const auto ended = text_at(*container, {"state", "terminated", "reason"});
    if (!waiting.empty())
      status = waiting;
    else if (!ended.empty())
      status = ended;
  }
  return text_at(pod, {"metadata", "deletionTimestamp"}).empty() ? status : "Terminating";
}

json::array pod_cells(const json::object& pod, const std::string& age) {
  std::int64_t ready = 0;
  std::int64_t restarts = 0;
  for (const auto* container : objects_at(pod, {"status", "containerStatuses"})) {
    ready += true_at(*container, {"ready"}) ? 1 : 0;
    restarts += number_at(*container, {"restartCount"});
  }
  return {name_of(pod),
          fmt::format("{}/{}", ready, array_at(pod, {"spec", "containers"}).size()),
          pod_status(pod),
          std::to_string(restarts),
          age,
          or_none(text_at(pod, {"status", "podIP"})),
          or_none(text_at(pod, {"spec", "nodeName"})),
          or_none(text_at(pod, {"status", "nominatedNodeName"})),
          "<none>"};
}

json::array daemon_set_cells(const json::object& set, const std::string& age) {
  const auto count = [&](std::string_view field) { return number_at(set, {"status", field}); };
  const auto containers = objects_at(set, {"spec", "template", "spec", "containers"});
  return {name_of(set),
          count("desiredNumberScheduled"),
          count("currentNumberScheduled"),
          count("numberReady"),
          count("updatedNumberScheduled"),
          count("numberAvailable"),
          joined(object_at(set, {"spec", "template", "spec", "nodeSelector"})),
          age,
          joined(containers, "name"),
          joined(containers, "image"),
          joined(object_at(set, {"spec", "selector", "matchLabels"}))};
}

json::array namespace_cells(const json::object& object, const std::string& age) {
  const auto phase = text_at(object, {"status", "phase"});
  return {name_of(object), phase.empty() ? "Active" : phase, age};
}

std::size_t data_count(const json::object& object) {
  std::size_t count = 0;
  for (const auto* field : {"data", "binaryData"})
    if (const auto* data = object_at(object, {field})) count += data->size();
  return count;
}

json::array config_map_cells(const json::object& object, const std::string& age) {
  return {name_of(object), data_count(object), age};
}

json::array secret_cells(const json::object& object, const std::string& age) {
  return {name_of(object), text_at(object, {"type"}), data_count(object), age};
}

json::array other_cells(const json::object& object, const std::string& age) {
  return {name_of(object), age};
}

const Layout& layout_of(const kube::Resource& resource) {
  static const std::string kInt = "integer";
  static const std::vector<Layout> layouts{
      {"nodes",
       {{"Name"},
        {"Status"},
        {"Roles"},
        {"Age"},
        {"Version"},
        {"Internal-IP", "string", 1},
        {"External-IP", "string", 1},
        {"OS-Image", "string", 1},
        {"Kernel-Version", "string", 1},
        {"Container-Runtime", "string", 1}},
       node_cells},
      {"pods",
       {{"Name"},
        {"Ready"},
        {"Status"},
        {"Restarts"},
        {"Age"},
        {"IP", "string", 1},
        {"Node", "string", 1},
        {"Nominated Node", "string", 1},
        {"Readiness Gates", "string", 1}},
       pod_cells},
      {"daemonsets.apps",
       {{"Name"},
        {"Desired", kInt},
        {"Current", kInt},
        {"Ready", kInt},
        {"Up-to-date", kInt},
        {"Available", kInt},
        {"Node Selector"},
        {"Age"},
        {"Containers", "string", 1},
        {"Images", "string", 1},
        {"Selector", "string", 1}},
       daemon_set_cells},
      {"namespaces", {{"Name"}, {"Status"}, {"Age"}}, namespace_cells},
      {"configmaps", {{"Name"}, {"Data"}, {"Age"}}, config_map_cells},
      {"secrets", {{"Name"}, {"Type"}, {"Data"}, {"Age"}}, secret_cells},
      {"", {{"Name"}, {"Age"}}, other_cells},
  };
  const auto key =
      resource.group.empty() ? resource.plural : resource.plural + "." + resource.group;
  const auto found = std::find_if(layouts.begin(), layouts.end() - 1,
                                  [&](const Layout& layout) { return layout.plural == key; });
  return *found;
}

}  // namespace

json::array table_columns(const kube::Resource& resource) {
  json::array columns;
  for (const auto& column : layout_of(resource).columns)
    columns.push_back({{"name", column.name},
                       {"type", column.type},
                       {"format", column.name == "Name" ? "name" : ""},
                       {"description", ""},
                       {"priority", column.priority}});
  return columns;
}

json::array table_cells(const kube::Resource& resource, const json::object& object, TimePoint now) {
  const auto created = time_at(object, {"metadata", "creationTimestamp"});
  return layout_of(resource).cells(object, created ? short_age(now - *created) : "<unknown>");
}

std::string short_age(Duration age) {
  using std::chrono::seconds;
  const auto total = std::max<std::int64_t>(0, std::chrono::duration_cast<seconds>(age).count());
  const auto minutes = total / 60;
  const auto hours = minutes / 60;
  const auto days = hours / 24;
  const auto both = [](std::int64_t large, char unit, std::int64_t small, char small_unit) {
    return small == 0 ? fmt::format("{}{}", large, unit)
                      : fmt::format("{}{}{}{}", large, unit, small, small_unit);
  };
  if (total < 120) return fmt::format("{}s", total);
  if (minutes < 10) return both(minutes, 'm', total % 60, 's');
  if (hours < 3) return fmt::format("{}m", minutes);
  if (hours < 8) return both(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return fmt::format("{}h", hours);
  if (days < 8) return both(days, 'd', hours % 24, 'h');
  return fmt::format("{}d", days);
}

}  // namespace catflap::sim
