// The whole engine against real listeners on loopback. What a firewall does is in
// tcp_connect_test.cpp, as measured rows.
#include "net/probe.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <mutex>
#include <set>
#include <thread>

#include "net/scripted_server.hpp"

namespace catflap::net {
namespace {

using namespace std::chrono_literals;
using testing::ClientCertificates;
using testing::ClosedPort;
using testing::felix_metrics;
using testing::http;
using testing::plain_http;
using testing::ScriptedServer;
using testing::send_all;
using testing::TlsServer;

ProbeOptions quick() {
  return {.connect_timeout = 1s, .total_timeout = 5s};
}
/// For what is expected to take all of its time.
ProbeOptions short_time() {
  return {.connect_timeout = 300ms, .total_timeout = 300ms};
}

Reach ask(const HostPort& endpoint, const ProbeOptions& options = quick()) {
  const std::vector<Target> targets{{.endpoint = endpoint, .node = "node-1"}};
  return probe(targets, options, RealClock()).at(0);
}

/// "open felix node-1 http=200 cert=none throwaway=not-tried"
std::string dump(const Reach& reach) {
  std::string line = fmt::format("{} {}", to_string(reach.outcome), to_string(reach.identity));
  if (!reach.felix_host.empty()) line += " " + reach.felix_host;
  if (reach.http_status != 0) line += fmt::format(" http={}", reach.http_status);
  if (reach.tls) line += " " + reach.tls->version;
  if (reach.tls && !reach.tls->alert.empty()) line += " alert=" + reach.tls->alert;
  if (reach.client_cert != ClientCertAsk::none)
    line += fmt::format(" cert={}", to_string(reach.client_cert));
  if (reach.throwaway != ThrowawayResult::not_tried)
    line += fmt::format(" throwaway={}", to_string(reach.throwaway));
  return line;
}

TEST(Probe, ReadsFelixInPlainHttp) {
  const ScriptedServer server(plain_http(http(felix_metrics())));
  const Reach reach = ask(server.endpoint());
  EXPECT_EQ(dump(reach), "open felix node-1 http=200");
  EXPECT_EQ(server.connections(), 2);  // the ClientHello, then the plain reconnect
  EXPECT_EQ(reach.vantage, "direct");
  EXPECT_EQ(reach.node, "node-1");
  EXPECT_EQ(reach.endpoint, server.endpoint());
  EXPECT_GT(reach.bytes, 5512u);
  EXPECT_TRUE(reach.excerpt.starts_with("HTTP/1.1 200 OK")) << reach.excerpt;
  EXPECT_THAT(reach.excerpt, ::testing::HasSubstr("felix_host{host=\"node-1\"} 1"));
  EXPECT_GT(reach.at.time_since_epoch(), 1'700'000'000s);
  EXPECT_LT(reach.took, 5s);
}

std::vector<std::string> ask_again(const HostPort& endpoint, std::size_t times) {
  const std::vector<Target> targets(times, {.endpoint = endpoint, .node = "node-1"});
  std::vector<std::string> said;
  for (const auto& reach : probe(targets, quick(), RealClock())) said.push_back(dump(reach));
  return said;
}

TEST(Probe, WhereOneAnsweredInPlainTextTheNextIsAskedSo) {
  const ScriptedServer server(plain_http(http(felix_metrics())));
  EXPECT_THAT(ask_again(server.endpoint(), 3), ::testing::Each("open felix node-1 http=200"));
  EXPECT_EQ(server.connections(), 2 + 1 + 1);
}

TEST(Probe, AGuessThatWasWrongChangesNothing) {
  const auto plain = plain_http(http(felix_metrics()));
  const TlsServer tls(TLS1_3_VERSION, ClientCertificates::trusted);
  const auto over_tls = tls.answering(http(felix_metrics()));
  const ScriptedServer becomes_tls(
      [&](int socket, int nth) { (nth < 2 ? plain : over_tls)(socket, nth); });
  const auto first = ask_again(becomes_tls.endpoint(), 3);
  EXPECT_EQ(first[0], "open felix node-1 http=200");
  EXPECT_EQ(first[1], dump(ask(becomes_tls.endpoint())));
  EXPECT_THAT(first[1], ::testing::HasSubstr("cert=demanded throwaway=refused"));
  EXPECT_EQ(first[2], first[1]);
  EXPECT_EQ(becomes_tls.connections(), 2 + (1 + 2) + 2 + 2);  // and the guess is not made again

  const auto wants_token = plain_http(http("no", "401 Unauthorized"));
  const ScriptedServer gets_a_guard(
      [&](int socket, int nth) { (nth < 2 ? plain : wants_token)(socket, nth); });
  const auto second = ask_again(gets_a_guard.endpoint(), 2)[1];
  EXPECT_EQ(second, dump(ask(gets_a_guard.endpoint())));
}

TEST(Probe, ReadsFelixOverIPv6) {
  if (!testing::has_ipv6()) GTEST_SKIP() << "this machine has no ::1";
  const ScriptedServer server(plain_http(http(felix_metrics())), "::1");
  EXPECT_EQ(dump(ask(server.endpoint())), "open felix node-1 http=200");
}

TEST(Probe, ARefusalOverIPv6IsOneToo) {
  if (!testing::has_ipv6()) GTEST_SKIP() << "this machine has no ::1";
  const ClosedPort closed("::1");
  EXPECT_EQ(dump(ask(closed.endpoint)), "refused none");
}

TEST(Probe, ReadsFelixOverTlsWithASelfSignedCertificate) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsServer tls(version, ClientCertificates::ignored);
    const ScriptedServer server(tls.answering(http(felix_metrics())));
    const Reach reach = ask(server.endpoint());
    EXPECT_EQ(dump(reach), std::string("open felix node-1 http=200 ") +
                               (version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"));
    EXPECT_EQ(server.connections(), 1);
    ASSERT_TRUE(reach.tls.has_value());
    EXPECT_EQ(reach.tls->subject, "CN=catflap-throwaway");
    EXPECT_TRUE(reach.tls->self_signed);
    EXPECT_EQ(reach.tls->sha256.size(), 64u);
    EXPECT_TRUE(parse_rfc3339(reach.tls->not_after).has_value()) << reach.tls->not_after;
    EXPECT_FALSE(reach.tls->cipher.empty());
  }
}

TEST(Probe, SeesADemandedClientCertificateInBothVersionsOfTls) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsServer tls(version, ClientCertificates::trusted);
    const ScriptedServer server(tls.answering(http(felix_metrics())));
    const Reach reach = ask(server.endpoint());
    const std::string expected =
        version == TLS1_2_VERSION
            ? "open unidentified TLSv1.2 alert=handshake failure cert=demanded throwaway=refused"
            : "open unidentified TLSv1.3 alert=certificate required cert=demanded "
              "throwaway=refused";
    EXPECT_EQ(dump(reach), expected) << reach.detail;
    EXPECT_EQ(server.connections(), 2);
    EXPECT_EQ(reach.tls->subject, "CN=catflap-throwaway");
  }
}

TEST(Probe, AThrowawayCertificateThatIsAcceptedReadsTheMetrics) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsServer tls(version, ClientCertificates::any);
    const ScriptedServer server(tls.answering(http(felix_metrics())));
    const Reach reach = ask(server.endpoint());
    const std::string version_name = version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3";
    EXPECT_EQ(dump(reach),
              "open felix node-1 http=200 " + version_name + " cert=demanded throwaway=accepted")
        << reach.detail;
  }
}

