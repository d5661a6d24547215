// TestClient: the real Api against a TestServer.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <stop_token>

#include "base/clock.hpp"
#include "kube/client.hpp"
#include "support/http_test_server.hpp"

namespace catflap::test {

struct TestClient {
  explicit TestClient(const TestServer& server) {
    config.server = *kube::parse_endpoint(server.url(), "test");
    config.ca_pem = server.ca_pem();
    config.ca_origin = "certificate-authority-data of cluster \"test\"";
    config.info.user_name = "tester";
    config.user.token = Secret("t0ken");
    environment.variable = [](const std::string&) { return std::nullopt; };
    environment.read_file = [this](const std::string& path) -> Result<std::string> {
      auto found = files.find(path);
      if (found != files.end()) return found->second;
      return Error{
          .kind = ErrorKind::not_found, .what = "cannot be read: No such file", .subject = path};
    };
  }

  /// Made at the first use: until then the config may be changed.
  kube::Api& api() {
    if (!api_) api_ = kube::connect(config, environment, clock, stop.get_token());
    return *api_;
  }

  kube::ClientConfig config;
  kube::Environment environment;
  std::map<std::string, std::string> files;
  RealClock clock;
  std::stop_source stop;

 private:
  std::unique_ptr<kube::Api> api_;
};

/// "not_permitted 403: pods: …", or "ok".
template <class T>
std::string line(const Result<T>& result) {
  if (result) return "ok";
  const Error& error = result.error();
  return fmt::format("{} {}: {}", to_string(error.kind), error.system_code, to_string(error));
}

}  // namespace catflap::test
