#include "kube/exec.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "kube/endpoint.hpp"
#include "kube/parallel.hpp"
#include "kube/paths.hpp"
#include "kube/status.hpp"
#include "kube/upgrade.hpp"
#include "kube/websocket.hpp"

namespace catflap::kube {

namespace {

constexpr std::size_t kMaxMessage = 1u << 20;  // servers send 32 KiB at most
constexpr std::size_t kMaxStatus = 64u << 10;

Call exec_call(const ExecCall& call, const Upgrade& upgrade) {
  std::string query =
      query_string({{"container", call.container}, {"stdout", "true"}, {"stderr", "true"}});
  for (const std::string& word : call.command) query += "&command=" + percent_encode(word);
  return upgrade.call(
      object_path({kPods, call.namespace_, call.pod}) + "/exec" + query,
      fmt::format("exec in pod {}/{}, container {}", call.namespace_, call.pod, call.container));
}

/// Reads until the status has come or the connection ends; answers pings.
Task<Result<void>> read_channels(Stream& stream, FrameReader& frames, ExecChannels& channels) {
  std::string buffer(32768, '\0');
  while (!channels.finished()) {
    CO_TRY_ASSIGN(std::optional<Message> message, frames.next());
    if (!message) {
      CO_TRY_ASSIGN(std::size_t n, co_await stream.read_some(buffer));
      if (n == 0) break;
      frames.feed(std::string_view(buffer).substr(0, n));
      continue;
    }
    if (message->type == FrameType::close) break;
    if (message->type == FrameType::ping) {
      std::string pong = encode_frame(FrameType::pong, message->payload, random_mask());
      CO_TRY(co_await stream.write_all(pong));
    }
    if (message->type == FrameType::binary || message->type == FrameType::text)
      CO_TRY(channels.take(message->payload));
  }
  co_return Result<void>();
}

Task<Result<ExecOutput>> exec_one(Transport& transport, Scope& parent, const ExecCall& call) {
  Scope scope(parent);
  scope.expire_after(call.timeout,
                     fmt::format("the command did not end within {}", to_string(call.timeout)));
  const Upgrade upgrade({"v5.channel.k8s.io", "v4.channel.k8s.io"});
  Call request = exec_call(call, upgrade);
  auto opened = co_await transport.open(scope, request);
  if (!opened) co_return upgrade_error(std::move(opened).error());
  Conversation& conversation = **opened;
  auto result = upgrade.check(conversation.exchange().head());
  ExecChannels channels(call.max_bytes);
  if (result) {
    FrameReader frames(kMaxMessage);
    frames.feed(conversation.exchange().take_rest());
    result = co_await read_channels(conversation.stream(), frames, channels);
  }
  if (!result) {
    Error error = std::move(result).error();
    error.subject = request.subject;
    co_return error;
  }
  if (channels.finished()) {
    // Polite, and all that is left: the answer is already here, so a failure does not matter.
    std::string close = encode_frame(FrameType::close, "\x03\xe8", random_mask());
    (void)co_await conversation.stream().write_all(close);
  }
  co_return channels.result(request.subject);
}

/// The exit code that a Status of reason NonZeroExitCode carries among its details' causes.
std::optional<int> exit_code_of(const json::object& status) {
  for (const json::object* cause : objects_at(status, {"details", "causes"})) {
    if (text_at(*cause, {"reason"}) != "ExitCode") continue;
    std::string text = text_at(*cause, {"message"});
    int code = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
    if (error == std::errc{} && end == text.data() + text.size()) return code;
  }
  return std::nullopt;
}

}  // namespace

Result<void> ExecChannels::take(std::string_view message) {
  if (message.empty()) return {};
  auto channel = static_cast<unsigned char>(message[0]);
  message.remove_prefix(1);
  if (channel == 3) {
    if (message.empty()) return {};  // v4 servers open each channel with an empty message
    if (message.size() > kMaxStatus)
      return Error{.kind = ErrorKind::malformed_input, .what = "the status is too large"};
    status_ = std::string(message);
    return {};
  }
  if (channel == 255) return {};  // v5: a channel has ended; the status is still to come
  if (channel != 1 && channel != 2) {
    return Error{.kind = ErrorKind::malformed_input,
                 .what = fmt::format("an unknown channel {}", channel)};
  }
  if (output_.stdout_.size() + output_.stderr_.size() + message.size() > max_bytes_) {
    return Error{.kind = ErrorKind::malformed_input,
                 .what = fmt::format("the command wrote more than {} bytes", max_bytes_)};
  }
  (channel == 1 ? output_.stdout_ : output_.stderr_) += message;
  return {};
}

Result<ExecOutput> ExecChannels::result(const std::string& subject) {
  if (!status_) {
    return Error{.kind = ErrorKind::unreachable,
                 .what = "the connection ended before the command's exit status came",
                 .subject = subject,
                 .hint = "is the node's kubelet well? Try again"};
  }
  json::error_code error;
  json::value value = json::parse(*status_, error);
  if (error || !value.is_object()) return error_of_status(*status_, subject);
  const json::object& status = value.get_object();
  if (text_at(status, {"status"}) == "Success") return std::move(output_);
  if (auto code = exit_code_of(status)) {
    output_.exit_code = *code;
    return std::move(output_);
  }
  Error out = error_of_status(*status_, subject);
  // The runtime's words when the image has no such program; the API gives them no reason of their
  // own.
  bool no_program = out.what.find("executable file not found") != std::string::npos ||
                    out.what.find("no such file or directory") != std::string::npos;
  if (no_program) out.kind = ErrorKind::unsupported;
  return out;
}

Task<void> exec_all(Transport& transport, Scope& scope, const std::vector<ExecCall>& calls,
                    std::size_t parallel, std::vector<std::optional<Result<ExecOutput>>>& results) {
  const std::function<Task<void>(std::size_t)> one = [&](std::size_t mine) -> Task<void> {
    results[mine].emplace(co_await exec_one(transport, scope, calls[mine]));
  };
  co_await for_each_parallel(scope, calls.size(), parallel, one);
}

}  // namespace catflap::kube
