// A watch ends all the time: the server closes it after timeoutSeconds, a load balancer cuts it,
// the API server restarts. Going on from the last resourceVersion loses nothing; a 410 means that
// the server has forgotten that version, and only a new list tells what vanished meanwhile.
#include "kube/watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "kube/lister.hpp"
#include "kube/paths.hpp"
#include "kube/status.hpp"

namespace catflap::kube {

namespace {

constexpr Duration kQuickPause = std::chrono::seconds{1};
constexpr Duration kMaxPause = std::chrono::seconds{10};

using Key = std::pair<std::string, std::string>;  // namespace, name

Key key_of(const json::object& object) {
  return {text_at(object, {"metadata", "namespace"}), text_at(object, {"metadata", "name"})};
}

class Watcher {
 public:
  Watcher(Loop& loop, Transport& transport, ListQuery query,
          std::function<void(const WatchEvent&)> on_event, Duration silence)
      : transport_(transport),
        query_(std::move(query)),
        on_event_(std::move(on_event)),
        silence_(silence),
        scope_(loop.root()) {}

  void end() {
    ended_ = true;  // the callback itself may be running: it goes with the Watcher
    scope_.abort(Error{.kind = ErrorKind::interrupted, .what = "the watch was ended"});
  }

  Task<void> run() {
    bool synced = false;
    int failures = 0;
    int quick = 0;
    while (!scope_.aborted()) {
      auto started = std::chrono::steady_clock::now();
      Result<Next> next = co_await step(synced);
      if (scope_.aborted()) co_return;
      if (!next && next.error().subject.empty())
        next.error().subject = describe_collection(query_.resource, query_.namespace_);
      if (next) {
        failures = 0;
        bool watched = synced;
        synced = *next == Next::watch;
        // A server that ends each watch at once must not be asked in a circle.
        bool soon = watched && std::chrono::steady_clock::now() - started < std::chrono::seconds{1};
        quick = soon ? quick + 1 : watched ? 0 : quick;
        if (quick < 2) continue;
        if (auto slept = co_await sleep_for(scope_, kQuickPause); !slept) co_return;
        continue;
      }
      tell({.type = WatchEvent::Type::trouble, .text = catflap::to_string(next.error())});
      if (lost_place_) synced = false;
      Duration pause =
          std::min<Duration>(Duration{250} * (1 << std::min(failures++, 6)), kMaxPause);
      if (auto slept = co_await sleep_for(scope_, pause); !slept) co_return;
    }
  }

 private:
  enum class Next { watch, list };

  Task<Result<Next>> step(bool synced) {
    if (synced) co_return co_await follow();
    CO_TRY(co_await relist());
    lost_place_ = false;
    co_return Next::watch;
  }

  void tell(const WatchEvent& event) {
    if (event.type == WatchEvent::Type::trouble) in_trouble_ = true;
    if (event.type == WatchEvent::Type::synced) in_trouble_ = false;
    if (!ended_) on_event_(event);
  }

  Task<Result<void>> relist() {
    std::map<Key, std::string> seen;
    ListCursor cursor{.page_size = query_.page_size};
    std::string version;
    while (!cursor.finished) {
      Page page;
      CO_TRY_ASSIGN(PageResult got, co_await read_page(transport_, scope_, query_, cursor, page));
      if (got == PageResult::restart) {
        seen.clear();
        version.clear();
        continue;
      }
      if (version.empty()) version = page.resource_version;
      for (json::object& item : page.items) {
        Key key = key_of(item);
        std::string uid = text_at(item, {"metadata", "uid"});
        forget_if_replaced(key, uid);
        seen[key] = uid;
        known_[key] = uid;
        tell({.type = WatchEvent::Type::added, .object = std::move(item)});
      }
    }
    std::map<Key, std::string> gone = known_;
    for (const auto& [key, uid] : gone) {
      if (!seen.contains(key)) tell_vanished(key, uid);
    }
    version_ = version;
    tell({.type = WatchEvent::Type::synced});
    co_return Result<void>();
  }

  /// An object of the same name but another uid: the old one was deleted while nobody watched.
  void forget_if_replaced(const Key& key, const std::string& uid) {
    auto found = known_.find(key);
    if (found != known_.end() && found->second != uid)
      tell_vanished(key, std::string(found->second));
  }

  void tell_vanished(const Key& key, const std::string& uid) {
    known_.erase(key);
    json::object metadata{{"name", key.second}, {"uid", uid}};
    if (!key.first.empty()) metadata["namespace"] = key.first;
    json::object object{{"metadata", std::move(metadata)}};
    tell({.type = WatchEvent::Type::deleted, .object = std::move(object)});
  }

  Call watch_call() const {
    Call out;
    out.target = collection_path(query_.resource, query_.namespace_) +
                 query_string({{"watch", "true"},
                               {"allowWatchBookmarks", "true"},
                               {"resourceVersion", version_},
                               {"timeoutSeconds", std::to_string(kWatchSeconds)},
                               {"labelSelector", query_.label_selector},
                               {"fieldSelector", query_.field_selector}});
    out.coding = Call::Coding::identity;
    out.subject = describe_collection(query_.resource, query_.namespace_);
    return out;
  }

