#include "look/consumers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "look/calico.hpp"

namespace catflap::look {
namespace {

constexpr std::size_t kMostConsumers = 100;
constexpr std::size_t kMostByHand = 20;  // Services without a selector whose endpoints are read

const kube::Resource kServices{"", "v1", "services"};
const kube::Resource kEndpointSlices{"discovery.k8s.io", "v1", "endpointslices"};
constexpr const char* kPrometheusOperator = "monitoring.coreos.com";
constexpr const char* kVictoriaMetrics = "operator.victoriametrics.com";

/// A DaemonSet's Felixes as a selector and a port see them.
struct Target {
  const DaemonSetFacts* daemon_set = nullptr;
  const json::object* labels = nullptr;  // of its pods
  std::set<std::int64_t> numbers;        // of the metrics port
  std::set<std::string> names;           // that its containers give to such a port

  [[nodiscard]] std::string name() const {
    return fmt::format("DaemonSet {}/{}", daemon_set->namespace_, daemon_set->name);
  }
};

/// A Service that leads to Felix, and its ports that do, by name.
struct Way {
  std::string namespace_;
  std::string name;
  json::object labels;
  std::vector<std::string> ports;
  const Target* target = nullptr;
};

std::optional<std::int64_t> number_of(const json::value& port) {
  if (port.is_int64()) return port.get_int64();
  if (!port.is_string()) return std::nullopt;
  const std::string_view text = port.get_string();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// A port as a number, a number in quotes, or a name.
bool leads_to(const json::value* port, const Target& target) {
  if (port == nullptr) return false;
  if (const auto number = number_of(*port)) return target.numbers.contains(*number);
  return port->is_string() && target.names.contains(std::string{port->get_string()});
}

std::string shown(const json::value* port) {
  if (port == nullptr) return "";
  return printable(port->is_string() ? std::string{port->get_string()} : json::serialize(*port),
                   63);
}

Target target_of(const DaemonSetFacts& daemon_set, const ClusterFacts& facts) {
  Target target{.daemon_set = &daemon_set,
                .labels = object_at(daemon_set.object, {"spec", "template", "metadata", "labels"})};
  const auto add = [&](const Declared& declared) {
    target.numbers.insert(declared.port.value.value_or(kDefaultMetricsPort));
  };
  add(daemon_set.template_declared);
  for (const auto& pod : facts.pods) {
    if (pod.namespace_ == daemon_set.namespace_ && pod.daemon_set == daemon_set.name)
      add(pod.declared);
  }
  for (const auto* container :
       objects_at(daemon_set.object, {"spec", "template", "spec", "containers"})) {
    for (const auto* port : objects_at(*container, {"ports"})) {
      if (target.numbers.contains(number_at(*port, {"containerPort"})))
        target.names.insert(text_at(*port, {"name"}));
    }
  }
  target.names.erase("");
  return target;
}

class ConsumerReader {
 public:
  ConsumerReader(kube::Api& api, const std::set<std::string>& groups, const ClusterFacts& facts,
                 Surroundings& around)
      : api_(api), groups_(groups), facts_(facts), around_(around) {
    for (const auto& daemon_set : facts.daemon_sets)
      targets_.push_back(target_of(daemon_set, facts));
  }

  Result<void> run() {
    for (const Target& target : targets_) add_annotations(target);
    TRY(read_services());
    TRY(read_monitors(kPrometheusOperator, "v1", "servicemonitors", "ServiceMonitor"));
    TRY(read_pod_monitors(kPrometheusOperator, "v1", "podmonitors", "PodMonitor"));
    TRY(read_monitors(kVictoriaMetrics, "v1beta1", "vmservicescrapes", "VMServiceScrape"));
    TRY(read_pod_monitors(kVictoriaMetrics, "v1beta1", "vmpodscrapes", "VMPodScrape"));
    return read_node_scrapes();
  }

 private:
  void add(Consumer consumer) {
    if (around_.consumers.size() < kMostConsumers) around_.consumers.push_back(std::move(consumer));
  }

  static Consumer consumer_of(const char* kind, const json::object& object, std::string port,
                              std::string via) {
    return {.kind = kind,
            .namespace_ = text_at(object, {"metadata", "namespace"}),
            .name = text_at(object, {"metadata", "name"}),
            .port = std::move(port),
            .via = std::move(via)};
  }

  /// Each object of that kind, if it is served. What may not be read is noted.
  Result<void> each(const kube::Resource& resource, const char* kind,
                    const std::function<void(const json::object&)>& take) {
    const bool own = resource.group.find('.') == std::string::npos;
    if (!own && !groups_.contains(resource.group)) return {};
    const std::size_t before = around_.consumers.size();
    const auto forget = [&] {
      around_.consumers.resize(before);
      if (resource != kServices) return;
      ways_.clear();
      by_hand_.clear();
    };
    const auto listed =
        api_.list({.resource = resource}, forget, [&](json::object&& object) { take(object); });
    if (listed.has_value()) return {};
    if (ends_the_run(listed.error())) return listed.error();
    if (listed.error().kind == ErrorKind::not_found) return {};
    forget();
    around_.consumers_not_known.push_back({kind, to_string(listed.error())});
    return {};
  }

  void add_annotations(const Target& target) {
    const auto annotation = [&](const char* name) {
      return text_at(target.daemon_set->object,
                     {"spec", "template", "metadata", "annotations", name});
    };
    const auto port = annotation("prometheus.io/port");
    if (annotation("prometheus.io/scrape") != "true") return;
    const json::value number(port);
    if (!port.empty() && !leads_to(&number, target)) return;
    add({.kind = "Annotations",
         .namespace_ = target.daemon_set->namespace_,
         .name = target.daemon_set->name,
         .port = printable(port, 63),
         .via = target.name()});
  }

  Result<void> read_services() {
    TRY(each(kServices, "Service", [&](const json::object& service) {
      const auto* selector = object_at(service, {"spec", "selector"});
      if (selector == nullptr || selector->empty()) {
        if (by_hand_.size() < kMostByHand && any_port_leads(service)) by_hand_.push_back(service);
        return;
      }
      for (const Target& target : targets_) {
        if (text_at(service, {"metadata", "namespace"}) != target.daemon_set->namespace_) continue;
        const json::object chosen{{"matchLabels", *selector}};
        if (selects(&chosen, target.labels)) take_service(service, target);
      }
    }));
    for (const auto& service : by_hand_) TRY(read_endpoints(service));
    return {};
  }

  static const json::value* port_behind(const json::object& port) {
    const auto* behind = port.if_contains("targetPort");
    return behind != nullptr ? behind : port.if_contains("port");
  }

  bool any_port_leads(const json::object& service) const {
    return std::ranges::any_of(objects_at(service, {"spec", "ports"}), [&](const auto* port) {
      return std::ranges::any_of(
          targets_, [&](const Target& target) { return leads_to(port_behind(*port), target); });
    });
  }

  void take_service(const json::object& service, const Target& target) {
    Way way{.namespace_ = text_at(service, {"metadata", "namespace"}),
            .name = text_at(service, {"metadata", "name"}),
            .labels = {},
            .ports = {},
            .target = &target};
    if (const auto* labels = object_at(service, {"metadata", "labels"})) way.labels = *labels;
    std::string port_text;
    for (const auto* port : objects_at(service, {"spec", "ports"})) {
      if (!leads_to(port_behind(*port), target)) continue;
      way.ports.push_back(text_at(*port, {"name"}));
      port_text = shown(port_behind(*port));
    }
    if (way.ports.empty() || ways_.size() == kMostConsumers) return;
    ways_.push_back(std::move(way));
    add(consumer_of("Service", service, port_text, target.name()));
  }

  /// A Service without a selector, whose endpoints somebody writes by hand: are nodes among them?
  Result<void> read_endpoints(const json::object& service) {
    const auto name = text_at(service, {"metadata", "name"});
    bool found = false;
    const auto listed = api_.list(
        {.resource = kEndpointSlices,
         .namespace_ = text_at(service, {"metadata", "namespace"}),
         .label_selector = "kubernetes.io/service-name=" + name},
        [&] { found = false; }, [&](json::object&& slice) { found = found || on_nodes(slice); });
    if (!listed.has_value() && ends_the_run(listed.error())) return listed.error();
    if (!listed.has_value() && listed.error().kind != ErrorKind::not_found) {
      around_.consumers_not_known.push_back(
          {"EndpointSlice of " + name, to_string(listed.error())});
    } else if (found) {
      for (const Target& target : targets_) take_service(service, target);
    }
    return {};
  }

  bool on_nodes(const json::object& slice) const {
    for (const auto* endpoint : objects_at(slice, {"endpoints"})) {
      for (const auto& value : array_at(*endpoint, {"addresses"})) {
        const auto address =
            value.is_string() ? IpAddress::parse(std::string{value.get_string()}) : std::nullopt;
        const bool known =
            address && std::ranges::any_of(facts_.nodes, [&](const auto& node) {
              return std::ranges::find(node.addresses, *address, &NodeAddress::address) !=
                     node.addresses.end();
            });
        if (known) return true;
      }
    }
    return false;
  }

  /// Is that namespace among those that the monitor looks into? Without a word, its own.
  static bool looks_into(const json::object& monitor, const std::string& namespace_) {
    if (true_at(monitor, {"spec", "namespaceSelector", "any"})) return true;
    const auto& names = array_at(monitor, {"spec", "namespaceSelector", "matchNames"});
    if (names.empty()) return text_at(monitor, {"metadata", "namespace"}) == namespace_;
    return std::ranges::find(names, json::value(namespace_)) != names.end();
  }

  Result<void> read_monitors(const char* group, const char* version, const char* plural,
                             const char* kind) {
    return each({group, version, plural}, kind, [&](const json::object& monitor) {
      for (const Way& way : ways_) {
        if (!looks_into(monitor, way.namespace_) ||
            !selects(object_at(monitor, {"spec", "selector"}), &way.labels))
          continue;
        for (const auto* endpoint : objects_at(monitor, {"spec", "endpoints"})) {
          const auto port = text_at(*endpoint, {"port"});
          const bool by_name =
              !port.empty() && std::ranges::find(way.ports, port) != way.ports.end();
          const auto* behind = endpoint->if_contains("targetPort");
          if (!by_name && !leads_to(behind, *way.target)) continue;
          add(consumer_of(kind, monitor, by_name ? printable(port, 63) : shown(behind),
                          "Service " + way.namespace_ + "/" + way.name));
          return;
        }
      }
    });
  }

  Result<void> read_pod_monitors(const char* group, const char* version, const char* plural,
                                 const char* kind) {
    return each({group, version, plural}, kind, [&](const json::object& monitor) {
      for (const Target& target : targets_) {
        if (!looks_into(monitor, target.daemon_set->namespace_) ||
            !selects(object_at(monitor, {"spec", "selector"}), target.labels))
          continue;
        for (const auto* endpoint : objects_at(monitor, {"spec", "podMetricsEndpoints"})) {
          for (const auto* key : {"port", "portNumber", "targetPort"}) {
            const auto* port = endpoint->if_contains(key);
            if (!leads_to(port, target)) continue;
            add(consumer_of(kind, monitor, shown(port), target.name()));
            return;
          }
        }
      }
    });
  }

  Result<void> read_node_scrapes() {
    return each({kVictoriaMetrics, "v1beta1", "vmnodescrapes"}, "VMNodeScrape",
                [&](const json::object& scrape) {
                  const auto* port = value_at(scrape, {"spec", "port"});
                  for (const Target& target : targets_) {
                    if (!leads_to(port, target)) continue;
                    add(consumer_of("VMNodeScrape", scrape, shown(port), "the nodes"));
                    return;
                  }
                });
  }

  kube::Api& api_;
  const std::set<std::string>& groups_;
  const ClusterFacts& facts_;
  Surroundings& around_;
  std::vector<Target> targets_;
  std::vector<Way> ways_;
  std::vector<json::object> by_hand_;
};

bool requirement_holds(const json::object& requirement, const json::object* labels) {
  const auto key = text_at(requirement, {"key"});
  const auto op = text_at(requirement, {"operator"});
  const auto* value = labels == nullptr ? nullptr : labels->if_contains(key);
  const auto& values = array_at(requirement, {"values"});
  const bool listed = value != nullptr && std::ranges::find(values, *value) != values.end();
  if (op == "In") return listed;
  if (op == "NotIn") return !listed;
  if (op == "Exists") return value != nullptr;
  return op == "DoesNotExist" && value == nullptr;
}

}  // namespace

bool selects(const json::object* selector, const json::object* labels) {
  if (selector == nullptr) return true;
  if (const auto* wanted = object_at(*selector, {"matchLabels"})) {
    for (const auto& [key, value] : *wanted) {
      const auto* have = labels == nullptr ? nullptr : labels->if_contains(key);
      if (have == nullptr || *have != value) return false;
    }
  }
  return std::ranges::all_of(
      objects_at(*selector, {"matchExpressions"}),
      [&](const auto* requirement) { return requirement_holds(*requirement, labels); });
}

Result<void> read_consumers(kube::Api& api, const std::set<std::string>& groups,
                            const ClusterFacts& facts, Surroundings& around) {
  return ConsumerReader{api, groups, facts, around}.run();
}

}  // namespace catflap::look
