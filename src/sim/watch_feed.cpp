#include "sim/watch_feed.hpp"

#include <fmt/format.h>

#include "sim/api_reply.hpp"

namespace catflap::sim {

namespace {

std::string serialized(std::string_view type, json::object object) {
  return json::serialize(json::object{{"type", type}, {"object", std::move(object)}}) + "\n";
}

}  // namespace

std::string WatchFeed::line(std::string_view type, const json::object& object) const {
  return serialized(type, shape_.one(object));
}

std::string WatchFeed::bookmark() const {
  if (!options_.bookmarks) return {};
  return line(
      "BOOKMARK",
      {{"metadata",
        {{"resourceVersion", std::to_string(options_.after)}, {"creationTimestamp", nullptr}}}});
}

void WatchFeed::tell_what_is(std::string& lines) {
  options_.tell_what_is = false;
  options_.after = store_->revision();
  for (const auto& object : store_->select(options_.query)) lines += line("ADDED", object);
  if (!options_.mark_initial) return;
  const json::object marked{{"metadata",
                             {{"resourceVersion", std::to_string(options_.after)},
                              {"creationTimestamp", nullptr},
                              {"annotations", {{"k8s.io/initial-events-end", "true"}}}}}};
  lines += line("BOOKMARK", marked);
}

// An object that does not match the selectors any more is deleted, as far as this client can see.
std::string WatchFeed::line_of(const Store::Change& change) const {
  const bool was = change.before && Store::matches(*change.before, options_.query);
  const bool is = !change.deleted && Store::matches(change.object, options_.query);
  if (is) return line(was ? "MODIFIED" : "ADDED", change.object);
  if (!was) return {};
  json::object last = *change.before;
  last["metadata"].as_object()["resourceVersion"] = std::to_string(change.revision);
  return line("DELETED", last);
}

std::string WatchFeed::take() {
  std::string lines;
  if (over_) return lines;
  if (options_.tell_what_is) tell_what_is(lines);
  if (options_.after < store_->forgotten()) {
    over_ = true;
    const auto why =
        fmt::format("too old resource version: {} ({})", options_.after, store_->forgotten());
    return lines + serialized("ERROR", failure(410, "Expired", why));
  }
  while (const auto* change = store_->change_after(options_.after)) {
    options_.after = change->revision;
    if (change->resource == Store::key_of(options_.query.resource)) lines += line_of(*change);
  }
  return lines;
}

}  // namespace catflap::sim
