#include "kube/port_forward.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "kube/parallel.hpp"
#include "kube/paths.hpp"
#include "kube/tls.hpp"
#include "kube/upgrade.hpp"

namespace catflap::kube {

namespace {

constexpr std::size_t kMaxMessage = 1u << 20;  // servers send 32 KiB at most
constexpr std::size_t kMaxTrouble = 4u << 10;

Error malformed(std::string what) {
  return Error{.kind = ErrorKind::malformed_input, .what = std::move(what)};
}

/// The request, and what comes until the end, the bound, or the caller has enough.
Task<Result<void>> talk(Stream& stream, const ForwardCall& wanted, ForwardAnswer& answer) {
  CO_TRY(co_await stream.write_all(wanted.request));
  std::string buffer(16384, '\0');
  for (;;) {
    CO_TRY_ASSIGN(const std::size_t n, co_await stream.read_some(buffer));
    if (n == 0) break;
    const auto room = wanted.max_bytes - answer.received.size();
    const auto piece = std::string_view(buffer).substr(0, std::min(n, room));
    answer.received += piece;
    answer.cut = n > room;
    if (answer.cut || (wanted.enough && wanted.enough(piece))) co_return Result<void>();
  }
  answer.ended = true;
  co_return Result<void>();
}

/// TLS that verifies nobody. What goes wrong in it, before and after the handshake, is an
/// observation.
Task<Result<void>> talk_tls(Scope& scope, std::unique_ptr<Stream> stream, const ForwardCall& wanted,
                            ForwardAnswer& answer) {
  CO_TRY_ASSIGN(const TlsContext context, TlsContext::make({.check = ServerCheck::skip}));
  auto secured = co_await connect_tls(scope, std::move(stream), context, "localhost");
  if (secured) {
    answer.tls = true;
    auto said = co_await talk(**secured, wanted, answer);
    if (said || scope.aborted()) co_return said;
    answer.tls_problem = printable(said.error().what, 200);
  } else {
    if (scope.aborted()) co_return std::move(secured).error();
    answer.tls_problem = printable(secured.error().what, 200);
  }
  co_return Result<void>();
}

Task<Result<ForwardAnswer>> forward_one(Transport& transport, Scope& parent,
                                        const ForwardCall& wanted) {
  Scope scope(parent);
  scope.expire_after(wanted.timeout, fmt::format("no answer over the forwarded port within {}",
                                                 to_string(wanted.timeout)));
  const Upgrade upgrade({"v4.channel.k8s.io"});
  const Call call =
      upgrade.call(object_path({kPods, wanted.namespace_, wanted.pod}) +
                       fmt::format("/portforward?ports={}", wanted.port),
                   fmt::format("port {} of pod {}/{}", wanted.port, wanted.namespace_, wanted.pod));
  auto opened = co_await transport.open(scope, call);
  if (!opened) co_return upgrade_error(std::move(opened).error());
  Conversation& conversation = **opened;
  CO_TRY(upgrade.check(conversation.exchange().head()));
  FrameReader frames(kMaxMessage);
  frames.feed(conversation.exchange().take_rest());
  ForwardChannels channels(wanted.port);
  auto stream = std::make_unique<ForwardStream>(conversation.stream(), frames, channels);
  ForwardAnswer answer;
  Result<void> said;
  if (wanted.tls) {
    said = co_await talk_tls(scope, std::move(stream), wanted, answer);
  } else {
    said = co_await talk(*stream, wanted, answer);
  }
  if (!said) {
    Error error = std::move(said).error();
    error.subject = call.subject;
    co_return error;
  }
  answer.trouble = printable(channels.trouble(), kMaxTrouble);
  co_return answer;
}

}  // namespace

Result<void> ForwardChannels::take(std::string_view message) {
  if (message.empty()) return {};
  const auto number = static_cast<unsigned char>(message[0]);
  if (number > 1) return malformed(fmt::format("an unknown channel {}", number));
  message.remove_prefix(1);
  Channel& channel = number == 0 ? data_ : trouble_;
  const auto missing = std::min<std::size_t>(2 - channel.prefix.size(), message.size());
  channel.prefix += message.substr(0, missing);
  message.remove_prefix(missing);
  if (channel.prefix.size() == 2) {
    const auto low = static_cast<unsigned char>(channel.prefix[0]);
    const auto high = static_cast<unsigned char>(channel.prefix[1]);
    if (low + 256 * high != port_) return malformed("another port than was asked for");
  }
  if (number == 1 && channel.bytes.size() + message.size() > kMaxTrouble)
    return malformed("an error text without an end");
  channel.bytes += message;
  return {};
}

Task<Result<bool>> ForwardStream::take_message() {
  for (;;) {
    CO_TRY_ASSIGN(std::optional<Message> message, frames_.next());
    if (!message) {
      std::string buffer(32768, '\0');
      CO_TRY_ASSIGN(const std::size_t n, co_await lower_.read_some(buffer));
      if (n == 0) co_return false;
      frames_.feed(std::string_view(buffer).substr(0, n));
      continue;
    }
    if (message->type == FrameType::close) co_return false;
    if (message->type == FrameType::ping) {
      const std::string pong = encode_frame(FrameType::pong, message->payload, random_mask());
      CO_TRY(co_await lower_.write_all(pong));
    } else if (message->type == FrameType::binary || message->type == FrameType::text) {
      CO_TRY(channels_.take(message->payload));
    }
    co_return true;
  }
}

Task<Result<std::size_t>> ForwardStream::read_some(std::span<char> into) {
  std::string& data = channels_.data();
  while (data.empty() && !ended_) {
    CO_TRY_ASSIGN(const bool more, co_await take_message());
    ended_ = !more;
  }
  const auto n = std::min(into.size(), data.size());
  std::copy_n(data.begin(), n, into.begin());
  data.erase(0, n);
  co_return n;
}

Task<Result<void>> ForwardStream::write_all(std::string_view bytes) {
  std::string payload(1, '\0');
  payload += bytes;
  const std::string frame = encode_frame(FrameType::binary, payload, random_mask());
  co_return co_await lower_.write_all(frame);
}

Task<void> forward_all(Transport& transport, Scope& scope, const std::vector<ForwardCall>& calls,
                       std::size_t parallel,
                       std::vector<std::optional<Result<ForwardAnswer>>>& results) {
  co_await for_each_parallel(scope, calls.size(), parallel, [&](std::size_t mine) -> Task<void> {
    results[mine].emplace(co_await forward_one(transport, scope, calls[mine]));
  });
}

}  // namespace catflap::kube