  /// One watch request until it ends; ending in good order means: again from where it stood.
  Task<Result<Next>> follow() {
    Scope scope(scope_);
    const std::string hangs = "the watch hangs: the server neither sent anything nor ended it";
    scope.expire_after(silence_, hangs);
    Call call = watch_call();
    auto conversation = co_await transport_.open(scope, call);
    if (!conversation) {
      if (conversation.error().system_code == 410) co_return Next::list;
      co_return std::move(conversation).error();
    }
    if (std::exchange(in_trouble_, false)) tell({.type = WatchEvent::Type::resumed});
    Exchange& exchange = (*conversation)->exchange();
    std::string buffer;
    for (;;) {
      CO_TRY_ASSIGN(bool more, co_await exchange.read_body(buffer));
      scope.expire_after(silence_, hangs);
      CO_TRY_ASSIGN(Next next, take_lines(buffer));
      if (next == Next::list) co_return Next::list;
      if (!more) break;
      if (buffer.size() > kMaxWatchLine) {
        lost_place_ = true;
        co_return Error{.kind = ErrorKind::malformed_input,
                        .what = "a watch event is larger than 4 MiB",
                        .subject = call.subject};
      }
    }
    co_return Next::watch;
  }

  /// Handles each whole line and leaves the rest.
  Result<Next> take_lines(std::string& buffer) {
    std::size_t start = 0;
    for (std::size_t end = buffer.find('\n'); end != std::string::npos;
         end = buffer.find('\n', start)) {
      std::string_view line(buffer.data() + start, end - start);
      start = end + 1;
      if (line.find_first_not_of(" \r\t") == std::string_view::npos) continue;
      auto parsed = parse_watch_line(line);
      if (!parsed) {
        lost_place_ = true;  // what the line said is unknown: list again
        return std::move(parsed).error();
      }
      TRY_ASSIGN(Next next, take(*std::move(parsed)));
      if (next == Next::list) return Next::list;
    }
    buffer.erase(0, start);
    return Next::watch;
  }

  Result<Next> take(WatchLine line) {
    if (line.type == WatchLine::Type::error) {
      if (line.error_code == 410) return Next::list;
      lost_place_ = true;
      return Error{.kind = ErrorKind::unreachable,
                   .what = line.error_text,
                   .subject = describe_collection(query_.resource, query_.namespace_),
                   .system_code = line.error_code};
    }
    if (!line.resource_version.empty()) version_ = line.resource_version;
    if (line.type == WatchLine::Type::bookmark) return Next::watch;
    Key key = key_of(line.object);
    WatchEvent event{.type = WatchEvent::Type::modified, .object = std::move(line.object)};
    if (line.type == WatchLine::Type::deleted) {
      event.type = WatchEvent::Type::deleted;
      known_.erase(key);
    } else {
      if (line.type == WatchLine::Type::added) event.type = WatchEvent::Type::added;
      known_[key] = text_at(event.object, {"metadata", "uid"});
    }
    tell(event);
    return Next::watch;
  }

  Transport& transport_;
  ListQuery query_;
  std::function<void(const WatchEvent&)> on_event_;
  Duration silence_;
  Scope scope_;
  std::map<Key, std::string> known_;  // uid by name: what has been told as there
  std::string version_;
  bool lost_place_ = false;
  bool in_trouble_ = false;  // the last word about the connection was `trouble`
  bool ended_ = false;
};

Task<void> run_watcher(std::shared_ptr<Watcher> watcher) {
  co_await watcher->run();
}

class WatchHandle final : public Watch {
 public:
  explicit WatchHandle(std::shared_ptr<Watcher> watcher) : watcher_(std::move(watcher)) {}
  ~WatchHandle() override { watcher_->end(); }
  WatchHandle(const WatchHandle&) = delete;
  WatchHandle& operator=(const WatchHandle&) = delete;

 private:
  std::shared_ptr<Watcher> watcher_;
};

Error bad_line(std::string_view line) {
  return Error{.kind = ErrorKind::malformed_input,
               .what = fmt::format("a watch event does not parse: {}", printable(line, 120))};
}

}  // namespace

Result<WatchLine> parse_watch_line(std::string_view line) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = 100;
  json::value value = json::parse(json::string_view(line.data(), line.size()), error, {}, options);
  if (error || !value.is_object()) return bad_line(line);
  json::object& root = value.get_object();
  json::value* object = root.if_contains("object");
  if (object == nullptr || !object->is_object()) return bad_line(line);
  WatchLine out;
  std::string type = text_at(root, {"type"});
  if (type == "ADDED") {
    out.type = WatchLine::Type::added;
  } else if (type == "MODIFIED") {
    out.type = WatchLine::Type::modified;
  } else if (type == "DELETED") {
    out.type = WatchLine::Type::deleted;
  } else if (type == "ERROR") {
    out.type = WatchLine::Type::error;
    Error status = error_of_status(json::serialize(*object), "");
    out.error_code = status.system_code;
    out.error_text = status.what;
  } else if (type != "BOOKMARK") {
    return bad_line(line);
  }
  out.object = std::move(object->get_object());
  out.resource_version = text_at(out.object, {"metadata", "resourceVersion"});
  bool is_object = out.type != WatchLine::Type::error && out.type != WatchLine::Type::bookmark;
  if (is_object && key_of(out.object).second.empty()) return bad_line(line);
  return out;
}

std::unique_ptr<Watch> start_watch(Loop& loop, Transport& transport, const ListQuery& query,
                                   std::function<void(const WatchEvent&)> on_event,
                                   Duration silence) {
  auto watcher = std::make_shared<Watcher>(loop, transport, query, std::move(on_event), silence);
  loop.spawn(run_watcher(watcher));
  return std::make_unique<WatchHandle>(std::move(watcher));
}

}  // namespace catflap::kube
