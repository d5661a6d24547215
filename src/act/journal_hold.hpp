// Holding the journal: its lock taken, its content ours to change until released. Private to
// src/act. Every save is a compare-and-swap, so a run that lost the lock while it slept finds out
// before its next write.
#pragma once

#include <functional>
#include <string>

#include "act/close.hpp"
#include "act/context.hpp"
#include "act/journal.hpp"

namespace catflap::act {

class JournalHold {
 public:
  /// Takes the lock, making the ConfigMap if there is none. A lock that another run holds: refused
  /// as soon as that run is seen to renew it; taken over when it has not for 60 s, or is_gone()
  /// says so. Errors: refused (naming the holder; a journal that was edited), not_permitted (naming
  /// the right), interrupted.
  [[nodiscard]] static Result<JournalHold> acquire(const Context& context, std::string namespace_,
                                                   std::string command, const LockOptions& options,
                                                   const OnProgress& progress);

  /// Changes become lasting with save().
  [[nodiscard]] Journal& journal() { return journal_; }
  [[nodiscard]] const Journal& journal() const { return journal_; }
  [[nodiscard]] const std::string& namespace_name() const { return namespace_; }

  /// Errors: refused if the lock is another's by now; what the server says if it stays away for 45
  /// s.
  [[nodiscard]] Result<void> save();

  /// While waiting: renews the lock if it is due. A server that is away is tried again later, until
  /// the lock may be another's.
  [[nodiscard]] Result<void> keep();

  /// Before a write: as keep(), but a renewal that is due must succeed.
  [[nodiscard]] Result<void> still_held();

  /// Gives the lock back. Nothing to be done about a failure: it goes stale by itself.
  [[nodiscard]] Result<void> release();

 private:
  JournalHold(const Context& context, std::string place, Lock lock)
      : context_(&context), namespace_(std::move(place)), lock_(std::move(lock)) {}

  struct Found {
    bool exists = false;
    std::string resource_version;
    Journal journal;
  };
  [[nodiscard]] Result<Found> read() const;
  [[nodiscard]] Result<void> try_take(const Found& found);
  [[nodiscard]] Result<void> write(bool with_lock);
  [[nodiscard]] Result<void> still_ours();
  void rest(Duration time) const;

  const Context* context_;
  std::string namespace_;
  Lock lock_;
  Journal journal_;
  std::string resource_version_;
  SteadyPoint renewed_{};
};

/// The journal's lock if another than `id` holds it and it is not stale by the server's clock; null
/// otherwise.
[[nodiscard]] const Lock* live_lock_of_another(const Journal& journal, const std::string& id,
                                               TimePoint server_now);

[[nodiscard]] Error held_by(const Lock& lock, const std::string& namespace_);

}  // namespace catflap::act
