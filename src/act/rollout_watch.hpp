// What is known of one DaemonSet's rollout at this moment, kept up to date by watches. Private to
// src/act: the way in is wait.hpp.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "act/wait.hpp"

namespace catflap::act {

class RolloutWatch {
 public:
  /// Reads the DaemonSet and starts to watch it, its pods, its revisions and the nodes.
  /// Errors: it does not exist, it or its pods may not be read. Nodes and revisions may be denied.
  [[nodiscard]] static Result<std::unique_ptr<RolloutWatch>> start(const Context& context,
                                                                   DaemonSetRef ref);
  RolloutWatch(const RolloutWatch&) = delete;
  RolloutWatch& operator=(const RolloutWatch&) = delete;

  /// Something came in since the last snapshot.
  [[nodiscard]] bool dirty() const { return dirty_; }
  /// The first lists are whole: before that, a snapshot would show nodes as missing.
  [[nodiscard]] bool synced() const;
  [[nodiscard]] bool deleted() const { return deleted_; }

  [[nodiscard]] Rollout snapshot();

  /// Reads everything once more, past the watches. Watches are not ordered among each other, so
  /// only this may say "complete"; it also heals a view that missed something.
  [[nodiscard]] Result<void> refresh();

 private:
  RolloutWatch(const Context& context, DaemonSetRef ref)
      : context_(context), ref_(std::move(ref)) {}

  /// A list-and-watch of one kind, reduced to T by name.
  template <class T>
  struct Kept {
    std::map<std::string, T> items;
    std::set<std::string> listed;  // seen since the connection was last lost
    bool synced = false;
    std::unique_ptr<kube::Watch> watch;
  };
  template <class T>
  void keep(Kept<T>& kept, const kube::ListQuery& query, T (*reduce)(const json::object&));
  template <class T>
  Result<void> read_all(Kept<T>& kept, const kube::ListQuery& query,
                        T (*reduce)(const json::object&));
  Result<void> read_readable(bool& readable, const Result<void>& outcome);
  Result<void> read_daemon_set_now();
  void on_daemon_set(const kube::WatchEvent& event);
  [[nodiscard]] kube::ListQuery pods_query() const;
  [[nodiscard]] kube::ListQuery revisions_query() const;

  const Context& context_;
  DaemonSetRef ref_;
  DaemonSetState daemon_set_;
  std::unique_ptr<kube::Watch> daemon_set_watch_;
  Kept<PodState> pods_;
  Kept<NodeReadiness> nodes_;
  Kept<RevisionState> revisions_;
  bool nodes_readable_ = true;
  bool revisions_readable_ = true;
  std::set<std::string> expected_;
  std::string trouble_;
  bool dirty_ = true;
  bool deleted_ = false;
};

}  // namespace catflap::act
