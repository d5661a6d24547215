// Options: what a command runs with. Made from flags, environment and the policy file; every
// problem is reported at once.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/flags.hpp"
#include "base/secret.hpp"
#include "core/model/verdict.hpp"
#include "core/plan/plan.hpp"

namespace catflap::app {

struct Command;

enum class Output { text, wide, json, yaml, name };
enum class ColorWhen { automatic, always, never };
enum class DryRun { none, client, server };

/// kubectl's connection flags; empty means not given.
struct ConnectFlags {
  std::string kubeconfig, context, cluster, user, namespace_;
  std::string as;
  std::vector<std::string> as_groups;
  std::optional<Duration> request_timeout;  // 0: none
  Secret token;
  std::string server, tls_server_name;
  bool insecure_skip_tls_verify = false;
};

/// How `probe` asks, and what.
struct ProbeFlags {
  std::string file;  // "": none, "-": stdin
  std::size_t concurrency = 256;
  int retries = 0;
  double rate = 0;  // per second; 0: unbounded
  std::optional<IpAddress> source;
};

struct Options {
  const Command* command = nullptr;
  std::string program = "catflap";
  std::vector<std::string> arguments;  // words after the command
  ConnectFlags connect;
  Output output = Output::text;
  ColorWhen color = ColorWhen::automatic;
  bool quiet = false;
  std::vector<std::string> from;  // vantage points; empty: the command's default
  std::string image;              // catflap's, for the vantage point agent
  Policy policy;
  Duration settle{std::chrono::seconds{10}};
  std::optional<Duration> timeout;
  PlanOptions plan;
  std::string plan_file;
  DryRun dry_run = DryRun::none;
  std::string ticket, reason;
  bool yes = false;
  std::string evidence_file;
  bool list = false;
  bool serve = false;
  std::string scenario_file;
  std::string observations;  // a folder
  std::vector<Port> ports;
  std::string netns;
  bool check = false;
  bool all_owners = false;
  ProbeFlags probe;
};

struct Resolved {
  Options options;
  std::vector<Error> errors;  // all of them; empty: ready to run
};

using ReadFile = Result<std::string> (*)(const std::string& path);

/// `command` is the row that flags.words[0] names. `read_file` reads the policy.
[[nodiscard]] Resolved resolve_options(const Command& command, const Flags& flags,
                                       ReadFile read_file);

}  // namespace catflap::app