TEST(Probe, ARequestedCertificateThatIsNotNeededIsNotDemanded) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsServer tls(version, ClientCertificates::requested);
    const ScriptedServer server(tls.answering(http(felix_metrics())));
    const std::string version_name = version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3";
    EXPECT_EQ(dump(ask(server.endpoint())),
              "open felix node-1 http=200 " + version_name + " cert=requested");
    EXPECT_EQ(server.connections(), 1);
  }
}

// nginx with ssl_verify_client: the handshake completes, the refusal is an HTTP answer.
TEST(Probe, AClientCertificateCanBeDemandedByHttp400) {
  const TlsServer tls(TLS1_3_VERSION, ClientCertificates::requested);
  const ScriptedServer server(
      tls.answering(http("No required SSL certificate was sent", "400 Bad Request")));
  EXPECT_EQ(dump(ask(server.endpoint())),
            "open unidentified http=400 TLSv1.3 cert=demanded throwaway=refused");
}

TEST(Probe, AMissingTokenIsNotAnIdentity) {
  const TlsServer tls(TLS1_3_VERSION, ClientCertificates::ignored);
  const ScriptedServer over_tls(tls.answering(http("Unauthorized", "401 Unauthorized")));
  EXPECT_EQ(dump(ask(over_tls.endpoint())), "open unidentified http=401 TLSv1.3 throwaway=refused");
  const ScriptedServer in_plain(plain_http(http("Forbidden", "403 Forbidden")));
  EXPECT_EQ(dump(ask(in_plain.endpoint())), "open unidentified http=403 throwaway=refused");
  EXPECT_EQ(in_plain.connections(), 3);
}

