// The controller of Jobs, as far as catflap's agent needs it: one pod a Job, refused by PodSecurity
// where the namespace says so; a bound in time; and the Job goes some time after it has ended.
#pragma once

#include "sim/settings.hpp"
#include "sim/store.hpp"

namespace catflap::sim {

class Jobs {
 public:
  explicit Jobs(Store& store) : store_(store) {}

  /// Returns when it will act by itself.
  TimePoint tick();

 private:
  TimePoint tick_job(const json::object& job);
  void make_pod(const json::object& job);
  void refuse(const json::object& job, const std::string& why);
  void end(const json::object& job, const char* type, const char* reason);
  void collect();

  Store& store_;
  int pods_ = 0;
};

}  // namespace catflap::sim
