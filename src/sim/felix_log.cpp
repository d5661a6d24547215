// C (v3.30.1): felix/config/config_params.go, felix/daemon/daemon.go,
// libcalico-go/lib/metricsserver/metrics_server.go, libcalico-go/lib/logutils.
#include "sim/felix_log.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace catflap::sim {

namespace {

constexpr std::size_t kMostLines = 1000;

std::string_view source_name(Layer layer) {
  switch (layer) {
    case Layer::env:
      return "environment variable";
    case Layer::file:
      return "config file";
    case Layer::fc_node:
    case Layer::fc_selector:
      return "datastore (per-host)";
    case Layer::fc_default:
      return "datastore (global)";
    case Layer::compiled:
    case Layer::build:
      break;
  }
  return "<default>";
}

std::string shown(bool value) {
  return value ? "true" : "false";
}
std::string shown(int value) {
  return std::to_string(value);
}
std::string shown(const std::string& value) {
  return value;
}

}  // namespace

void FelixLog::add(TimePoint now, int pid, std::string_view level, std::string_view place,
                   std::string_view message) {
  auto time = to_rfc3339(now);
  time[time.find('T')] = ' ';
  time.pop_back();
  if (lines_.size() == kMostLines) lines_.erase(lines_.begin());
  lines_.push_back(
      {now, fmt::format("{} [{}][{}] felix/{}: {}", time, level, pid, place, message)});
}

void FelixLog::read_settings(TimePoint now, int pid, const Declared& declared) {
  const auto info = [&](int line, const std::string& message) {
    add(now, pid, "INFO", fmt::format("config_params.go {}", line), message);
  };
  const auto tell = [&](std::string_view name, const auto& param) {
    const auto from = source_name(param.layer);
    if (param.layer != Layer::compiled && param.layer != Layer::build && param.value) {
      info(758, fmt::format("Parsing value for {}: {} (from {})", name, param.raw, from));
      if (param.invalid)
        add(now, pid, "WARNING", "config_params.go 787",
            fmt::format("Replacing invalid value with default default={} source={}",
                        shown(*param.value), from));
      info(794, fmt::format("Parsed value for {}: {} (from {})", name, shown(*param.value), from));
    }
    for (const auto& masked : param.masked) {
      if (masked.layer == Layer::compiled || masked.layer == Layer::build) continue;
      const auto below = source_name(masked.layer);
      info(758, fmt::format("Parsing value for {}: {} (from {})", name, masked.raw, below));
      info(797, fmt::format("Skipping config value for {} from {}; already have a value from {}",
                            name, below, from));
    }
  };
  tell("PrometheusMetricsEnabled", declared.enabled);
  tell("PrometheusMetricsPort", declared.port);
  tell("PrometheusMetricsHost", declared.host);
}

void FelixLog::serves(TimePoint now, int pid) {
  add(now, pid, "INFO", "daemon.go 727", "Prometheus metrics enabled.  Starting server.");
}

void FelixLog::listens(TimePoint now, int pid, const std::string& host, int port) {
  add(now, pid, "INFO", "metrics_server.go 35",
      fmt::format("Starting prometheus metrics endpoint host=\"{}\" port={}", host, port));
}

void FelixLog::fails_to_listen(TimePoint now, int pid, const std::string& why) {
  add(now, pid, "ERROR", "metrics_server.go 37",
      fmt::format("Prometheus metrics endpoint failed, trying to restart it... error={}", why));
}

void FelixLog::restarts(TimePoint now, int pid) {
  add(now, pid, "WARNING", "daemon.go 826", "Felix is shutting down reason=\"config changed\"");
}

std::string log_text(const std::vector<LogLine>& lines, const LogRequest& request) {
  std::vector<std::string> chosen;
  for (const auto& line : lines)
    if (!request.since || line.at >= *request.since)
      chosen.push_back((request.timestamps ? to_rfc3339(line.at) + " " : "") + line.text + "\n");
  const auto from =
      request.tail && *request.tail < chosen.size() ? chosen.size() - *request.tail : 0;
  std::string text;
  for (std::size_t i = from; i < chosen.size(); ++i) text += chosen[i];
  return request.bytes ? text.substr(0, *request.bytes) : text;
}

}  // namespace catflap::sim
