#include "kube/pod_proxy.hpp"

#include <fmt/format.h>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "kube/parallel.hpp"
#include "kube/paths.hpp"
#include "kube/status.hpp"

namespace catflap::kube {

namespace {

constexpr std::string_view kUnreached = "error trying to reach service: ";
constexpr std::size_t kMaxStatus = 16u << 10;
constexpr std::size_t kMaxWords = 512;

class BoundedText final : public BodyReader {
 public:
  explicit BoundedText(std::size_t most) : most_(most) {}
  void restart() override {
    text.clear();
    cut = false;
  }
  Result<void> feed(std::string_view bytes) override {
    cut = bytes.size() > most_ - text.size();
    text += bytes.substr(0, most_ - text.size());
    return {};
  }
  [[nodiscard]] bool has_enough() const override { return cut; }
  std::string text;
  bool cut = false;

 private:
  std::size_t most_;
};

Call call_of(const ProxyCall& wanted) {
  const char* scheme = wanted.scheme == ProxyCall::Scheme::https ? "https" : "http";
  const auto name = fmt::format("{}:{}:{}", scheme, wanted.pod, wanted.port);
  Call call;
  call.target = object_path({kPods, wanted.namespace_, name}) + "/proxy" + wanted.path;
  call.coding = Call::Coding::identity;
  call.answers = Call::Answers::any;
  call.accept = "*/*";
  call.subject = fmt::format("port {} of pod {}/{}", wanted.port, wanted.namespace_, wanted.pod);
  return call;
}

Task<Result<ProxyAnswer>> proxy_one(Transport& transport, Scope& parent, const ProxyCall& wanted) {
  Scope scope(parent);
  scope.expire_after(wanted.timeout, fmt::format("no answer through the API server within {}",
                                                 to_string(wanted.timeout)));
  BoundedText body(wanted.max_bytes);
  const Call call = call_of(wanted);
  CO_TRY_ASSIGN(const ResponseHead head, co_await transport.call(scope, call, body));
  const auto encoding = head.header("content-encoding");  // gzip is undone already
  const bool encoded = !encoding.empty() && !equal_ignoring_case(encoding, "gzip") &&
                       !equal_ignoring_case(encoding, "identity");
  ProxyAnswer answer{
      .status = head.status, .encoded = encoded, .body = std::move(body.text), .cut = body.cut};
  co_return sort_proxy_answer(std::move(answer), call.subject);
}

Task<Result<std::string>> log_of(Transport& transport, Scope& parent, const LogCall& wanted) {
  Scope scope(parent);
  scope.expire_after(wanted.timeout, fmt::format("no log within {}", to_string(wanted.timeout)));
  BoundedText body(wanted.max_bytes);
  Call call;
  call.target = object_path({kPods, wanted.namespace_, wanted.pod}) + "/log" +
                query_string({{"limitBytes", std::to_string(wanted.max_bytes + 1)}});
  call.accept = "*/*";
  call.subject = fmt::format("the log of pod {}/{}", wanted.namespace_, wanted.pod);
  CO_TRY(co_await transport.call(scope, call, body));
  if (body.cut) {
    co_return Error{.kind = ErrorKind::malformed_input,
                    .what = fmt::format("is larger than {} bytes", wanted.max_bytes),
                    .subject = call.subject};
  }
  co_return std::move(body.text);
}

/// The Status object that a whole body is, if it is one of this HTTP status.
std::optional<json::object> status_in(const ProxyAnswer& answer) {
  if (answer.status < 400 || answer.cut || answer.body.size() > kMaxStatus) return std::nullopt;
  json::error_code error;
  json::value value = json::parse(answer.body, error);
  if (error || !value.is_object()) return std::nullopt;
  auto& object = value.get_object();
  const bool is_status = text_at(object, {"kind"}) == "Status" &&
                         text_at(object, {"apiVersion"}) == "v1" &&
                         number_at(object, {"code"}) == answer.status;
  return is_status ? std::optional(std::move(object)) : std::nullopt;
}

}  // namespace

Result<ProxyAnswer> sort_proxy_answer(ProxyAnswer answer, const std::string& subject) {
  const auto status = status_in(answer);
  if (!status) return answer;
  const auto message = text_at(*status, {"message"});
  if (answer.status == 503 && message.starts_with(kUnreached))
    return ProxyAnswer{.unreached = printable(message.substr(kUnreached.size()), kMaxWords)};
  return error_of({.status = answer.status, .body = answer.body, .subject = subject});
}

Task<void> proxy_all(Transport& transport, Scope& scope, const std::vector<ProxyCall>& calls,
                     std::size_t parallel,
                     std::vector<std::optional<Result<ProxyAnswer>>>& results) {
  const std::function<Task<void>(std::size_t)> one = [&](std::size_t mine) -> Task<void> {
    results[mine].emplace(co_await proxy_one(transport, scope, calls[mine]));
  };
  co_await for_each_parallel(scope, calls.size(), parallel, one);
}

Task<void> logs_all(Transport& transport, Scope& scope, const std::vector<LogCall>& calls,
                    std::size_t parallel,
                    std::vector<std::optional<Result<std::string>>>& results) {
  const std::function<Task<void>(std::size_t)> one = [&](std::size_t mine) -> Task<void> {
    results[mine].emplace(co_await log_of(transport, scope, calls[mine]));
  };
  co_await for_each_parallel(scope, calls.size(), parallel, one);
}

}  // namespace catflap::kube
