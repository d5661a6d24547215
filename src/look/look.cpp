#include "look/look.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/text.hpp"
#include "look/vantage.hpp"

namespace catflap::look {
namespace {

struct VantageRow {
  const char* name;
  RunVantage run;
};
// Weakest footprint first; in this order they are used, whatever the order asked for.
constexpr VantageRow kVantages[] = {{"direct", look_direct},
                                    {"apiserver", look_apiserver},
                                    {"portforward", look_portforward},
                                    {"exec", look_exec}};

void add_port(std::set<Port>& ports, const Declared& declared) {
  const auto value = declared.port.value;
  if (value && *value > 0 && *value <= 65535) ports.insert(static_cast<Port>(*value));
}

template <class T>
void append(std::vector<T>& to, std::vector<T>&& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

Result<void> check_names(const std::vector<std::string>& asked) {
  const auto known = vantage_names();
  for (const auto& name : asked) {
    if (std::ranges::find(known, name) != known.end() || parse_pod_vantage(name)) continue;
    std::string list;
    for (const auto& each : known) list += (list.empty() ? "" : ", ") + each;
    const auto near = nearest(name, known);
    return Error{.kind = ErrorKind::usage,
                 .what = fmt::format("unknown vantage point \"{}\"", printable(name, 64)),
                 .hint = near.empty() ? fmt::format("known are {}", list)
                                      : fmt::format("did you mean {}? Known are {}", near, list)};
  }
  return {};
}

}  // namespace

std::vector<Port> ports_of(const ClusterFacts& facts, const std::string& node) {
  std::set<Port> ports{kDefaultMetricsPort};
  for (const auto& pod : facts.pods) {
    if (pod.node == node) add_port(ports, pod.declared);
  }
  // A Felix whose pod object is gone already, or not there yet, listens where its DaemonSet says.
  for (const auto& daemon_set : facts.daemon_sets) add_port(ports, daemon_set.template_declared);
  return {ports.begin(), ports.end()};
}

std::vector<std::string> vantage_names() {
  std::vector<std::string> names;
  for (const auto& row : kVantages) names.emplace_back(row.name);
  return names;
}

Result<Look> look(const LookContext& context, const ClusterFacts& facts,
                  const LookOptions& options) {
  TRY(check_names(options.vantages));
  Look all;
  all.started = context.clock.now();
  const auto add = [&](Look one) {
    append(all.reached, std::move(one.reached));
    append(all.controls, std::move(one.controls));
    append(all.inside, std::move(one.inside));
    append(all.skipped, std::move(one.skipped));
  };
  for (const auto& row : kVantages) {
    const bool asked = std::ranges::find(options.vantages, row.name) != options.vantages.end();
    if (asked && !context.stop.stop_requested()) add(row.run(context, facts, options));
  }
  std::set<std::string> pods;
  for (const auto& name : options.vantages) {
    const bool asked = parse_pod_vantage(name) && pods.insert(name).second;
    if (asked && !context.stop.stop_requested()) add(look_pod(context, facts, options, name));
  }
  if (context.stop.stop_requested()) {
    return Error{.kind = ErrorKind::interrupted, .what = "stopped while looking at the nodes"};
  }
  all.finished = context.clock.now();
  return all;
}

}  // namespace catflap::look
