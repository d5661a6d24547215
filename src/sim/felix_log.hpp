// What a Felix writes to its standard output about its metrics: lines of Calico v3.30.1, as
// kubectl logs shows them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "core/model/declared.hpp"
#include "sim/api_reply.hpp"

namespace catflap::sim {

struct LogLine {
  TimePoint at;
  std::string text;
};

/// What a client asks of a container's log.
struct LogRequest {
  std::string namespace_, pod, container;
  std::optional<std::uint64_t> tail;  // the last so many lines
  std::optional<TimePoint> since;
  std::optional<std::uint64_t> bytes;  // the first so many
  bool timestamps = false;
  bool previous = false;
};

using LogHandler = std::function<Reply(const LogRequest& request)>;

[[nodiscard]] std::string log_text(const std::vector<LogLine>& lines, const LogRequest& request);

/// The log of one container, over the starts of Felix in it. Bounded: the oldest lines go.
class FelixLog {
 public:
  void read_settings(TimePoint now, int pid, const Declared& declared);
  void serves(TimePoint now, int pid);
  void listens(TimePoint now, int pid, const std::string& host, int port);
  void fails_to_listen(TimePoint now, int pid, const std::string& why);
  void restarts(TimePoint now, int pid);
  [[nodiscard]] const std::vector<LogLine>& lines() const { return lines_; }

 private:
  void add(TimePoint now, int pid, std::string_view level, std::string_view place,
           std::string_view message);

  std::vector<LogLine> lines_;
};

}  // namespace catflap::sim