TEST(Probe, AnyTokenReadsTheMetricsOfAServerThatChecksNone) {
  std::mutex mutex;
  std::set<std::string> tokens;
  const auto answer = [&](int socket, int) {
    std::array<char, 4096> bytes{};
    const ssize_t got = ::recv(socket, bytes.data(), bytes.size(), 0);
    const std::string request(bytes.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    if (!request.starts_with("GET ")) return send_all(socket, http("", "400 Bad Request"));
    const std::string header = "\r\nAuthorization: Bearer ";
    const auto at = request.find(header);
    if (at == std::string::npos) return send_all(socket, http("", "401 Unauthorized"));
    const std::lock_guard lock(mutex);
    tokens.insert(
        request.substr(at + header.size(), request.find("\r\n", at + 2) - at - header.size()));
    send_all(socket, http(felix_metrics()));
  };
  const ScriptedServer server(answer);
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(dump(ask(server.endpoint())), "open felix node-1 http=200 throwaway=accepted");
  EXPECT_THAT(tokens, ::testing::Each(::testing::MatchesRegex("[0-9a-f]{32}")));
  EXPECT_EQ(tokens.size(), 2u) << "another one for every batch";
}

TEST(Probe, ACertificateThatTheServerCannotReadIsNoRefusal) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsServer tls(version, ClientCertificates::trusted_rsa);
    const ScriptedServer server(tls.answering(http(felix_metrics())));
    const Reach reach = ask(server.endpoint());
    EXPECT_EQ(reach.client_cert, ClientCertAsk::demanded) << reach.detail;
    EXPECT_EQ(reach.throwaway, ThrowawayResult::not_tried) << reach.detail;
    EXPECT_EQ(server.connections(), 2);
  }
}

TEST(Probe, AHangUpIsNoRefusalOfTheThrowawayCertificate) {
  const TlsServer tls(TLS1_3_VERSION, ClientCertificates::trusted);
  const auto refuse = tls.answering("");
  const ScriptedServer server([&](int socket, int nth) {
    if (nth == 0) return refuse(socket, nth);
    testing::reset_on_close(socket);
  });
  const Reach reach = ask(server.endpoint());
  EXPECT_EQ(dump(reach), "open unidentified TLSv1.3 alert=certificate required cert=demanded");
}

