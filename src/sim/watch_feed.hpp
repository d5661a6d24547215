// One client's watch: turns the store's history into watch lines. Pure; the connection asks for
// more whenever the store may have changed.
#pragma once

#include <cstdint>
#include <string>

#include "sim/api_shape.hpp"

namespace catflap::sim {

class WatchFeed {
 public:
  struct Options {
    ListQuery query;
    std::uint64_t after = 0;    // the revision that the client has seen
    bool tell_what_is = false;  // begins with an ADDED for each object there is
    bool mark_initial = false;  // and then a bookmark that says so (sendInitialEvents)
    bool bookmarks = false;
    Duration timeout{std::chrono::minutes{30}};
  };

  WatchFeed(const Store& store, Shape shape, Options options)
      : store_(&store), shape_(std::move(shape)), options_(std::move(options)) {}

  /// The lines that are due, "" if none. After an ERROR line is_over().
  [[nodiscard]] std::string take();
  [[nodiscard]] bool is_over() const { return over_; }
  /// A line that says how far the client is; "" if it did not ask for such.
  [[nodiscard]] std::string bookmark() const;
  [[nodiscard]] Duration timeout() const { return options_.timeout; }

 private:
  void tell_what_is(std::string& lines);
  [[nodiscard]] std::string line(std::string_view type, const json::object& object) const;
  [[nodiscard]] std::string line_of(const Store::Change& change) const;

  const Store* store_;
  Shape shape_;
  Options options_;
  bool over_ = false;
};

}  // namespace catflap::sim
