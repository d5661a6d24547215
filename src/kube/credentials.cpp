#include "kube/credentials.hpp"

#include <fmt/format.h>

#include "kube/base64.hpp"
#include "kube/plugin.hpp"
#include "kube/tls.hpp"

namespace catflap::kube {

namespace {

constexpr Duration kTokenFileAge = std::chrono::seconds{10};

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
  return text;
}

}  // namespace

struct Credentials::Impl {
  ClientConfig config;
  Environment environment;
  const Clock& clock;
  std::stop_token stop;

  std::optional<Identity> cached;
  std::optional<SteadyPoint> read_again;  // token file
  std::optional<TimePoint> expires;       // plugin
  std::string file_token;                 // the last good one
  std::string last_certificate;
  int generation = 0;

  [[nodiscard]] bool stale() const {
    return !cached || (read_again && clock.steady() >= *read_again) ||
           (expires && clock.now() >= *expires);
  }

  [[nodiscard]] std::string user() const {
    return config.info.user_name.empty() ? "no user"
                                         : fmt::format("user \"{}\"", config.info.user_name);
  }

  Result<std::string> file_or(const std::string& data, const std::string& path,
                              const char* field) const {
    if (!data.empty() || path.empty()) return data;
    auto bytes = environment.read_file(path);
    if (bytes) return bytes;
    Error error = std::move(bytes).error();
    return Error{.kind = ErrorKind::usage,
                 .what = fmt::format("{} of {} {}", field, user(), error.what),
                 .subject = path,
                 .hint = "check the path and its permissions",
                 .system_code = error.system_code};
  }

  Result<void> read_certificate(Identity& out) {
    const UserEntry& entry = config.user;
    TRY_ASSIGN(out.certificate_pem, file_or(entry.client_certificate_data, entry.client_certificate,
                                            "client-certificate"));
    TRY_ASSIGN(std::string key,
               file_or(entry.client_key_data.reveal(), entry.client_key, "client-key"));
    out.key_pem = Secret(std::move(key));
    if (!out.certificate_pem.empty()) describe_certificate(out);
    return {};
  }

  void describe_certificate(Identity& out) const {
    auto end = certificate_end(out.certificate_pem);
    std::string validity =
        !end ? "it does not parse"
             : fmt::format("{} {}", *end < clock.now() ? "expired at" : "valid until",
                           to_rfc3339(*end));
    out.kind = fmt::format("the client certificate of {} ({})", user(), validity);
  }

  Result<std::string> read_token_file() {
    const std::string& path = config.user.token_file;
    TRY_ASSIGN(std::string text, file_or("", path, "tokenFile"));
    std::string token = trimmed(std::move(text));
    if (!token.empty()) return token;
    return Error{.kind = ErrorKind::usage,
                 .what = fmt::format("tokenFile of {} is empty", user()),
                 .subject = path,
                 .hint = "whatever writes this file must put a token into it"};
  }

  /// As client-go: a file that cannot be read for a moment (it is being replaced) does not take the
  /// token away.
  Result<void> read_token(Identity& out) {
    const UserEntry& entry = config.user;
    std::string token = entry.token.reveal();
    std::string origin = "the token";
    if (!entry.token_file.empty()) {
      auto read = read_token_file();
      if (read) file_token = *read;
      if (!file_token.empty()) token = file_token;
      if (token.empty()) return std::move(read).error();
      origin = fmt::format("the token in {}", entry.token_file);
      read_again = clock.steady() + kTokenFileAge;
    }
    for (char c : token) {
      if (static_cast<unsigned char>(c) > 0x20 && c != 0x7f) continue;
      return Error{.kind = ErrorKind::usage,
                   .what = origin + " has blanks or control characters in it",
                   .subject = user(),
                   .hint = "it must be one line without blanks"};
    }
    if (token.empty()) return {};
    out.authorization = Secret("Bearer " + token);
    out.kind = fmt::format("{} of {}", origin, user());
    return {};
  }

  Result<void> ask_plugin(Identity& out) {
    TRY_ASSIGN(PluginAnswer answer, run_plugin(config, environment, stop));
    expires = answer.expires;
    if (!answer.certificate_pem.empty()) {
      out.certificate_pem = answer.certificate_pem;
      out.key_pem = answer.key_pem;
    }
    if (!answer.token.empty()) out.authorization = Secret("Bearer " + answer.token.reveal());
    out.kind =
        fmt::format("what the credential plugin {} gave for {}", config.user.exec->command, user());
    return {};
  }

  Result<Identity> read() {
    Identity out;
    out.kind = fmt::format("no credentials ({})", user());
    read_again.reset();
    expires.reset();
    // client-go sends credentials over TLS only.
    if (config.server.scheme == Scheme::https) {
      TRY(read_certificate(out));
      TRY(read_token(out));
      const UserEntry& entry = config.user;
      if (out.authorization.empty() && !entry.username.empty()) {
        out.authorization =
            Secret("Basic " + encode_base64(entry.username + ":" + entry.password.reveal()));
        out.kind = fmt::format("the user name and password of {}", user());
      }
      if (out.authorization.empty() && entry.exec) TRY(ask_plugin(out));
    }
    if (out.certificate_pem != last_certificate) ++generation;
    last_certificate = out.certificate_pem;
    out.generation = generation;
    return out;
  }
};

Credentials::Credentials(const ClientConfig& config, const Environment& environment,
                         const Clock& clock, std::stop_token stop)
    : impl_(new Impl{
          .config = config, .environment = environment, .clock = clock, .stop = std::move(stop)}) {}
Credentials::~Credentials() = default;

Result<Identity> Credentials::current() {
  if (impl_->stale()) {
    impl_->cached.reset();  // what has expired must not pass for fresh if reading fails
    TRY_ASSIGN(impl_->cached, impl_->read());
  }
  return *impl_->cached;
}

bool Credentials::refresh(const Identity& used) {
  const UserEntry& user = impl_->config.user;
  bool can_change = user.exec || !user.token_file.empty() || !user.client_certificate.empty();
  if (!can_change || !impl_->cached) return can_change;
  // Another request may have refreshed it meanwhile.
  bool same = impl_->cached->authorization == used.authorization &&
              impl_->cached->certificate_pem == used.certificate_pem;
  if (!same) return true;
  impl_->cached.reset();
  if (user.exec) return true;
  auto now = current();
  return !now || !(now->authorization == used.authorization) ||
         now->certificate_pem != used.certificate_pem;
}

}  // namespace catflap::kube