TEST(Probe, RecognisesTyphaAndOthers) {
  const struct {
    std::string answer;
    std::string_view expected;
  } rows[] = {
      {http("felix_log_errors 0\ntypha_breadcrumb_size_count 3\n"), "open typha http=200"},
      {http("go_goroutines 8\n"), "open other http=200"},
      {http("404 page not found", "404 Not Found"), "open other http=404"},
      {http("Client sent an HTTP request to an HTTPS server.", "400 Bad Request"),
       "open unidentified http=400"},
      {http("An error has occurred while serving metrics", "500 Internal Server Error"),
       "open unidentified http=500"},
      {"HTTP/1.0 200 OK\r\n\r\ngo_goroutines 8\n", "open unidentified http=200"},
      {"HTTP/1.0 404 Not Found\r\n\r\ngo away\n", "open other http=404"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ngo_goroutines 8\n",
       "open unidentified http=200"},
      {"220 mail.example ESMTP\r\n", "open unidentified"},
  };
  for (const auto& row : rows) {
    const ScriptedServer server(plain_http(row.answer));
    EXPECT_EQ(dump(ask(server.endpoint())), row.expected) << row.answer;
  }
}

TEST(Probe, DoesNotFollowRedirects) {
  std::string answer;
  const ScriptedServer server([&](int socket, int nth) { plain_http(answer)(socket, nth); });
  answer =
      fmt::format("HTTP/1.1 302 Found\r\nLocation: http://{}/metrics\r\nContent-Length: 0\r\n\r\n",
                  server.endpoint().to_string());
  EXPECT_EQ(dump(ask(server.endpoint())), "open other http=302");
  EXPECT_EQ(server.connections(), 2);
}

TEST(Probe, TellsRefusedFromClosedAtOnceAndReset) {
  const ClosedPort closed;
  const Reach refused = ask(closed.endpoint);
  EXPECT_EQ(dump(refused), "refused none");
  EXPECT_EQ(refused.detail, "Connection refused");
  EXPECT_EQ(refused.bytes, 0u);
  const ScriptedServer hangs_up([](int, int) {});
  EXPECT_EQ(dump(ask(hangs_up.endpoint())), "reset unidentified");
  EXPECT_EQ(hangs_up.connections(), 2);
  const ScriptedServer resets_when_asked([](int socket, int) {
    char first = 0;
    EXPECT_EQ(::recv(socket, &first, 1, 0), 1);
    testing::reset_on_close(socket);
  });
  const Reach reset = ask(resets_when_asked.endpoint());
  EXPECT_EQ(dump(reset), "reset unidentified");
  EXPECT_THAT(reset.detail, ::testing::HasSubstr("Connection reset by peer"));
  const ScriptedServer resets_at_once([](int socket, int) { testing::reset_on_close(socket); });
  EXPECT_EQ(dump(ask(resets_at_once.endpoint())), "reset unidentified");
}

TEST(Probe, APortThatTookAConnectionIsNotRefusedBecauseTheNextOneWas) {
  // Closes its listening socket with the first connection still open, then hangs up.
  ClosedPort port;
  ASSERT_EQ(::listen(port.socket.get(), 8), 0);
  std::thread once([&] {
    const UniqueFd socket(::accept(port.socket.get(), nullptr, nullptr));
    port.socket.reset();
  });
  const Reach reach = ask(port.endpoint);
  once.join();
  EXPECT_EQ(dump(reach), "reset unidentified") << reach.detail;
  EXPECT_THAT(reach.detail, ::testing::HasSubstr("Connection refused"));
}

TEST(Probe, ASilentPortIsOpenAndUnidentified) {
  const ScriptedServer server([](int socket, int) { testing::wait_for_hangup(socket); });
  const Reach reach = ask(server.endpoint(), short_time());
  EXPECT_EQ(dump(reach), "open unidentified");
  EXPECT_THAT(reach.detail, ::testing::HasSubstr("silent"));
  EXPECT_GE(reach.took, 300ms);
  EXPECT_LT(reach.took, 2s);
}

