// What has arrived counts, also when nobody had time to look before the time was up.
#include "net/connection.hpp"

#include <gtest/gtest.h>
#include <sys/epoll.h>

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
