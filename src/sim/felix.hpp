// One Felix process in its container, in time: when it listens, when it starts anew, what it does
// about a port that is taken.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "sim/felix_log.hpp"
#include "sim/felix_settings.hpp"
#include "sim/settings.hpp"
#include "sim/sockets.hpp"

namespace catflap::sim {

class Felix {
 public:
  Felix(Store& store, Sockets& sockets, const Settings& settings, FelixContainer container);
  /// Killed: what it listened on is free at once.
  ~Felix();
  Felix(const Felix&) = delete;
  Felix& operator=(const Felix&) = delete;

  /// Returns when something happens by itself again.
  TimePoint tick();

  [[nodiscard]] int starts() const { return starts_; }
  [[nodiscard]] TimePoint started() const { return started_; }
  [[nodiscard]] bool runs() const { return settings_.runs; }
  [[nodiscard]] bool listens() const { return metrics_.has_value(); }
  [[nodiscard]] const FelixContainer& container() const { return container_; }
  [[nodiscard]] const FelixLog& log() const { return log_; }
  /// Of the process as it runs now.
  [[nodiscard]] int pid() const { return 100 + starts_; }

 private:
  void start();
  void stop();
  void listen();
  void follow(FelixSettings declared);
  [[nodiscard]] Duration listens_after() const;
  [[nodiscard]] bool open_metrics();
  void log_settings();
  [[nodiscard]] std::optional<std::string> file() const;
  [[nodiscard]] FelixSettings settings_now() const;
  [[nodiscard]] std::string watched() const;

  Store& store_;
  Sockets& sockets_;
  const Settings& world_;
  FelixContainer container_;
  FelixSettings settings_;
  std::string seen_;  // versions of what it watches
  FelixLog log_;
  int starts_ = 0;
  TimePoint started_{};
  std::optional<TimePoint> listens_at_;   // or tries to, again
  std::optional<TimePoint> restarts_at_;  // in place
  std::optional<std::uint64_t> health_;
  std::optional<std::uint64_t> metrics_;
};

}  // namespace catflap::sim
