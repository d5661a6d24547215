// Plan: the exact writes, in order, and what each of them does to the cluster.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "core/model/verdict.hpp"

namespace catflap {

enum class Restart {
  none,      // masked by a higher layer, or the value does not change
  rolling,   // new pods, at the DaemonSet's pace
  in_place,  // every Felix exits and starts again inside its pod, all at about the same moment
};

/// What a step changes. One object, one field.
struct Target {
  std::string api_version;  // apps/v1, crd.projectcalico.org/v1
  std::string kind;         // DaemonSet, FelixConfiguration
  std::string namespace_;
  std::string name;
  std::string uid;
  std::string container;  // DaemonSet only
  std::string field;      // env, spec.prometheusMetricsEnabled,
                          // metadata.annotations[config.projectcalico.org/PrometheusMetricsEnabled]
  friend bool operator==(const Target&, const Target&) = default;
};

/// The touched field, whole: for `env` the container's complete list (order and duplicates kept);
/// null: absent.
struct Change {
  Target target;
  json::value before;
  json::value after;
  std::string resource_version;  // that the decision was made on
};

struct Step {
  std::string id;  // disable-env, disable-felixconfiguration-default …
  Change change;
  Restart restart = Restart::none;
  std::vector<std::string> nodes;  // that restart because of it
  Message title;
  std::string by_hand;  // the kubectl command that does the same
};

/// A reason to decline (exit 5) with what to do instead.
struct Refusal {
  Message message;
  std::vector<std::string> remedy_lines;  // ready to paste
};

struct Plan {
  std::vector<Step> steps;
  std::vector<Refusal> refusals;
  std::vector<Message> warnings;
  std::vector<Message> findings;
  std::vector<Message> breaks;  // who scrapes the endpoint
  std::vector<Message> stays_up;
  Duration expected{};  // rough time until the last node is done; 0: not known
  int restarting_nodes = 0;
  std::string digest;  // of the inputs, to notice that they changed
};

[[nodiscard]] const char* to_string(Restart restart);  // none, rolling, in-place

}  // namespace catflap
