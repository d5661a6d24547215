#include "kube/client.hpp"

#include <fmt/format.h>

#include "kube/exec.hpp"
#include "kube/lister.hpp"
#include "kube/loop.hpp"
#include "kube/paths.hpp"
#include "kube/pod_proxy.hpp"
#include "kube/port_forward.hpp"
#include "kube/transport.hpp"
#include "kube/watch.hpp"

namespace catflap::kube {

namespace {

constexpr Duration kTick{50};

class TextReader final : public BodyReader {
 public:
  void restart() override { text.clear(); }
  Result<void> feed(std::string_view bytes) override {
    if (text.size() + bytes.size() > kMaxAnswerBytes) {
      return Error{.kind = ErrorKind::malformed_input, .what = "the answer is larger than 32 MiB"};
    }
    text += bytes;
    return {};
  }
  std::string text;
};

Result<json::value> parse_answer(const std::string& text, const std::string& subject) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = 100;
  json::value out = json::parse(text, error, {}, options);
  if (!error) return out;
  return Error{.kind = ErrorKind::malformed_input,
               .what = "the answer is not JSON: " + error.message(),
               .subject = subject,
               .hint = "is this really a Kubernetes API server? A proxy may have answered instead"};
}

Result<json::object> object_of(Result<json::value> value, const std::string& subject) {
  if (!value) return std::move(value).error();
  if (value->is_object()) return std::move(value->get_object());
  return Error{.kind = ErrorKind::malformed_input,
               .what = "the answer is not a JSON object",
               .subject = subject};
}

class Client final : public Api {
 public:
  Client(const ClientConfig& config, const Environment& environment, const Clock& clock,
         std::stop_token stop)
      : clock_(clock),
        info_(config.info),
        loop_(stop),
        transport_(loop_, config, environment, clock, stop) {}

