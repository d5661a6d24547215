#include "net/tls_stream.hpp"

#include <fmt/core.h>
#include <openssl/err.h>

#include <array>

namespace catflap::net {

/// What OpenSSL calls back. A BIO of our own instead of the socket BIO: that one raises SIGPIPE and
/// counts nothing.
class TlsCallbacks {
 public:
  static int write_wire(BIO* bio, const char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    const auto sent = wire(bio).write({bytes, static_cast<std::size_t>(size)});
    if (sent.io == Io::done) return static_cast<int>(sent.bytes);
    BIO_set_retry_write(bio);
    return -1;
  }

  static int read_wire(BIO* bio, char* into, int size) {
    BIO_clear_retry_flags(bio);
    if (stream(bio).messages_ > kMostMessages) return -1;
    const auto got = wire(bio).read({into, static_cast<std::size_t>(size)});
    if (got.io == Io::done) return static_cast<int>(got.bytes);
    if (got.io == Io::closed) return 0;
    if (got.io == Io::wait) BIO_set_retry_read(bio);
    return -1;
  }

  static long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }

  static int choose_certificate(SSL* ssl, X509** leaf, EVP_PKEY** key) {
    TlsStream& stream = of(ssl);
    stream.certificate_asked_ = true;
    if (stream.credential_ == Credential::none) return 0;
    const Certificate& throwaway = stream.context_.throwaway();
    X509_up_ref(throwaway.leaf.get());  // OpenSSL frees what it is given
    EVP_PKEY_up_ref(throwaway.key.get());
    *leaf = throwaway.leaf.get();
    *key = throwaway.key.get();
    return 1;
  }

  static void note_message(int sent, int /*version*/, int kind, const void* bytes, std::size_t size,
                           SSL* ssl, void* /*argument*/) {
    if (kind != SSL3_RT_HANDSHAKE) return;
    if (sent == 0) {
      if (++of(ssl).messages_ > kMostMessages) of(ssl).problem_ = "too many handshake messages";
      return;
    }
    // An empty list of certificates, as a client sends it that has none, takes no more: head 4,
    // context 1 and up to 255, length 3.
    constexpr std::size_t kEmptyList = 263;
    if (size <= kEmptyList) return;
    if (*static_cast<const unsigned char*>(bytes) == SSL3_MT_CERTIFICATE)
      of(ssl).certificate_shown_ = true;
  }

  /// Nobody is verified, so no chain need be put together: of a hundred certificates that takes
  /// long.
  static int accept_anybody(X509_STORE_CTX* /*store*/, void* /*argument*/) { return 1; }

  /// As at level 0, but for a Diffie-Hellman group so large that it takes seconds.
  static int allow(const SSL* /*ssl*/, const SSL_CTX* /*context*/, int operation, int /*bits*/,
                   int /*kind*/, void* key, void* /*argument*/) {
    constexpr int kLargestGroup = 4096;
    const bool group = operation == SSL_SECOP_TMP_DH && key != nullptr;
    return !group || EVP_PKEY_get_bits(static_cast<EVP_PKEY*>(key)) <= kLargestGroup ? 1 : 0;
  }

  static void note_alert(const SSL* ssl, int where, int value) {
    if ((where & SSL_CB_READ_ALERT) != SSL_CB_READ_ALERT) return;
    const int alert = value & 0xff;
    constexpr int kCloseNotify = 0;
    const bool orderly = alert == kCloseNotify && value >> 8 == SSL3_AL_WARNING;
    if (!orderly) of(ssl).alert_ = alert;
  }

 private:
  /// A handshake has ten at most, and two tickets follow it. OpenSSL reads on until there is data,
  /// and answers each request for new keys: of a megabyte of those for seconds.
  static constexpr int kMostMessages = 64;

  static TlsStream& stream(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }
  static Wire& wire(BIO* bio) { return stream(bio).wire_; }
  static TlsStream& of(const SSL* ssl) { return *static_cast<TlsStream*>(SSL_get_app_data(ssl)); }
};

namespace {

Error openssl_error(const char* what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return {.kind = ErrorKind::internal, .what = fmt::format("{}: {}", what, text.data())};
}

BioMethodHandle make_wire_method() {
  BioMethodHandle method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "catflap wire"));
  if (!method) return method;
  BIO_meth_set_write(method.get(), TlsCallbacks::write_wire);
  BIO_meth_set_read(method.get(), TlsCallbacks::read_wire);
  BIO_meth_set_ctrl(method.get(), TlsCallbacks::control);
  return method;
}

/// All certificates of one end, and all names of authorities that it asks for: those of a whole
/// system take 20 KiB.
constexpr long kMostCertificateBytes = 32L * 1024;

/// OpenSSL makes objects of them, up to 50 times as large if all is in tiny parts. Those of a whole
/// system are 800 parts.
constexpr int kMostParts = 2048;

