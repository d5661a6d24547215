#include "kube/transport.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "kube/base64.hpp"
#include "kube/status.hpp"

namespace catflap::kube {

namespace {

constexpr Duration kConnectTimeout = std::chrono::seconds{15};
constexpr Duration kPerAddress = std::chrono::seconds{6};
constexpr Duration kMaxIdle = std::chrono::seconds{60};
constexpr std::size_t kMaxIdleConnections = 8;
constexpr std::size_t kMaxErrorBody = 64u << 10;
constexpr const char* kUserAgent = "catflap/" CATFLAP_VERSION;

}  // namespace

Conversation::Conversation(Scope& scope, std::unique_ptr<Stream> stream, int generation)
    : stream_(std::move(stream)),
      generation_(generation),
      exchange_(*stream_),
      member_(scope, *stream_) {}

struct Transport::Impl {
  struct Idle {
    std::unique_ptr<Stream> stream;
    int generation;
    std::chrono::steady_clock::time_point since;
  };
  /// What an attempt goes out with. Made before its time begins: a credential plugin may ask a
  /// person.
  struct Ready {
    Identity identity;
    std::unique_ptr<Stream> kept;  // null: a new connection is to be made
    [[nodiscard]] Failure::Connection connection() const {
      return kept ? Failure::Connection::reused : Failure::Connection::fresh;
    }
  };
  struct Started {
    std::unique_ptr<Conversation> conversation;
    std::optional<Failure> failure;
  };

  Loop& loop;
  ClientConfig config;
  const Clock& clock;
  Credentials credentials;
  std::vector<Idle> idle;
  std::optional<TlsContext> tls;
  int tls_generation = -1;
  std::optional<TlsContext> proxy_tls;
  KnownServer known_server = KnownServer::no;
  Duration skew{0};
  std::minstd_rand random{std::random_device{}()};

  Result<const TlsContext*> context_for(const Identity& identity) {
    if (!tls || tls_generation != identity.generation) {
      TRY_ASSIGN(tls, TlsContext::make({.check = config.server_check,
                                        .ca_pem = config.ca_pem,
                                        .ca_origin = config.ca_origin,
                                        .certificate_pem = identity.certificate_pem,
                                        .key_pem = identity.key_pem,
                                        .certificate_origin = identity.kind}));
      tls_generation = identity.generation;
    }
    return static_cast<const TlsContext*>(&*tls);
  }

  std::unique_ptr<Stream> take_idle(int generation) {
    auto oldest = std::chrono::steady_clock::now() - kMaxIdle;
    std::erase_if(idle, [&](const Idle& entry) {
      return entry.generation != generation || entry.since < oldest;
    });
    while (!idle.empty()) {
      std::unique_ptr<Stream> stream = std::move(idle.back().stream);
      idle.pop_back();
      if (stream->quiet()) return stream;
    }
    return nullptr;
  }

  Task<Result<std::unique_ptr<Stream>>> tunnel(Scope& scope, std::unique_ptr<Stream> stream) {
    const Endpoint& proxy = *config.proxy;
    if (proxy.scheme == Scheme::https) {
      if (!proxy_tls) {
        CO_TRY_ASSIGN(proxy_tls, TlsContext::make({}));
      }
      CO_TRY_ASSIGN(stream, co_await connect_tls(scope, std::move(stream), *proxy_tls, proxy.host));
    }
    Scope::Member member(scope, *stream);
    Request request;
    request.method = "CONNECT";
    request.target = request.authority = config.server.authority();
    request.headers.emplace_back("User-Agent", kUserAgent);
    if (!proxy.user.empty()) {
      std::string pair = encode_base64(proxy.user + ":" + proxy.password.reveal());
      request.headers.emplace_back("Proxy-Authorization", "Basic " + pair);
    }
    Exchange exchange(*stream);
    CO_TRY(co_await exchange.send(request));
    CO_TRY(co_await exchange.read_head());
    if (int status = exchange.head().status; status != 200) {
      co_return Error{
          .kind = status == 407 ? ErrorKind::unauthenticated : ErrorKind::unreachable,
          .what = fmt::format("the proxy answered HTTP {} to CONNECT {}", status, request.target),
          .hint = status == 407
                      ? "put the proxy's user and password into its URL"
                      : "may the proxy reach the server? If it is not needed, set NO_PROXY"};
    }
    if (!exchange.take_rest().empty()) {
      co_return Error{.kind = ErrorKind::malformed_input,
                      .what = "the proxy sent bytes before the server could"};
    }
    co_return std::move(stream);
  }

