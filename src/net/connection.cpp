#include "net/connection.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <array>
#include <system_error>
#include <utility>

namespace catflap::net {
namespace {

using End = Attempt::End;

// What TLS may take besides an answer. A handshake gets no more: of messages without an end OpenSSL
// works through hundreds of thousands in a megabyte.
constexpr std::size_t kTlsOverhead = 128 * 1024;
// Comes whole before any of it is an answer.
constexpr std::size_t kLargestRecord = 17 * 1024;

/// The first bytes of a TLS server are an alert or a handshake record: type 21 or 22, version 3.x.
bool may_be_tls(std::string_view head) {
  if (!head.empty() && head[0] != '\x15' && head[0] != '\x16') return false;
  return head.size() < 2 || head[1] == '\x03';
}

/// No body is wanted compressed, and the connection is not kept: then the answer's end is seen in
/// every HTTP/1 server.
std::string request_for(const HostPort& endpoint, std::string_view token) {
  return fmt::format(
      "GET /metrics HTTP/1.1\r\nHost: {}\r\nUser-Agent: catflap/{}\r\nAccept: text/plain\r\n"
      "Accept-Encoding: identity\r\n{}{}{}Connection: close\r\n\r\n",
      endpoint.to_string(), CATFLAP_VERSION, token.empty() ? "" : "Authorization: Bearer ", token,
      token.empty() ? "" : "\r\n");
}

/// What somebody unknown said first: a banner is one line.
std::string opening_words(std::string_view head) {
  constexpr std::size_t kMost = 64;
  const auto line = head.substr(0, head.find_first_of("\r\n"));
  return std::string((line.empty() ? head : line).substr(0, kMost));
}

}  // namespace

Connection::Connection(const HostPort& endpoint, Speak speak, const TlsContext& context,
                       std::size_t max_bytes, const std::optional<IpAddress>& source)
    : endpoint_(endpoint), context_(context), max_bytes_(max_bytes) {
  attempt_.speak = speak;
  auto start = start_connect(endpoint_, source);
  socket_ = std::move(start.socket);
  if (!start.failure) return;
  attempt_.failure = *start.failure;
  (void)end(End::not_opened, start.failure->detail);
}

void Connection::advance(std::uint32_t events) {
  Go go = Go::on;
  while (go == Go::on && phase_ != Phase::over) {
    switch (phase_) {
      case Phase::connecting:
        go = connect_step(events);
        break;
      case Phase::handshaking:
        go = handshake_step();
        break;
      case Phase::asking:
        go = ask_step();
        break;
      case Phase::answering:
        go = answer_step();
        break;
      case Phase::over:
        break;
    }
  }
}

void Connection::expire(Duration after) {
  // What came while others were being served has come in time.
  const bool was_connecting = connecting();
  if (!was_connecting || has_news(socket_.get())) advance(0);
  if (over() || connecting() != was_connecting) return;
  if (was_connecting) {
    attempt_.failure = give_up_connect(socket_.get(), endpoint_, icmp_, after);
    (void)end(End::not_opened, attempt_.failure.detail);
    return;
  }
  const bool silent = wire_->received() == 0;
  (void)end(End::timed_out,
            fmt::format("{} within {}", silent ? "connected, but silent" : "no complete answer",
                        catflap::to_string(after)));
}

void Connection::abandon(std::string why) {
  if (phase_ != Phase::over) (void)end(End::abandoned, std::move(why));
}

Attempt Connection::take() {
  tls_.reset();
  wire_.reset();
  socket_.reset();
  return std::move(attempt_);
}

Connection::Go Connection::connect_step(std::uint32_t events) {
  const bool clean = (events & EPOLLOUT) != 0 && (events & (EPOLLERR | EPOLLHUP)) == 0;
  if (!clean) {
    const ConnectCheck check = check_connect(socket_.get(), endpoint_, icmp_);
    if (check.state == ConnectState::pending) return Go::wait;
    if (check.state == ConnectState::failed) {
      attempt_.failure = check.failure;
      return end(End::not_opened, check.failure.detail);
    }
  }
  opened();
  return Go::on;
}

/// Since the last lap, or since the start.
std::chrono::microseconds Connection::lap() {
  const auto now = std::chrono::steady_clock::now();
  return std::chrono::duration_cast<std::chrono::microseconds>(now -
                                                               std::exchange(phase_began_, now));
}

void Connection::opened() {
  attempt_.phases.connect = lap();
  if (attempt_.speak == Speak::nothing) {
    (void)end(End::connected, "connected");
    return;
  }
  make_talkative(socket_.get(), endpoint_);
  wire_ = std::make_unique<Wire>(socket_.get(), kTlsOverhead);
  const Speak speak = attempt_.speak;
  if (speak == Speak::plain || speak == Speak::plain_with_token) return ask();
  const bool show = speak == Speak::tls_with_certificate;
  tls_ = std::make_unique<TlsStream>(context_, *wire_,
                                     show ? Credential::throwaway : Credential::none);
  phase_ = Phase::handshaking;
}

void Connection::ask() {
  const Speak speak = attempt_.speak;
  const bool token = speak == Speak::tls_with_token || speak == Speak::plain_with_token;
  request_ = request_for(endpoint_, token ? context_.throwaway_token() : "");
  answer_ = std::make_unique<HttpAnswer>(max_bytes_);
  wire_->allow(uses_tls() ? kLargestRecord : max_bytes_);
  phase_ = Phase::asking;
}

Connection::Go Connection::handshake_step() {
  const auto step = tls_->handshake();
  // OpenSSL waits for five bytes before it looks; a server that says "hi" would be waited for in
  // vain.
  if (!may_be_tls(wire_->head())) return end(End::not_tls, "no TLS");
  if (step == TlsStream::Step::wait) return Go::wait;
  if (step != TlsStream::Step::done) return on_failure();
  attempt_.phases.handshake = lap();
  ask();
  return Go::on;
}

Connection::Go Connection::ask_step() {
  const std::string_view rest = std::string_view(request_).substr(asked_);
  if (uses_tls()) {
    const auto written = tls_->write(rest);
    if (written.step == TlsStream::Step::wait) return Go::wait;
    if (written.step != TlsStream::Step::done) return on_failure();
    asked_ += written.bytes;
  } else {
    const auto written = wire_->write(rest);
    if (written.io == Io::wait) return Go::wait;
    asked_ += written.bytes;
  }
  if (asked_ == request_.size()) phase_ = Phase::answering;
  return Go::on;
}

Connection::Go Connection::answer_step() {
  std::array<char, 16 * 1024> buffer;
  if (uses_tls()) {
    const auto got = tls_->read(buffer);
    if (got.step == TlsStream::Step::wait) return Go::wait;
    if (got.step == TlsStream::Step::closed) return on_end_of_stream();
    if (got.step == TlsStream::Step::failed) return on_failure();
    return on_answer_bytes({buffer.data(), got.bytes});
  }
  const auto got = wire_->read(buffer);
  if (got.io == Io::wait) return Go::wait;
  if (got.io == Io::closed) return on_end_of_stream();
  if (got.io != Io::done) return on_failure();
  return on_answer_bytes({buffer.data(), got.bytes});
}

Connection::Go Connection::on_answer_bytes(std::string_view bytes) {
  if (attempt_.phases.first_byte.count() == 0) attempt_.phases.first_byte = lap();
  // As much more TLS as there was answer in it: records of one byte have 22 besides.
  if (uses_tls()) wire_->allow(bytes.size());
  switch (answer_->feed(bytes)) {
    case HttpAnswer::State::reading:
      return Go::on;
    case HttpAnswer::State::done:
      return end(End::answered, fmt::format("HTTP {}", answer_->status()));
    case HttpAnswer::State::cut:
      return end(End::cut, fmt::format("answer cut after {} bytes", max_bytes_));
    case HttpAnswer::State::malformed:
      return end(End::not_http, "not an HTTP answer");
  }
  return Go::wait;
}

Connection::Go Connection::on_end_of_stream() {
  if (answer_->end_of_stream() == HttpAnswer::State::done)
    return end(End::answered, fmt::format("HTTP {}", answer_->status()));
  return end(End::closed, answer_->identity() == Identity::none ? "closed without an answer"
                                                                : "closed inside its answer");
}

/// The wire or TLS gave up. An alert explains more than the hang-up that follows it.
Connection::Go Connection::on_failure() {
  if (uses_tls() && tls_->alert())
    return end(End::tls_failed, "TLS alert: " + alert_name(*tls_->alert()));
  switch (wire_->last()) {
    case Io::closed:
      // Over TLS this is a stream without its close_notify: anybody on the way may have cut it, so
      // it completes no answer.
      return end(End::closed,
                 wire_->received() == 0 ? "closed without an answer" : "closed inside its answer");
    case Io::reset:
      return end(End::reset, std::system_category().message(wire_->error()));
    case Io::cut:
      return end(End::cut, fmt::format("answer cut after {} bytes", wire_->received()));
    default:
      break;
  }
  const bool told = uses_tls() && !tls_->problem().empty();
  return end(End::tls_failed, "TLS: " + (told ? tls_->problem() : "broken off"));
}

Connection::Go Connection::end(End how, std::string detail) {
  attempt_.end = how;
  attempt_.detail = std::move(detail);
  collect();
  phase_ = Phase::over;
  return Go::wait;
}

void Connection::collect() {
  if (!wire_) return;
  attempt_.bytes = wire_->received();
  if (answer_) {
    attempt_.identity = answer_->identity();
    attempt_.felix_host = answer_->felix_host();
    attempt_.product = answer_->product();
    attempt_.product_mark = answer_->product_mark();
    attempt_.http_status = answer_->status();
    attempt_.excerpt = answer_->excerpt();
  }
  const bool spoke_tls = uses_tls() && wire_->received() > 0 && may_be_tls(wire_->head());
  if (spoke_tls) {
    collect_tls();
  } else if (attempt_.excerpt.empty()) {
    attempt_.excerpt = wire_->head();
  }
  if (attempt_.product == Product::unknown) attempt_.product_mark = opening_words(wire_->head());
}

void Connection::collect_tls() {
  attempt_.certificate_asked = tls_->certificate_asked();
  attempt_.certificate_shown = tls_->certificate_shown();
  attempt_.tls = read_tls_facts(tls_->ssl());
  if (tls_->alert()) {
    attempt_.tls->alert = alert_name(*tls_->alert());
    attempt_.certificate_refused =
        attempt_.certificate_asked && refuses_certificate(*tls_->alert());
  }
  const auto& facts = *attempt_.tls;
  const bool understood = !facts.version.empty() || !facts.sha256.empty() || !facts.alert.empty();
  if (attempt_.product != Product::unknown || !understood) return;
  attempt_.product = Product::tls;
  constexpr std::size_t kRecordHead = 16;
  attempt_.product_mark =
      facts.sha256.empty() ? wire_->head().substr(0, kRecordHead) : "sha256:" + facts.sha256;
}

}  // namespace catflap::net
