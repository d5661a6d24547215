// The words on the left came from kube-apiserver v1.33.13 and real listeners, recorded on the real
// cluster: closed ports, nft's drop and three kinds of reject, TLS with and without a demanded
// client certificate, connections that end or are reset, and what is not HTTP.
#include "look/proxy_words.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace catflap::look {
namespace {

std::string read(std::string_view words) {
  const auto got = read_proxy_words(words, *HostPort::parse("10.91.0.11:9091"));
  return fmt::format("{}{}{}{}{}", to_string(got.outcome), got.not_tls ? " not-tls" : "",
                     got.certificate ? " certificate" : "",
                     got.alert.empty() ? "" : " alert: ", got.alert);
}

TEST(ProxyWords, Recorded) {
  EXPECT_EQ(read("dial tcp 10.91.0.11:9091: connect: connection refused"), "refused");
  EXPECT_EQ(read("dial tcp 10.91.0.11:9091: i/o timeout"), "timeout");
  EXPECT_EQ(read("dial tcp 10.91.0.11:9091: connect: no route to host"), "unreachable");
  EXPECT_EQ(read("tls: first record does not look like a TLS handshake"), "open not-tls");
  EXPECT_EQ(read("remote error: tls: certificate required"),
            "open certificate alert: certificate required");
  EXPECT_EQ(read("remote error: tls: handshake failure"), "open alert: handshake failure");
  EXPECT_EQ(read("EOF"), "reset");
  EXPECT_EQ(read("read tcp 10.91.0.1:54802->10.91.0.11:9091: read: connection reset by peer"),
            "reset");
  EXPECT_EQ(read("net/http: HTTP/1.x transport connection broken: malformed HTTP status code "
                 "\"there\""),
            "open");
}

TEST(ProxyWords, AnotherAddressOrOtherWordsAreNoRefusal) {
  // An egress proxy of the API server's own that is down, and a k3s server's.
  EXPECT_EQ(read("dial tcp 127.0.0.1:8131: connect: connection refused"), "error");
  EXPECT_EQ(read("proxy error from 127.0.0.1:6443 while dialing 10.91.0.11:9091, code 502: 502 Bad "
                 "Gateway"),
            "error");
  EXPECT_EQ(read("dial tcp 10.91.0.11:9092: connect: connection refused"), "error");
  EXPECT_EQ(read("dial tcp 10.91.0.11:9091: connect: connection refused, or not"), "error");
  EXPECT_EQ(read("dial tcp: address 99999: invalid port"), "error");
  EXPECT_EQ(read("No agent available"), "error");
  EXPECT_EQ(read(""), "error");
}

TEST(ProxyWords, OfAnIpv6Address) {
  const auto asked = *HostPort::parse("[fd91::11]:9091");
  const auto refused =
      read_proxy_words("dial tcp [fd91::11]:9091: connect: connection refused", asked);
  EXPECT_EQ(refused.outcome, Outcome::refused);
  const auto prohibited =
      read_proxy_words("dial tcp [fd91::11]:9091: connect: permission denied", asked);
  EXPECT_EQ(prohibited.outcome, Outcome::rejected);
}

}  // namespace
}  // namespace catflap::look