  Task<Result<std::unique_ptr<Stream>>> connect(Scope& scope, const Identity& identity) {
    const Endpoint& hop = config.proxy ? *config.proxy : config.server;
    auto connected = co_await connect_tcp(scope, hop.host, hop.port, kPerAddress);
    if (!connected && config.proxy && connected.error().kind == ErrorKind::unreachable) {
      Error error = std::move(connected).error();
      error.subject = "proxy " + hop.to_string();
      error.hint =
          "is the proxy (HTTPS_PROXY, HTTP_PROXY or the cluster's proxy-url) right? A server in "
          "NO_PROXY is reached without it";
      co_return error;
    }
    CO_TRY_ASSIGN(std::unique_ptr<Stream> stream, std::move(connected));
    if (config.proxy) {
      auto tunnelled = co_await tunnel(scope, std::move(stream));
      if (!tunnelled) {
        Error error = std::move(tunnelled).error();
        error.subject = "proxy " + config.proxy->to_string();
        co_return error;
      }
      stream = std::move(tunnelled).value();
    }
    if (config.server.scheme == Scheme::http) co_return std::move(stream);
    CO_TRY_ASSIGN(const TlsContext* context, context_for(identity));
    std::string name = config.tls_server_name.empty() ? config.server.host : config.tls_server_name;
    auto secured = co_await connect_tls(scope, std::move(stream), *context, name);
    if (!secured && secured.error().kind != ErrorKind::usage)
      secured.error().subject = config.server.to_string();
    co_return secured;
  }

  Task<Result<std::unique_ptr<Stream>>> dial(Scope& scope, const Identity& identity) {
    Scope dialling(scope);
    dialling.expire_after(kConnectTimeout,
                          fmt::format("no connection within {}", to_string(kConnectTimeout)));
    auto stream = co_await connect(dialling, identity);
    if (!stream && stream.error().kind == ErrorKind::timed_out && dialling.aborted() &&
        !scope.aborted()) {
      stream.error().kind = ErrorKind::unreachable;
      stream.error().subject = config.server.to_string();
      stream.error().hint =
          "check the network, a VPN or a proxy (HTTPS_PROXY, proxy-url) between here and there";
    }
    co_return stream;
  }

  Request request_for(const Call& call, const Identity& identity) const {
    Request out{.method = call.method,
                .target = config.server.base_path + call.target,
                .authority = config.server.authority(),
                .headers = call.headers,
                .body = call.body};
    out.headers.emplace_back("User-Agent", kUserAgent);
    out.headers.emplace_back("Accept", call.accept);
    bool gzip = call.coding == Call::Coding::gzip && !config.disable_compression;
    if (gzip) out.headers.emplace_back("Accept-Encoding", "gzip");
    if (!call.content_type.empty()) out.headers.emplace_back("Content-Type", call.content_type);
    if (!identity.authorization.empty())
      out.headers.emplace_back("Authorization", identity.authorization.reveal());
    const Impersonation& as = config.user.as;
    if (!as.user.empty()) out.headers.emplace_back("Impersonate-User", as.user);
    if (!as.uid.empty()) out.headers.emplace_back("Impersonate-Uid", as.uid);
    for (const std::string& group : as.groups) out.headers.emplace_back("Impersonate-Group", group);
    for (const auto& [key, values] : as.extra) {
      for (const std::string& value : values) {
        out.headers.emplace_back("Impersonate-Extra-" + percent_encode(key), value);
      }
    }
    return out;
  }

