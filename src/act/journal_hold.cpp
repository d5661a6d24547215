#include "act/journal_hold.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "act/journal_json.hpp"
#include "act/pause.hpp"
#include "base/json_read.hpp"
#include "base/text.hpp"

namespace catflap::act {

namespace {

constexpr int kMaxConflicts = 5;
constexpr int kMaxTakes = 5;
constexpr Duration kPatience{std::chrono::seconds{45}};
constexpr Duration kRetry{std::chrono::seconds{1}};

/// An answer that is no answer of an API server (malformed) comes from something before it.
bool server_is_away(const Error& error) {
  return error.kind == ErrorKind::unreachable || error.kind == ErrorKind::timed_out ||
         error.kind == ErrorKind::overloaded || error.kind == ErrorKind::malformed_input ||
         (error.kind == ErrorKind::internal && error.system_code >= 500);
}

kube::ObjectRef journal_ref(const std::string& namespace_) {
  return {kube::kConfigMaps, namespace_, kJournalName};
}

json::object new_config_map(const std::string& namespace_, json::object data) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata",
           json::object{{"name", kJournalName},
                        {"namespace", namespace_},
                        {"labels", json::object{{"app.kubernetes.io/managed-by", "catflap"}}}}},
          {"data", std::move(data)}};
}

Error lost_to(const std::string& whom, const std::string& namespace_) {
  return Error{.kind = ErrorKind::refused,
               .what = "this run does not hold the lock any more: " + whom,
               .subject = fmt::format("ConfigMap {}/{}", namespace_, kJournalName),
               .hint = "It stopped before its next write. Run the same command again to go on."};
}

/// Watches somebody else's lock: alive if it is renewed before our eyes, dead if it is not for long
/// enough.
class LockObserver {
 public:
  enum class Finding { free, alive, dead, undecided };

  LockObserver(const Context& context, const LockOptions& options)
      : context_(context), options_(options) {}

  Finding look_at(const Journal& journal) {
    if (!journal.lock || journal.lock->holder.id == options_.holder.id) return Finding::free;
    const auto* live = live_lock_of_another(journal, options_.holder.id, context_.server_now());
    if (live == nullptr) return Finding::dead;
    if (options_.is_gone && options_.is_gone(live->holder)) return Finding::dead;
    if (!first_) {
      first_ = *live;
      since_ = context_.clock.steady();
      return Finding::undecided;
    }
    if (*first_ != *live) return Finding::alive;
    // Not by its times: its machine's clock may be ahead of the server's.
    return context_.clock.steady() - since_ >= kLockStale ? Finding::dead : Finding::undecided;
  }

 private:
  const Context& context_;
  const LockOptions& options_;
  std::optional<Lock> first_;
  SteadyPoint since_{};
};

}  // namespace

const Lock* live_lock_of_another(const Journal& journal, const std::string& id,
                                 TimePoint server_now) {
  if (!journal.lock || journal.lock->holder.id == id) return nullptr;
  return server_now - journal.lock->renewed_at < kLockStale ? &*journal.lock : nullptr;
}

Error held_by(const Lock& lock, const std::string& namespace_) {
  return Error{.kind = ErrorKind::refused,
               .what = fmt::format("another run holds the lock: {} of {}, since {}",
                                   printable(lock.command, 40), printable(lock.holder.who, 200),
                                   to_rfc3339(lock.taken_at)),
               .subject = fmt::format("ConfigMap {}/{}", namespace_, kJournalName),
               .hint = "Wait until it is done, or stop it; its lock goes stale after 60 s."};
}

Result<JournalHold> JournalHold::acquire(const Context& context, std::string namespace_,
                                         std::string command, const LockOptions& options,
                                         const OnProgress& progress) {
  const auto now = context.server_now();
  JournalHold hold(context, std::move(namespace_),
                   Lock{options.holder, std::move(command), now, now});
  LockObserver observer(context, options);
  int takes = 0;
  while (true) {
    TRY_ASSIGN(const auto found, hold.read());
    switch (observer.look_at(found.journal)) {
      case LockObserver::Finding::alive:
        return held_by(*found.journal.lock, hold.namespace_);
      case LockObserver::Finding::undecided:
        if (progress)
          progress(
              {.stage = Progress::Stage::lock, .text = printable(found.journal.lock->holder.who)});
        TRY(pause_for(context, {}, kRetry));
        continue;
      case LockObserver::Finding::free:
      case LockObserver::Finding::dead:
        break;
    }
    auto taken = hold.try_take(found);
    if (taken) return hold;
    // A lost answer may have been a success: then the next look finds our own lock and takes it
    // again.
    const auto kind = taken.error().kind;
    if (kind != ErrorKind::conflict && kind != ErrorKind::timed_out)
      return std::move(taken).error();
    if (++takes == kMaxTakes)
      return std::move(taken).error().with_context(
          fmt::format("taking the lock, {} attempts", kMaxTakes));
    TRY(pause_for(context, {}, kRetry));
  }
}

