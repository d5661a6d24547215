// Through a proxy: the tunnel, and what is said when there is none.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "kube/client.hpp"
#include "support/http_test_server.hpp"
#include "support/test_client.hpp"

namespace catflap::kube {
namespace {

using test::line;
using test::TestClient;
using test::TestConnection;
using test::TestRequest;
using test::TestServer;
using test::TestTls;
using ::testing::HasSubstr;

class Proxy : public ::testing::Test {
 protected:
  TestServer server_{
      [](const TestRequest&, TestConnection& connection) { connection.answer(200, "{}"); }};
  std::string asked_;
  std::string credentials_;

  TestServer::Handler tunnel() {
    return [this](const TestRequest& request, TestConnection& connection) {
      asked_ = request.method + " " + request.target;
      credentials_ = request.header("proxy-authorization");
      connection.send("HTTP/1.1 200 Connection established\r\n\r\n");
      connection.splice_to(server_.port());
    };
  }
  Result<json::value> get_through(const std::string& url) {
    TestClient client(server_);
    client.config.proxy = *parse_endpoint(url, "test");
    return client.api().get_raw("/version");
  }
};

TEST_F(Proxy, Tunnels) {
  TestServer proxy(tunnel(), TestTls::plain);
  EXPECT_EQ(line(get_through(fmt::format("http://u:p@127.0.0.1:{}", proxy.port()))), "ok");
  EXPECT_EQ(asked_, fmt::format("CONNECT 127.0.0.1:{}", server_.port()));
  EXPECT_EQ(credentials_, "Basic dTpw");
}

TEST_F(Proxy, TunnelsInsideTls) {
  TestServer proxy(tunnel(), TestTls::https);
  const std::string path = fmt::format("{}/catflap-proxy-ca-{}", ::testing::TempDir(), ::getpid());
  std::ofstream(path) << proxy.ca_pem();
  const auto untrusted = get_through(proxy.url());
  EXPECT_THAT(line(untrusted), HasSubstr("is not trusted"));
  EXPECT_THAT(untrusted.error().hint, HasSubstr("SSL_CERT_FILE"));
  ::setenv("SSL_CERT_FILE", path.c_str(), 1);  // the system's authorities, as OpenSSL finds them
  EXPECT_EQ(line(get_through(proxy.url())), "ok");
  ::unsetenv("SSL_CERT_FILE");
  std::remove(path.c_str());
  EXPECT_EQ(asked_, fmt::format("CONNECT 127.0.0.1:{}", server_.port()));
}

TEST_F(Proxy, RefusalsSayWhoRefused) {
  const struct {
    int status;
    const char* kind;
    const char* hint;
  } rows[] = {{407, "unauthenticated", "user and password"},
              {403, "unreachable", "may the proxy reach the server?"},
              {502, "unreachable", "may the proxy reach the server?"}};
  for (const auto& row : rows) {
    TestServer proxy([&](const TestRequest&,
                         TestConnection& connection) { connection.answer(row.status, "no"); },
                     TestTls::plain);
    auto result = get_through(proxy.url());
    EXPECT_THAT(line(result), HasSubstr(fmt::format("{} 0: proxy {}: the proxy answered HTTP {} to",
                                                    row.kind, proxy.url(), row.status)));
    EXPECT_THAT(result.error().hint, HasSubstr(row.hint));
  }
}

TEST_F(Proxy, NobodyThereIsNotTheServersFault) {
  TestServer proxy(tunnel(), TestTls::plain);
  proxy.stop_listening();
  auto result = get_through(proxy.url());
  EXPECT_EQ(line(result),
            fmt::format("unreachable 111: proxy {}: Connection refused", proxy.url()));
  EXPECT_THAT(result.error().hint, HasSubstr("is the proxy"));
  EXPECT_THAT(result.error().hint, HasSubstr("NO_PROXY"));
}

}  // namespace
}  // namespace catflap::kube
