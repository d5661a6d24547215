// The command against this machine's kernel: exit codes and what is said beside the table.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/runtime_test.hpp"
#include "base/handle.hpp"

namespace catflap::app {
namespace {

struct Listening {
  UniqueFd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::string port;
  Listening() {
    sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(fd.get(), 1), 0);
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port = std::to_string(ntohs(address.sin_port));
  }
};

int run(std::vector<std::string> arguments, std::string* out = nullptr) {
  test::World world;
  arguments.insert(arguments.begin(), "listeners");
  const int code = world.run(std::move(arguments));
  if (out != nullptr) *out = world.out.str() + world.err.str();
  return code;
}

TEST(ListenersCommand, CheckAnswersByItsExitCode) {
  std::string port;
  std::string said;
  {
    const Listening here;
    port = here.port;
    EXPECT_EQ(run({"--check", "--port", port}), 1);
    EXPECT_EQ(run({"--port", port}, &said), 0) << "without --check it is no failure";
    EXPECT_NE(said.find("127.0.0.1:" + port), std::string::npos) << said;
    EXPECT_NE(said.find("pid=" + std::to_string(::getpid())), std::string::npos) << said;
    EXPECT_EQ(run({"--check", "--port", "1", "--port", port}), 1);
    EXPECT_EQ(run({"--check", "--port", port, "--netns", std::to_string(::getpid())}),
              ::geteuid() == 0 ? 1 : 4);
  }
  EXPECT_EQ(run({"--check", "--port", port}), 0) << "nothing listens there any more";
}

TEST(ListenersCommand, TheDocumentNamesTheMachine) {
  const Listening here;
  std::string said;
  EXPECT_EQ(run({"--port", here.port, "-o", "json"}, &said), 0);
  for (const char* part :
       {"\"kind\": \"Listeners\"", "\"bootId\": \"", "\"complete\": true", "\"felix\": false"})
    EXPECT_NE(said.find(part), std::string::npos) << part << "\n" << said;
}

TEST(ListenersCommand, BadInputIsToldBeforeAnythingIsAsked) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"--check"},
                                                {"--port", "0"},
                                                {"--port", "65536"},
                                                {"--port", "http"},
                                                {"--netns", "../etc"},
                                                {"--netns", "no-such-namespace"},
                                                {"--netns", "999999999"}})
    EXPECT_EQ(run(words), 2) << words.back();
  test::World world;
  bool connected = false;
  world.connect = [&](const ConnectFlags&) -> Result<std::unique_ptr<kube::Api>> {
    connected = true;
    return Error{.kind = ErrorKind::unreachable};
  };
  EXPECT_EQ(world.run({"verify", "--observations", "/no/such/folder", "--evidence", "/tmp/e"}), 2);
  EXPECT_FALSE(connected);
}

}  // namespace
}  // namespace catflap::app
