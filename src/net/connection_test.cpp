// What has arrived counts, also when nobody had time to look before the time was up.
#include "net/connection.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <optional>
#include <thread>

#include "net/scripted_server.hpp"

namespace catflap::net {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxBytes = 1u << 20;

TlsContext context() {
  return *TlsContext::create(RealClock().now());
}

TEST(Connection, OneThatHasOpenedMeanwhileIsNoTimeout) {
  const testing::ScriptedServer server([](int socket, int) { testing::wait_for_hangup(socket); });
  const TlsContext tls = context();
  Connection connection(server.endpoint(), Speak::plain, tls, kMaxBytes);
  std::this_thread::sleep_for(50ms);
  connection.expire(3s);
  EXPECT_FALSE(connection.over());
  EXPECT_FALSE(connection.connecting());
  connection.expire(8s);
  ASSERT_TRUE(connection.over());
  const Attempt attempt = connection.take();
  EXPECT_EQ(attempt.end, Attempt::End::timed_out);
  EXPECT_EQ(attempt.detail, "connected, but silent within 8s");
}

TEST(Connection, OneThatWasRefusedMeanwhileIsRefused) {
  const testing::ClosedPort closed;
  const TlsContext tls = context();
  Connection connection(closed.endpoint, Speak::plain, tls, kMaxBytes);
  std::this_thread::sleep_for(50ms);
  connection.expire(3s);
  ASSERT_TRUE(connection.over());
  EXPECT_EQ(connection.take().failure.outcome, Outcome::refused);
}

TEST(Connection, OneOfWhichNothingCameIsATimeout) {
  // Once as many as fit wait to be accepted, the kernel answers no more.
  const testing::ClosedPort full;
  ASSERT_EQ(::listen(full.socket.get(), 0), 0);
  const TlsContext tls = context();
  std::array<std::optional<Connection>, 4> crowd;
  for (auto& one : crowd) one.emplace(full.endpoint, Speak::plain, tls, kMaxBytes);
  std::this_thread::sleep_for(50ms);
  EXPECT_TRUE(has_news(crowd.front()->socket()));
  EXPECT_FALSE(has_news(crowd.back()->socket()));
  crowd.back()->expire(3s);
  ASSERT_TRUE(crowd.back()->over());
  const auto failure = crowd.back()->take().failure;
  EXPECT_EQ(failure.outcome, Outcome::timeout);
  EXPECT_EQ(failure.detail, "no answer within 3s");
}

TEST(Connection, ARequestDoesNotWaitForAnAcknowledgement) {
  const testing::ScriptedServer server([](int socket, int) { testing::wait_for_hangup(socket); });
  const TlsContext tls = context();
  Connection connection(server.endpoint(), Speak::tls, tls, kMaxBytes);
  std::this_thread::sleep_for(50ms);
  connection.advance(EPOLLOUT);
  int at_once = 0;
  socklen_t size = sizeof at_once;
  ASSERT_EQ(::getsockopt(connection.socket(), IPPROTO_TCP, TCP_NODELAY, &at_once, &size), 0);
  EXPECT_EQ(at_once, 1);
}

TEST(Connection, AnAnswerThatHasComeMeanwhileIsRead) {
  const testing::ScriptedServer server(
      testing::plain_http(testing::http(testing::felix_metrics("n1"))));
  const TlsContext tls = context();
  Connection connection(server.endpoint(), Speak::plain, tls, kMaxBytes);
  std::this_thread::sleep_for(50ms);
  connection.advance(EPOLLOUT);
  std::this_thread::sleep_for(200ms);
  connection.expire(8s);
  ASSERT_TRUE(connection.over());
  EXPECT_EQ(connection.take().felix_host, "n1");
}

}  // namespace
}  // namespace catflap::net