  // The watches in the background use the transport until they have left.
  ~Client() override { loop_.shut_down(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  const ServerInfo& info() const override { return info_; }
  Duration clock_skew() const override { return transport_.clock_skew(); }

  Result<json::value> get_raw(const std::string& path) override {
    Call call{.target = path, .subject = path.substr(0, path.find('?'))};
    TRY_ASSIGN(Answer answer, request(call));
    return parse_answer(answer.text, call.subject);
  }

  Result<json::object> get(const ObjectRef& ref) override {
    Call call{.target = object_path(ref), .subject = ref.to_string()};
    TRY_ASSIGN(Answer answer, request(call));
    return object_of(parse_answer(answer.text, call.subject), call.subject);
  }

  Result<std::string> list(const ListQuery& query, const std::function<void()>& restart,
                           const std::function<void(json::object&&)>& each) override {
    ListCursor cursor{.page_size = query.page_size};
    std::string version;
    bool first = true;
    while (!cursor.finished) {
      Page page;
      TRY_ASSIGN(PageResult got, run<PageResult>([&](Scope& scope) {
                   return read_page(transport_, scope, query, cursor, page);
                 }));
      if (got == PageResult::restart) {
        if (restart) restart();
        first = true;
        continue;
      }
      if (std::exchange(first, false)) version = page.resource_version;
      for (json::object& item : page.items) each(std::move(item));
    }
    return version;
  }

  Result<Written> create(const Resource& resource, const std::string& namespace_,
                         const json::object& object, const WriteOptions& options) override {
    Call call{.method = "POST",
              .target = collection_path(resource, namespace_) + write_query(options),
              .content_type = "application/json",
              .body = json::serialize(object),
              .subject = describe_collection(resource, namespace_)};
    return write(std::move(call));
  }

  Result<Written> patch(const ObjectRef& ref, PatchType type, const json::value& body,
                        const WriteOptions& options) override {
    const char* content = type == PatchType::json_patch ? "application/json-patch+json"
                                                        : "application/merge-patch+json";
    Call call{.method = "PATCH",
              .target = object_path(ref) + write_query(options),
              .content_type = content,
              .body = json::serialize(body),
              .subject = ref.to_string()};
    return write(std::move(call));
  }

  Result<Written> remove(const ObjectRef& ref, const std::string& uid,
                         const std::string& resource_version,
                         const WriteOptions& options) override {
    json::object preconditions;
    if (!uid.empty()) preconditions["uid"] = uid;
    if (!resource_version.empty()) preconditions["resourceVersion"] = resource_version;
    json::object body{{"kind", "DeleteOptions"}, {"apiVersion", "v1"}};
    if (!options.propagation.empty()) body["propagationPolicy"] = options.propagation;
    if (!preconditions.empty()) body["preconditions"] = std::move(preconditions);
    Call call{.method = "DELETE",
              .target = object_path(ref) + query_string({{"dryRun", options.dry_run ? "All" : ""}}),
              .content_type = "application/json",
              .body = json::serialize(body),
              .subject = ref.to_string()};
    return write(std::move(call));
  }

  std::unique_ptr<Watch> watch(const ListQuery& query,
                               std::function<void(const WatchEvent&)> on_event) override {
    return start_watch(loop_, transport_, query,
                       [this, on_event = std::move(on_event)](const WatchEvent& event) {
                         ++events_;
                         on_event(event);
                       });
  }

  std::vector<Result<ExecOutput>> exec(const std::vector<ExecCall>& calls,
                                       std::size_t parallel) override {
    return run_all<ExecOutput>(calls.size(), [&](Scope& scope, auto& results) {
      return exec_all(transport_, scope, calls, parallel, results);
    });
  }

  std::vector<Result<ProxyAnswer>> proxy(const std::vector<ProxyCall>& calls,
                                         std::size_t parallel) override {
    return run_all<ProxyAnswer>(calls.size(), [&](Scope& scope, auto& results) {
      return proxy_all(transport_, scope, calls, parallel, results);
    });
  }

  std::vector<Result<std::string>> logs(const std::vector<LogCall>& calls,
                                        std::size_t parallel) override {
    return run_all<std::string>(calls.size(), [&](Scope& scope, auto& results) {
      return logs_all(transport_, scope, calls, parallel, results);
    });
  }

  std::vector<Result<ForwardAnswer>> forward(const std::vector<ForwardCall>& calls,
                                             std::size_t parallel) override {
    return run_all<ForwardAnswer>(calls.size(), [&](Scope& scope, auto& results) {
      return forward_all(transport_, scope, calls, parallel, results);
    });
  }

  RunResult run_until(const std::function<bool()>& done, SteadyPoint deadline) override {
    for (;;) {
      if (loop_.stop_requested()) return RunResult::stopped;
      if (done()) return RunResult::done;
      SteadyPoint now = clock_.steady();
      if (now >= deadline) return RunResult::deadline;
      auto until = std::chrono::steady_clock::now() + std::min<Duration>(kTick, deadline - now);
      std::uint64_t before = events_;
      while (events_ == before && !loop_.stop_requested()) {
        auto left = std::chrono::ceil<Duration>(until - std::chrono::steady_clock::now());
        if (left.count() <= 0 || !loop_.run_one_for(left)) break;
      }
    }
  }

 private:
  struct Answer {
    ResponseHead head;
    std::string text;
  };

  static std::string write_query(const WriteOptions& options) {
    return query_string(
        {{"fieldManager", options.field_manager}, {"dryRun", options.dry_run ? "All" : ""}});
  }

  /// Blocks until the task made by `make` is done.
  template <class T, class Make>
  Result<T> run(Make&& make) {
    std::optional<Result<T>> out;
    Scope scope(loop_.root());
    loop_.run(store(make(scope), out));
    return *std::move(out);
  }
  template <class T>
  static Task<void> store(Task<Result<T>> task, std::optional<Result<T>>& out) {
    out.emplace(co_await std::move(task));
  }

  /// `make` starts a batch that sets every result.
  template <class T, class Make>
  std::vector<Result<T>> run_all(std::size_t count, Make&& make) {
    std::vector<std::optional<Result<T>>> results(count);
    if (auto ready = transport_.prepare_credentials(); !ready)
      return std::vector<Result<T>>(count, ready.error());
    Scope scope(loop_.root());
    loop_.run(make(scope, results));
    std::vector<Result<T>> out;
    for (auto& result : results) out.push_back(*std::move(result));
    return out;
  }

  Result<Answer> request(const Call& call) {
    TextReader reader;
    TRY_ASSIGN(ResponseHead head, run<ResponseHead>([&](Scope& scope) {
                 return transport_.call(scope, call, reader);
               }));
    return Answer{std::move(head), std::move(reader.text)};
  }

  Result<Written> write(Call call) {
    call.repeat = Call::Repeat::forbidden;
    TRY_ASSIGN(Answer answer, request(call));
    auto object = object_of(parse_answer(answer.text, call.subject), call.subject);
    if (!object) return outcome_unknown(std::move(object).error());
    return Written{*std::move(object), answer.head.header("audit-id")};
  }

  const Clock& clock_;
  ServerInfo info_;
  Loop loop_;
  Transport transport_;
  std::uint64_t events_ = 0;
};

}  // namespace

std::unique_ptr<Api> connect(const ClientConfig& config, const Environment& environment,
                             const Clock& clock, std::stop_token stop) {
  return std::make_unique<Client>(config, environment, clock, std::move(stop));
}

}  // namespace catflap::kube