TEST(Probe, HostileAnswersEndWithinTheirBounds) {
  ProbeOptions options = short_time();
  options.max_bytes = 64 * 1024;
  const auto forever = [](int socket, std::string_view bytes) {
    while (::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {
    }
  };
  const struct {
    const char* what;
    ScriptedServer::Script script;
  } rows[] = {
      {"slow drip",
       [](int socket, int) {
         for (const char c : http(felix_metrics())) {
           if (::send(socket, &c, 1, MSG_NOSIGNAL) <= 0) return;
           std::this_thread::sleep_for(20ms);
         }
       }},
      {"endless body",
       [&](int socket, int) {
         send_all(socket, "HTTP/1.1 200 OK\r\n\r\n");
         forever(socket, std::string(8192, 'x'));
       }},
      {"endless chunks",
       [&](int socket, int) {
         send_all(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
         forever(socket, "1\r\nx\r\n");
       }},
      {"huge header",
       [&](int socket, int) {
         send_all(socket, "HTTP/1.1 200 OK\r\n");
         forever(socket, "X-Header: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
       }},
      {"endless interim answers",
       [&](int socket, int) { forever(socket, "HTTP/1.1 100 Continue\r\n\r\n"); }},
      {"TLS garbage",
       [&](int socket, int) {
         send_all(socket, "\x16\x03\x03\x01\x01" + std::string(400, '\x7f'));
       }},
      {"endless TLS alerts",
       [&](int socket, int) { forever(socket, std::string("\x15\x03\x03\x00\x02\x01\x00", 7)); }},
      {"endless TLS records",
       [&](int socket, int) { forever(socket, "\x16\x03\x03\x40\x00" + std::string(16384, 'x')); }},
      {"two bytes",
       [](int socket, int) { send_all(socket, "hi"), testing::wait_for_hangup(socket); }},
  };
  for (const auto& row : rows) {
    const ScriptedServer server(row.script);
    const Reach reach = ask(server.endpoint(), options);
    EXPECT_EQ(reach.outcome, Outcome::open) << row.what << ": " << reach.detail;
    EXPECT_EQ(reach.identity, Identity::unidentified) << row.what << ": " << reach.detail;
    EXPECT_LT(reach.took, 2s) << row.what;
    EXPECT_LT(reach.bytes, 1'000'000u) << row.what;
    EXPECT_LE(reach.excerpt.size(), 512u) << row.what;
    EXPECT_LE(server.connections(), 2) << row.what;
  }
}

TEST(Probe, ACutBodyIsNeverNotFelix) {
  const ScriptedServer server(plain_http(http(felix_metrics())));
  ProbeOptions options = quick();
  options.max_bytes = 4096;
  const Reach reach = ask(server.endpoint(), options);
  EXPECT_EQ(dump(reach), "open unidentified http=200");
  EXPECT_THAT(reach.detail, ::testing::HasSubstr("cut after 4096 bytes"));
}

TEST(Probe, AControlOnlyConnects) {
  const ScriptedServer open([](int socket, int) { testing::wait_for_hangup(socket); });
  const ClosedPort closed;
  const std::vector<Target> targets{{.endpoint = open.endpoint(), .node = "a", .control = true},
                                    {.endpoint = closed.endpoint, .node = "b", .control = true}};
  const auto records = probe(targets, quick(), RealClock());
  EXPECT_EQ(dump(records.at(0)), "open none");
  EXPECT_EQ(dump(records.at(1)), "refused none");
  EXPECT_LT(records.at(0).took, 1s);
}

TEST(Probe, NoRouteIsUnreachable) {
  // No TCP connection is ever made to the broadcast address: the kernel itself says so.
  const Reach reach = ask({*IpAddress::parse("255.255.255.255"), 9091}, short_time());
  EXPECT_EQ(dump(reach), "unreachable none") << reach.detail;
}

}  // namespace
}  // namespace catflap::net