  void note_head(const ResponseHead& head) {
    known_server = KnownServer::yes;
    auto date = parse_http_date(head.header("date"));
    // The header has whole seconds: its middle is the best guess.
    if (date) skew = *date + Duration{500} - clock.now();
  }

  void give_back(std::unique_ptr<Conversation> conversation) {
    if (!conversation->exchange().reusable() || idle.size() >= kMaxIdleConnections) return;
    idle.push_back({std::move(conversation->stream_), conversation->generation_,
                    std::chrono::steady_clock::now()});
  }

  Task<Failure> refusal(std::unique_ptr<Conversation> conversation, const Call& call,
                        const Identity& identity) {
    Exchange& exchange = conversation->exchange();
    std::string body;
    auto more = co_await exchange.read_body(body);
    while (more && *more && body.size() <= kMaxErrorBody) more = co_await exchange.read_body(body);
    int status = exchange.head().status;
    Failure out{.sent = Failure::Sent::answered};
    out.error = error_of({.status = status, .body = body, .subject = call.subject});
    out.retry_after = parse_retry_after(exchange.head().header("retry-after"), clock.now());
    if (status == 401) {
      out.error.what = fmt::format("the server did not accept {}", identity.kind);
    }
    if (more && !*more) give_back(std::move(conversation));
    co_return out;
  }

  /// One attempt up to the head of a good answer.
  Task<Started> start(Scope& scope, const Call& call, Ready ready) {
    Started out;
    auto connection = ready.connection();
    std::unique_ptr<Stream> stream = std::move(ready.kept);
    if (!stream) {
      auto dialled = co_await dial(scope, ready.identity);
      if (!dialled) {
        out.failure = Failure{.error = std::move(dialled).error()};
        co_return out;
      }
      stream = std::move(dialled).value();
    }
    auto conversation =
        std::make_unique<Conversation>(scope, std::move(stream), ready.identity.generation);
    Exchange& exchange = conversation->exchange();
    Request request = request_for(call, ready.identity);
    auto sent = co_await exchange.send(request);
    // Also after a failed send: a server that refuses early answers first and closes then.
    auto head = co_await exchange.read_head();
    if (!head) {
      out.failure =
          Failure{.error = std::move(sent ? head : sent).error(),
                  .sent = exchange.answered() ? Failure::Sent::answered : Failure::Sent::perhaps,
                  .connection = connection};
      co_return out;
    }
    note_head(exchange.head());
    int status = exchange.head().status;
    const bool good = status == 101 || (status >= 200 && status <= 299);
    if (!good && call.answers == Call::Answers::good) {
      out.failure = co_await refusal(std::move(conversation), call, ready.identity);
      co_return out;
    }
    out.conversation = std::move(conversation);
    co_return out;
  }

  /// The body of a good answer into `reader`.
  Task<std::optional<Failure>> read_answer(const Call& call, Exchange& exchange,
                                           BodyReader& reader) {
    reader.restart();
    std::string piece;
    for (;;) {
      auto more = co_await exchange.read_body(piece);
      if (!more)
        co_return Failure{.error = std::move(more).error(), .sent = Failure::Sent::answered};
      if (!*more) co_return std::nullopt;
      auto fed = reader.feed(piece);
      piece.clear();
      if (fed && reader.has_enough()) co_return std::nullopt;
      if (fed) continue;
      if (fed.error().subject.empty()) fed.error().subject = call.subject;
      co_return Failure{.error = std::move(fed).error(), .sent = Failure::Sent::answered};
    }
  }

