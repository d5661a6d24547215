// start_watch: list, then watch from there, for as long as the handle lives.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kube/api.hpp"
#include "kube/loop.hpp"
#include "kube/transport.hpp"

namespace catflap::kube {

constexpr int kWatchSeconds = 60;  // the server ends each watch then, so a hung one is noticed soon
constexpr Duration kWatchSilence = std::chrono::seconds{kWatchSeconds + 15};

/// Runs in the background of `loop`; both must outlive the loop's last run. Events as api.hpp says.
/// An object that vanished while nobody watched comes as `deleted` with metadata {namespace, name,
/// uid} only. `silence`: a watch on which nothing comes for so long is broken off and begun again.
[[nodiscard]] std::unique_ptr<Watch> start_watch(Loop& loop, Transport& transport,
                                                 const ListQuery& query,
                                                 std::function<void(const WatchEvent&)> on_event,
                                                 Duration silence = kWatchSilence);

constexpr std::size_t kMaxWatchLine = 4u << 20;

/// One line of a watch stream.
struct WatchLine {
  enum class Type { added, modified, deleted, bookmark, error } type = Type::bookmark;
  json::object object;
  std::string resource_version;
  int error_code = 0;      // of an error's Status
  std::string error_text;  // and its message
};

/// malformed_input if it is none. Pure.
[[nodiscard]] Result<WatchLine> parse_watch_line(std::string_view line);

}  // namespace catflap::kube
