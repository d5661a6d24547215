#include "kube/call.hpp"

#include <algorithm>

namespace catflap::kube {

namespace {

Duration backoff(int attempt) {
  return std::min<Duration>(Duration{200} * (1 << std::min(attempt - 1, 8)),
                            std::chrono::seconds{5});
}

/// A path that the API server hands on: its 502 or 503 is what the pod or service behind it said.
bool is_proxied(const std::string& target) {
  auto path = target.substr(0, target.find('?'));
  return path.ends_with("/proxy") || path.find("/proxy/") != std::string::npos;
}

bool is_lost(const Error& error) {
  return error.kind == ErrorKind::unreachable && error.system_code > 0 && error.system_code < 200;
}

}  // namespace

Duration pause_when_busy(const Failure& failure, int attempt) {
  return std::max(failure.retry_after.value_or(Duration{0}), backoff(attempt));
}

bool died_in_the_pool(const Failure& failure) {
  bool silent = is_lost(failure.error) || failure.error.kind == ErrorKind::timed_out;
  return failure.connection == Failure::Connection::reused &&
         failure.sent == Failure::Sent::perhaps && silent;
}

std::optional<Duration> pause_before_repeat(const Call& call, const Failure& failure, int attempt,
                                            KnownServer known_server) {
  bool repeatable = call.repeat == Call::Repeat::allowed;
  if (failure.sent == Failure::Sent::answered && failure.error.system_code >= 200) {
    int status = failure.error.system_code;
    if (status == 429) return pause_when_busy(failure, attempt);  // any call: it did not begin
    bool server_side = status == 500 || status == 502 || status == 503 || status == 504;
    if (!server_side || !repeatable || is_proxied(call.target) || attempt >= kMaxServerErrors)
      return std::nullopt;
    return pause_when_busy(failure, attempt);
  }
  if (repeatable && died_in_the_pool(failure)) return Duration{0};
  if (!is_lost(failure.error)) return std::nullopt;
  if (failure.sent == Failure::Sent::nothing) {
    if (known_server == KnownServer::no) return std::nullopt;
    return backoff(attempt);
  }
  if (!repeatable) return std::nullopt;
  if (known_server == KnownServer::no && attempt >= 2) return std::nullopt;
  return backoff(attempt);
}

Error outcome_unknown(Error error) {
  error.what += "; whether the change was made is not known";
  error.hint = "look at the object before trying again";
  return error;
}

Error final_error(const Call& call, Failure failure) {
  Error error = std::move(failure.error);
  if (error.subject.empty()) error.subject = call.subject;
  if (error.kind == ErrorKind::timed_out && error.hint.empty())
    error.hint = "can the API server be reached from here? --request-timeout gives it more time";
  bool answered = failure.sent == Failure::Sent::answered && error.system_code >= 200;
  bool unclear = failure.sent != Failure::Sent::nothing && !(answered && error.system_code < 500);
  if (call.repeat == Call::Repeat::forbidden && unclear) return outcome_unknown(std::move(error));
  return error;
}

}  // namespace catflap::kube
