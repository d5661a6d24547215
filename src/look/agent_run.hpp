// Has Jobs run and brings home what their pods printed. Not more than a few at once, each bounded
// in time, and each taken away as soon as it has answered.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "look/agent_job.hpp"
#include "look/look.hpp"

namespace catflap::look {

struct AgentAnswer {
  std::string code;  // "": it has answered; else a reason of the catalogue
  std::string why;
  std::string log;       // everything that it printed, believed in nothing
  TimePoint asked{};     // before the Job was made
  TimePoint received{};  // when the log was here
};

/// Handed over as they come, in any order: thousands of nodes print more than one keeps.
using TakeAnswer = std::function<void(std::size_t job, AgentAnswer&& answer)>;

struct AgentPace {
  std::size_t at_once = 64;
  std::size_t a_second = 20;  // are begun; each is three requests in all: create, log, delete
};

struct AgentOutcome {
  /// Jobs that have an answer or a reason why not; fewer than there are after a stop request.
  std::size_t done = 0;
  /// Why not one Job could be made; then nothing was tried.
  std::optional<Error> refused;
};

/// `progress(done)` is called every now and then. A stop request ends it early; the Jobs are taken
/// away then, too. First it takes away what earlier runs have left behind.
[[nodiscard]] AgentOutcome run_agents(const LookContext& context, const std::string& namespace_,
                                      const std::vector<AgentJob>& jobs, const AgentPace& pace,
                                      Duration clock_skew, const TakeAnswer& take,
                                      const std::function<void(std::size_t)>& progress);

}  // namespace catflap::look
