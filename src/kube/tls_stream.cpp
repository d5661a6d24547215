// TLS over any Stream: OpenSSL works on two memory buffers, this file carries the bytes.
// Why not asio::ssl::stream: one type for TLS on TCP and TLS in a proxy's tunnel, and the reasons
// of failures kept.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>

#include "base/ip.hpp"
#include "base/openssl_handles.hpp"
#include "base/text.hpp"
#include "kube/stream.hpp"

namespace catflap::kube {

namespace {

std::string take_reason() {
  unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "the connection broke off" : reason;
}

std::string names_of(X509* certificate) {
  std::vector<std::string> out;
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names) && out.size() < 10; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_DNS) {
      out.push_back(
          printable({reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                     static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))},
                    100));
    } else if (name->type == GEN_IPADD) {
      const unsigned char* bytes = ASN1_STRING_get0_data(name->d.iPAddress);
      if (ASN1_STRING_length(name->d.iPAddress) == 4) {
        out.push_back(IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]}).to_string());
      } else if (ASN1_STRING_length(name->d.iPAddress) == 16) {
        std::array<std::uint8_t, 16> all{};
        std::copy_n(bytes, 16, all.begin());
        out.push_back(IpAddress::v6(all).to_string());
      }
    }
  }
  GENERAL_NAMES_free(names);
  return out.empty() ? "no name" : fmt::format("{}", fmt::join(out, ", "));
}

std::string in_words(std::optional<TimePoint> end) {
  return end ? to_rfc3339(*end) : "an unknown date";
}

class TlsStream final : public Stream {
 public:
  TlsStream(std::unique_ptr<Stream> lower, const TlsContext& context, std::string name)
      : lower_(std::move(lower)),
        settings_(context.settings()),
        name_(std::move(name)),
        ssl_(SSL_new(context.get())) {
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in_, -1);
    SSL_set_bio(ssl_.get(), in_, out_);  // the SSL owns both
    SSL_set_connect_state(ssl_.get());
    SSL_set_app_data(ssl_.get(), this);
    SSL_set_verify(ssl_.get(), SSL_get_verify_mode(ssl_.get()), &TlsStream::keep_refused);
    X509_VERIFY_PARAM* check = SSL_get0_param(ssl_.get());
    if (IpAddress::parse(name_)) {
      X509_VERIFY_PARAM_set1_ip_asc(check, name_.c_str());
    } else {
      X509_VERIFY_PARAM_set_hostflags(
          check, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      X509_VERIFY_PARAM_set1_host(check, name_.data(), name_.size());
      SSL_set_tlsext_host_name(ssl_.get(), name_.c_str());
    }
  }

  void abort(const Error& why) override { lower_->abort(why); }

  bool quiet() override {
    return SSL_pending(ssl_.get()) == 0 && BIO_pending(in_) == 0 && lower_->quiet();
  }

  Task<Result<void>> handshake() {
    for (;;) {
      ERR_clear_error();
      int code = SSL_do_handshake(ssl_.get());
      int want = SSL_get_error(ssl_.get(), code);
      CO_TRY(co_await flush());  // also the alert that says why we refuse
      if (code == 1) co_return Result<void>();
      if (want != SSL_ERROR_WANT_READ) co_return handshake_error();
      CO_TRY_ASSIGN(bool more, co_await fill());
      if (!more) {
        co_return Error{.kind = ErrorKind::unreachable,
                        .what = "the TLS handshake broke off: the other end closed the connection",
                        .subject = name_,
                        .hint =
                            "is this the API server's port, and is nothing between here and there "
                            "that cuts TLS?",
                        .system_code = ECONNRESET};
      }
    }
  }

  Task<Result<std::size_t>> read_some(std::span<char> into) override {
    for (;;) {
      ERR_clear_error();
      std::size_t n = 0;
      int code = SSL_read_ex(ssl_.get(), into.data(), into.size(), &n);
      int want = SSL_get_error(ssl_.get(), code);
      CO_TRY(co_await flush());
      if (code == 1) co_return n;
      if (want == SSL_ERROR_ZERO_RETURN) co_return std::size_t{0};
      if (want != SSL_ERROR_WANT_READ) co_return read_error();
      CO_TRY_ASSIGN(bool more, co_await fill());
      if (!more) co_return std::size_t{0};
    }
  }

