// An API server's store in memory: what every client of it shares. As in the real one:
// resourceVersions come from one counter, a write that changes nothing stores nothing, and
// metadata.generation counts changes outside of metadata and status.
#pragma once

#include <boost/json.hpp>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "kube/api.hpp"

namespace catflap::sim {

namespace json = boost::json;
using kube::ListQuery;
using kube::ObjectRef;
using kube::PatchType;
using kube::Resource;

class Store {
 public:
  /// One line of the store's history; watches read it from where they are.
  struct Change {
    std::uint64_t revision = 0;
    std::string resource;  // "daemonsets.apps"
    bool deleted = false;
    json::object object;                 // of a deleted one the last, with this revision
    std::optional<json::object> before;  // none: it was created
  };

  /// Of the history the last `remembered` changes are kept.
  explicit Store(const Clock& clock, std::size_t remembered = 2000)
      : clock_(clock), remembered_(remembered) {}

  [[nodiscard]] const Clock& clock() const { return clock_; }

  // What the world outside of catflap does; no rights, no faults, no log.

  /// Stores the object whatever was there. What the server would fill in (uid, creationTimestamp,
  /// generation) may be given; resourceVersion is always new.
  void put(const Resource& resource, json::object object);
  void edit(const ObjectRef& ref, const std::function<void(json::object&)>& change);
  bool erase(const ObjectRef& ref);
  [[nodiscard]] const json::object* find(const ObjectRef& ref) const;
  [[nodiscard]] std::vector<json::object> select(const ListQuery& query) const;

  // What the server does for a client.

  [[nodiscard]] Result<json::object> create(const Resource& resource, const std::string& namespace_,
                                            const json::object& object, bool dry_run);
  [[nodiscard]] Result<json::object> patch(const ObjectRef& ref, PatchType type,
                                           const json::value& body, bool dry_run);
  /// Stores `next` in its place. What the server counts (uid, resourceVersion, generation …) may be
  /// left out of it; a resourceVersion that is there and another is a conflict.
  [[nodiscard]] Result<json::object> update(const ObjectRef& ref, json::object next, bool dry_run);
  [[nodiscard]] Result<json::object> remove(const ObjectRef& ref, const std::string& uid,
                                            const std::string& resource_version, bool dry_run);

  /// Oldest first, one a revision, without gaps after forgotten().
  [[nodiscard]] const std::deque<Change>& history() const { return history_; }
  /// The first change after that revision, which must not be forgotten; null: there is none yet.
  [[nodiscard]] const Change* change_after(std::uint64_t revision) const;
  /// The revision up to which the history is lost: nothing can be resumed from before it.
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }
  /// As after a compaction: watches and lists go on only from here.
  void forget_history();
  [[nodiscard]] std::uint64_t revision() const { return revision_; }
  [[nodiscard]] std::string resource_version() const { return std::to_string(revision_); }

  /// What select() gave at that revision; an error with system_code 410 if that is forgotten.
  [[nodiscard]] Result<std::vector<json::object>> select_at(const ListQuery& query,
                                                            std::uint64_t revision) const;
  /// One object of each type there is, by "daemonsets.apps".
  [[nodiscard]] std::map<std::string, const json::object*> samples() const;

  /// Does the object match the query's selectors and namespace?
  [[nodiscard]] static bool matches(const json::object& object, const ListQuery& query);
  [[nodiscard]] static std::string key_of(const Resource& resource);

 private:
  using Names = std::map<std::pair<std::string, std::string>, json::object>;  // (namespace, name)

  json::object& store(const Resource& resource, json::object object);
  void remember(Change change);
  [[nodiscard]] json::object updated(const json::object& old, json::object next) const;

  const Clock& clock_;
  std::uint64_t revision_ = 1000;
  int uids_ = 0;
  std::map<std::string, Names> objects_;
  std::size_t remembered_;
  std::uint64_t forgotten_ = 0;
  std::deque<Change> history_;
};

/// Errors with the kinds and status codes of the real client.
[[nodiscard]] Error not_found(const kube::ObjectRef& ref);
[[nodiscard]] Error conflict(const kube::ObjectRef& ref);

}  // namespace catflap::sim
