// OpenSSL's objects in our one handle type. Includes OpenSSL, so only for .cpp files and private
// headers of the folders that link it.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/handle.hpp"

namespace catflap {

template <class T, void (*Free)(T*)>
struct OpensslTraits {
  using Type = T*;
  static T* none() { return nullptr; }
  static void close(T* object) { Free(object); }
};

inline void free_bio(BIO* bio) {
  BIO_free_all(bio);
}

using SslContextHandle = UniqueHandle<OpensslTraits<SSL_CTX, SSL_CTX_free>>;
using SslHandle = UniqueHandle<OpensslTraits<SSL, SSL_free>>;
using X509Handle = UniqueHandle<OpensslTraits<X509, X509_free>>;
using KeyHandle = UniqueHandle<OpensslTraits<EVP_PKEY, EVP_PKEY_free>>;
using GeneralNamesHandle = UniqueHandle<OpensslTraits<GENERAL_NAMES, GENERAL_NAMES_free>>;
using BioHandle = UniqueHandle<OpensslTraits<BIO, free_bio>>;
using BioMethodHandle = UniqueHandle<OpensslTraits<BIO_METHOD, BIO_meth_free>>;

}  // namespace catflap
