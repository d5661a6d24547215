// OpenSSL's objects in our one handle type; for tls.cpp and tls_stream.cpp only.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <optional>

#include "base/clock.hpp"
#include "base/handle.hpp"

namespace catflap::kube {

template <class T, void (*Free)(T*)>
struct OpensslTraits {
  using Type = T*;
  static T* none() { return nullptr; }
  static void close(T* object) { Free(object); }
};

inline void free_bio(BIO* bio) {
  BIO_free_all(bio);
}

using UniqueBio = UniqueHandle<OpensslTraits<BIO, free_bio>>;
using UniqueX509 = UniqueHandle<OpensslTraits<X509, X509_free>>;
using UniqueKey = UniqueHandle<OpensslTraits<EVP_PKEY, EVP_PKEY_free>>;
using UniqueSsl = UniqueHandle<OpensslTraits<SSL, SSL_free>>;

/// The end of its validity; nullopt if it does not parse, or there is no certificate.
[[nodiscard]] std::optional<TimePoint> certificate_end(const X509* certificate);

}  // namespace catflap::kube