int parts_of(const X509_NAME* name) {
  return 1 + X509_NAME_entry_count(name);
}

int parts_of(const X509* certificate) {
  constexpr int kItself = 8;
  return kItself + X509_get_ext_count(certificate) + parts_of(X509_get_subject_name(certificate)) +
         parts_of(X509_get_issuer_name(certificate));
}

bool has_too_many_parts(const SSL* ssl) {
  int parts = 0;
  const auto* chain = SSL_get_peer_cert_chain(ssl);
  for (int i = 0; i < sk_X509_num(chain); ++i) parts += parts_of(sk_X509_value(chain, i));
  const auto* authorities = SSL_get0_peer_CA_list(ssl);
  for (int i = 0; i < sk_X509_NAME_num(authorities); ++i)
    parts += parts_of(sk_X509_NAME_value(authorities, i));
  return parts > kMostParts;
}

/// Of what we send, which is all shorter. For each connection OpenSSL allocates room for the
/// longest as it begins to speak, and 16 KiB that are freed at once leave a hole beside all that
/// stays.
constexpr long kLongestRecord = 4096;

/// OpenSSL's own but for ffdhe6144 and ffdhe8192, and what it has besides.
constexpr const char* kGroups =
    "X25519:P-256:X448:P-521:P-384:ffdhe2048:ffdhe3072:ffdhe4096:"
    "brainpoolP256r1:brainpoolP384r1:brainpoolP512r1";

/// Those without a certificate or without encryption last: who knows no others is read by anybody.
constexpr const char* kCiphers = "ALL:eNULL:+aNULL:+eNULL:@SECLEVEL=0";

/// Anything that this OpenSSL could agree on, if it does not cost us seconds: a probe that is
/// stricter than an attacker would miss what he reads.
bool allow_everything(SSL_CTX* context) {
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_cert_verify_callback(context, TlsCallbacks::accept_anybody, nullptr);
  SSL_CTX_set_security_callback(context, TlsCallbacks::allow);
  SSL_CTX_set_max_cert_list(context, kMostCertificateBytes);
  SSL_CTX_set_options(context, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  return SSL_CTX_set_max_send_fragment(context, kLongestRecord) == 1 &&
         SSL_CTX_set_min_proto_version(context, TLS1_VERSION) == 1 &&
         SSL_CTX_set1_groups_list(context, kGroups) == 1 &&
         SSL_CTX_set_cipher_list(context, kCiphers) == 1;
}

}  // namespace

Result<TlsContext> TlsContext::create(TimePoint now) {
  TlsContext made;
  made.context_.reset(SSL_CTX_new(TLS_client_method()));
  made.wire_method_ = make_wire_method();
  if (!made.context_ || !made.wire_method_ || !allow_everything(made.context_.get()))
    return openssl_error("setting up TLS");
  SSL_CTX_set_client_cert_cb(made.context_.get(), TlsCallbacks::choose_certificate);
  SSL_CTX_set_info_callback(made.context_.get(), TlsCallbacks::note_alert);
  SSL_CTX_set_msg_callback(made.context_.get(), TlsCallbacks::note_message);
  TRY_ASSIGN(made.throwaway_, make_throwaway_certificate(now));
  TRY_ASSIGN(made.throwaway_token_, make_throwaway_token());
  return made;
}

TlsStream::TlsStream(const TlsContext& context, Wire& wire, Credential credential)
    : context_(context), wire_(wire), credential_(credential), ssl_(SSL_new(context.get())) {
  CHECK(ssl_, "SSL_new: out of memory");
  BIO* bio = BIO_new(context.wire_method());
  CHECK(bio != nullptr, "BIO_new: out of memory");
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_connect_state(ssl_.get());
}

TlsStream::Step TlsStream::handshake() {
  ERR_clear_error();
  const Step step = after(SSL_do_handshake(ssl_.get()));
  if ((step != Step::wait && step != Step::done) || !has_too_many_parts(ssl_.get())) return step;
  problem_ = "certificates or authorities of too many parts";
  return Step::failed;
}

TlsStream::Count TlsStream::write(std::string_view bytes) {
  ERR_clear_error();
  std::size_t written = 0;
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
  return {after(result), written};
}

TlsStream::Count TlsStream::read(std::span<char> into) {
  ERR_clear_error();
  std::size_t got = 0;
  const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
  return {after(result), got};
}

TlsStream::Step TlsStream::after(int result) {
  if (result == 1) return Step::done;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return Step::wait;
    case SSL_ERROR_ZERO_RETURN:
      return Step::closed;
    case SSL_ERROR_SSL:
      if (const char* reason = ERR_reason_error_string(ERR_peek_error()); reason != nullptr)
        problem_ = reason;
      break;
    default:
      break;
  }
  ERR_clear_error();
  return Step::failed;
}

}  // namespace catflap::net