  Duration with_jitter(Duration pause) {
    return pause + pause * static_cast<int>(random() % 25) / 100;
  }
};

Transport::Transport(Loop& loop, const ClientConfig& config, const Environment& environment,
                     const Clock& clock, std::stop_token stop)
    : impl_(new Impl{.loop = loop,
                     .config = config,
                     .clock = clock,
                     .credentials = Credentials(config, environment, clock, std::move(stop))}) {}
Transport::~Transport() = default;

Task<Result<ResponseHead>> Transport::call(Scope& scope, const Call& call, BodyReader& reader) {
  Duration limit = impl_->config.request_timeout.value_or(kCallTimeout);
  auto deadline = std::chrono::steady_clock::now() + limit;
  bool refreshed = false;
  std::optional<Failure> previous;
  for (int attempt = 1;; ++attempt) {
    auto before = std::chrono::steady_clock::now();
    auto identity = impl_->credentials.current();
    if (!identity) co_return final_error(call, {.error = std::move(identity).error()});
    auto now = std::chrono::steady_clock::now();
    deadline += now - before;
    Impl::Ready ready{.identity = *identity};
    // A write could not be sent again if the kept connection turned out to be dead.
    if (call.repeat == Call::Repeat::allowed) ready.kept = impl_->take_idle(identity->generation);
    Duration most = impl_->config.request_timeout.value_or(kAttemptTimeout);
    if (ready.kept) most = std::min(most, limit / 2);
    most = std::max(Duration{1}, std::min(most, std::chrono::ceil<Duration>(deadline - now)));
    Scope trial(scope);
    trial.expire_after(most, fmt::format("no answer within {}", to_string(most)));
    auto started = co_await impl_->start(trial, call, std::move(ready));
    if (started.conversation) {
      Exchange& exchange = started.conversation->exchange();
      started.failure = co_await impl_->read_answer(call, exchange, reader);
      if (!started.failure) {
        ResponseHead head = exchange.head();
        impl_->give_back(std::move(started.conversation));
        co_return head;
      }
      started.conversation.reset();
    }
    Failure failure = *std::move(started.failure);
    if (failure.error.system_code == 401 && !std::exchange(refreshed, true)) {
      if (impl_->credentials.refresh(*identity)) continue;
    }
    if (died_in_the_pool(failure)) {
      impl_->idle.clear();  // what is beside it is no better
    } else if (failure.error.kind == ErrorKind::timed_out && previous &&
               call.repeat == Call::Repeat::allowed) {
      // The last attempt has what time is left; the one before says more about what is wrong.
      co_return final_error(call, *std::move(previous));
    }
    auto pause = pause_before_repeat(call, failure, attempt, impl_->known_server);
    if (!pause) co_return final_error(call, std::move(failure));
    Duration wait = impl_->with_jitter(*pause);
    if (std::chrono::steady_clock::now() + wait >= deadline)
      co_return final_error(call, std::move(failure));
    CO_TRY(co_await sleep_for(scope, wait));
    previous = std::move(failure);
  }
}

Task<Result<std::unique_ptr<Conversation>>> Transport::open(Scope& scope, const Call& call) {
  bool refreshed = false;
  for (int attempt = 1;; ++attempt) {
    auto identity = impl_->credentials.current();
    if (!identity) co_return final_error(call, {.error = std::move(identity).error()});
    Impl::Ready ready{.identity = *identity};
    auto started = co_await impl_->start(scope, call, std::move(ready));
    if (started.conversation) co_return std::move(started.conversation);
    Failure failure = *std::move(started.failure);
    int status = failure.error.system_code;
    bool may_heal = status == 401 && !std::exchange(refreshed, true);
    if (may_heal && impl_->credentials.refresh(*identity)) continue;
    if (status == 429 && attempt < kMaxServerErrors) {
      Duration pause = impl_->with_jitter(pause_when_busy(failure, attempt));
      if (auto slept = co_await sleep_for(scope, pause)) continue;
    }
    co_return final_error(call, std::move(failure));
  }
}

Result<void> Transport::prepare_credentials() {
  TRY(impl_->credentials.current());
  return {};
}

Duration Transport::clock_skew() const {
  return impl_->skew;
}

}  // namespace catflap::kube