  Task<Result<void>> write_all(std::string_view bytes) override {
    while (!bytes.empty()) {
      ERR_clear_error();
      std::size_t n = 0;
      int code = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &n);
      if (code != 1 && SSL_get_error(ssl_.get(), code) != SSL_ERROR_WANT_READ)
        co_return read_error();
      CO_TRY(co_await flush());
      if (code == 1) {
        bytes.remove_prefix(n);
      } else {
        CO_TRY_ASSIGN(bool more, co_await fill());
        if (!more)
          co_return Error{.kind = ErrorKind::unreachable,
                          .what = "the connection was closed",
                          .subject = name_};
      }
    }
    co_return Result<void>();
  }

 private:
  /// OpenSSL drops the chain that it refused: the one at fault is kept, to tell about it.
  static int keep_refused(int good, X509_STORE_CTX* check) {
    X509* certificate = X509_STORE_CTX_get_current_cert(check);
    if (good == 1 || certificate == nullptr) return good;
    void* ssl = X509_STORE_CTX_get_ex_data(check, SSL_get_ex_data_X509_STORE_CTX_idx());
    auto* self = static_cast<TlsStream*>(SSL_get_app_data(static_cast<SSL*>(ssl)));
    X509_up_ref(certificate);
    self->refused_.reset(certificate);
    return good;
  }

  Task<Result<void>> flush() {
    while (BIO_pending(out_) > 0) {
      std::string bytes(static_cast<std::size_t>(BIO_pending(out_)), '\0');
      int n = BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
      bytes.resize(static_cast<std::size_t>(std::max(n, 0)));
      CO_TRY(co_await lower_->write_all(bytes));
    }
    co_return Result<void>();
  }

  /// False at the peer's end of the connection.
  Task<Result<bool>> fill() {
    CO_TRY_ASSIGN(std::size_t n, co_await lower_->read_some(buffer_));
    if (n > 0) BIO_write(in_, buffer_.data(), static_cast<int>(n));
    co_return n > 0;
  }

  /// An alert after the handshake: with TLS 1.3 that is how a client certificate is refused.
  Error read_error() {
    std::string reason = take_reason();
    bool about_us = reason.find("alert") != std::string::npos;
    return Error{.kind = about_us ? ErrorKind::unauthenticated : ErrorKind::unreachable,
                 .what = about_us ? "the server ended TLS: " + reason : "TLS failed: " + reason,
                 .subject = name_,
                 .hint = about_us ? client_certificate_hint() : ""};
  }

  [[nodiscard]] std::string client_certificate_hint() const {
    if (settings_.certificate_pem.empty())
      return "the server may ask for a client certificate: this user has none";
    return fmt::format("shown was {}, valid until {}", settings_.certificate_origin,
                       in_words(certificate_end(settings_.certificate_pem)));
  }

  Error handshake_error() {
    long verdict = SSL_get_verify_result(ssl_.get());
    std::string reason = take_reason();
    if (settings_.check == ServerCheck::skip || verdict == X509_V_OK) {
      Error out = Error{.kind = ErrorKind::unreachable,
                        .what = "the TLS handshake failed: " + reason,
                        .subject = name_};
      if (reason == "wrong version number" || reason == "packet length too long" ||
          reason == "http request") {
        out.hint =
            "the other end does not speak TLS: is the port right, and should the URL begin with "
            "http://?";
      } else if (reason.find("alert") != std::string::npos) {
        out.hint = client_certificate_hint();
      }
      return out;
    }
    return certificate_error(verdict);
  }

  [[nodiscard]] std::string trust_hint() const {
    if (!settings_.ca_pem.empty())
      return fmt::format(
          "it was checked against {}: is this the right cluster, and its current CA?",
          settings_.ca_origin);
    const std::string looked =
        settings_.ca_origin.empty()
            ? "this system has no bundle of authorities (/etc/ssl/certs/ca-certificates.crt or "
              "its like)"
            : fmt::format("it was checked against the system's authorities ({})",
                          settings_.ca_origin);
    return looked +
           ": name the cluster's CA in the kubeconfig (certificate-authority), or a bundle in "
           "SSL_CERT_FILE";
  }

  Error certificate_error(long verdict) {
    Error out{.kind = ErrorKind::unreachable, .subject = name_};
    out.what = fmt::format("the server's certificate is not trusted: {}",
                           X509_verify_cert_error_string(verdict));
    X509* certificate = refused_.get();
    out.hint = trust_hint();
    if (certificate == nullptr) return out;
    if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH) {
      out.what = fmt::format("the server's certificate is not for \"{}\" but for {}", name_,
                             names_of(certificate));
      out.hint = "use one of these names in the server's URL, or --tls-server-name";
    } else if (verdict == X509_V_ERR_CERT_HAS_EXPIRED) {
      out.what += ", it ended at " + in_words(certificate_end(certificate));
      out.hint = "renew the API server's certificate; if it is new, check this machine's clock";
    }
    return out;
  }

  std::unique_ptr<Stream> lower_;
  TlsSettings settings_;
  std::string name_;
  SslHandle ssl_;
  X509Handle refused_;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
  std::array<char, 16384> buffer_{};
};

}  // namespace

Task<Result<std::unique_ptr<Stream>>> connect_tls(Scope& scope, std::unique_ptr<Stream> lower,
                                                  const TlsContext& context, std::string name) {
  auto stream = std::make_unique<TlsStream>(std::move(lower), context, std::move(name));
  Scope::Member member(scope, *stream);
  CO_TRY(co_await stream->handshake());
  co_return std::unique_ptr<Stream>(std::move(stream));
}

}  // namespace catflap::kube