Result<JournalHold::Found> JournalHold::read() const {
  auto object = context_->api.get(journal_ref(namespace_));
  if (!object) {
    if (object.error().kind == ErrorKind::not_found) return Found{};
    return journal_error(std::move(object).error(), namespace_);
  }
  TRY_ASSIGN(auto journal, journal_in(*object, namespace_));
  return Found{true, text_at(*object, {"metadata", "resourceVersion"}), std::move(journal)};
}

Result<void> JournalHold::try_take(const Found& found) {
  journal_ = found.journal;
  lock_.renewed_at = context_->server_now();
  journal_.lock = lock_;
  TRY_ASSIGN(const auto data, journal_data(journal_));
  const json::array patch{json::object{{"op", "replace"},
                                       {"path", "/metadata/resourceVersion"},
                                       {"value", found.resource_version}},
                          json::object{{"op", "add"}, {"path", "/data"}, {"value", data}}};
  auto written = found.exists ? context_->api.patch(journal_ref(namespace_),
                                                    kube::PatchType::json_patch, patch, {})
                              : context_->api.create(kube::kConfigMaps, namespace_,
                                                     new_config_map(namespace_, data), {});
  if (written) {
    resource_version_ = text_at(written->object, {"metadata", "resourceVersion"});
    renewed_ = context_->clock.steady();
    return {};
  }
  return journal_error(std::move(written).error(), namespace_);
}

void JournalHold::rest(Duration time) const {
  // Not pause_for: a stop request must not keep the teardown from its last write.
  (void)context_->api.run_until([] { return false; }, context_->clock.steady() + time);
}

Result<void> JournalHold::still_ours() {
  TRY_ASSIGN(const auto found, read());
  if (!found.exists) return lost_to("somebody deleted the journal", namespace_);
  if (!found.journal.lock) return lost_to("somebody released it", namespace_);
  const auto& holder = found.journal.lock->holder;
  if (holder.id != lock_.holder.id)
    return lost_to(printable(holder.who, 200) + " took it over", namespace_);
  resource_version_ = found.resource_version;
  return {};
}

Result<void> JournalHold::write(bool with_lock) {
  lock_.renewed_at = context_->server_now();
  journal_.lock.reset();
  if (with_lock) journal_.lock = lock_;
  TRY_ASSIGN(const auto data, journal_data(journal_));
  const json::array patch{
      json::object{
          {"op", "replace"}, {"path", "/metadata/resourceVersion"}, {"value", resource_version_}},
      json::object{{"op", "add"}, {"path", "/data"}, {"value", data}}};
  auto written =
      context_->api.patch(journal_ref(namespace_), kube::PatchType::json_patch, patch, {});
  if (!written) return std::move(written).error();
  resource_version_ = text_at(written->object, {"metadata", "resourceVersion"});
  renewed_ = context_->clock.steady();
  return {};
}

Result<void> JournalHold::save() {
  const auto give_up = context_->clock.steady() + kPatience;
  int conflicts = 0;
  while (true) {
    auto written = write(true);
    if (written) return {};
    Error error = std::move(written).error();
    if (error.kind == ErrorKind::not_found)
      return lost_to("somebody deleted the journal", namespace_);
    const bool away = server_is_away(error);
    if (!away && error.kind != ErrorKind::conflict)
      return journal_error(std::move(error), namespace_);
    if (away && context_->clock.steady() >= give_up) return error;
    if (!away && ++conflicts == kMaxConflicts) return error;
    const auto before = context_->clock.steady();
    if (away) rest(kRetry);
    auto ours = still_ours();
    if (ours || server_is_away(ours.error())) {
      // A stop request ends every rest at once: then this is the last try.
      if (!ours && context_->clock.steady() - before < kRetry) return std::move(ours).error();
      continue;
    }
    return std::move(ours).error();
  }
}

Result<void> JournalHold::keep() {
  const auto age = context_->clock.steady() - renewed_;
  if (age < kLockRenewal) return {};
  auto written = write(true);
  if (written) return {};
  if (written.error().kind == ErrorKind::conflict) return save();
  if (server_is_away(written.error()) && age + kLockRenewal < kLockStale) return {};
  return save();
}

Result<void> JournalHold::still_held() {
  if (context_->clock.steady() - renewed_ < kLockRenewal) return {};
  return save();
}

Result<void> JournalHold::release() {
  auto written = write(false);
  if (written) return {};
  if (written.error().kind == ErrorKind::conflict || server_is_away(written.error())) {
    if (server_is_away(written.error())) rest(kRetry);
    TRY(still_ours());
    return write(false);
  }
  return written;
}

}  // namespace catflap::act
