// The script of a look from a pod, run by a real sh with the real curl and bash of this machine
// against listeners on loopback, and what hostile output can do.
#include "look/pod_script.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <thread>

#include "base/handle.hpp"

namespace catflap::look {
namespace {

using testing::HasSubstr;
using Tool = PodOutput::Tool;

constexpr std::string_view kNonce = "5eed";

/// Takes connections on 127.0.0.1 and says one thing to each, until it goes.
class Listener4 {
 public:
  explicit Listener4(std::string says) : says_(std::move(says)) {
    socket_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* where = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_.get(), where, size), 0);
    EXPECT_EQ(::getsockname(socket_.get(), where, &size), 0);
    port_ = ntohs(address.sin_port);
    EXPECT_EQ(::listen(socket_.get(), 8), 0);
    thread_ = std::jthread([this] { serve(); });
  }
  ~Listener4() { ::shutdown(socket_.get(), SHUT_RDWR); }
  Listener4(const Listener4&) = delete;
  Listener4& operator=(const Listener4&) = delete;
  [[nodiscard]] Port port() const { return port_; }

 private:
  void serve() {
    for (;;) {
      const UniqueFd peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (peer.get() < 0) return;
      // bash writes its request line by line; what is left unread would turn the end into a reset.
      std::string request;
      char buffer[4096];
      ssize_t got = 0;
      while (request.find("\r\n\r\n") == request.npos &&
             (got = ::recv(peer.get(), buffer, sizeof buffer, 0)) > 0)
        request.append(buffer, static_cast<std::size_t>(got));
      if (got <= 0) continue;
      (void)!::write(peer.get(), says_.data(), says_.size());
    }
  }
  std::string says_;
  UniqueFd socket_;
  Port port_ = 0;
  std::jthread thread_;
};

/// A port that nobody listens on for the moment.
Port closed_port() {
  return Listener4("").port();
}

std::string http(const std::string& body, const std::string& status = "200 OK") {
  return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", status,
                     body.size(), body);
}

std::string run(const std::string& script, const char* path = "") {
  const std::string name = testing::TempDir() + fmt::format("pod-script-{}", ::getpid());
  std::ofstream(name) << script;
  const auto command = fmt::format("{} /bin/sh {} 2>/dev/null", path, name);
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string out;
  char buffer[4096];
  while (const auto n = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, n);
  ::pclose(pipe);
  ::unlink(name.c_str());
  return out;
}

PodAsk at(Port port, bool tls = false) {
  return {.endpoint = {*IpAddress::parse("127.0.0.1"), port}, .tls = tls};
}

std::string line(const PodOutput& output, std::size_t which, bool tls = false) {
  Reach reach;
  const auto& said = output.said.at(which);
  if (said.complete || said.connected) add_said(reach, said, output.tool, tls);
  return fmt::format("{} {} {}{}{}", to_string(reach.outcome), to_string(reach.identity),
                     reach.http_status, reach.felix_host.empty() ? "" : " ", reach.felix_host);
}

/// A folder with links to these programs, for PATH.
std::string path_with(const std::vector<std::string>& programs) {
  const std::string folder = testing::TempDir() + fmt::format("pod-path-{}", ::getpid());
  (void)!::system(fmt::format("rm -rf {0} && mkdir -p {0}", folder).c_str());
  for (const auto& program : programs)
    (void)!::system(fmt::format("ln -s $(command -v {1}) {0}/{1}", folder, program).c_str());
  return "PATH=" + folder;
}

class PodScript : public testing::Test {
 protected:
  PodScript()
      : felix(http("# HELP x\nfelix_host{host=\"n1\"} 1\nmore 2\n")),
        other(http("up 1\n")),
        not_found(http("404 page not found\n", "404 Not Found")),
        mute(""),
        junk("hello there\r\n") {
    asks = {at(felix.port()), at(other.port()), at(not_found.port()),
            at(mute.port()),  at(junk.port()),  at(closed_port())};
  }

  std::vector<std::string> lines(const PodOutput& output) const {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < asks.size(); ++i) all.push_back(line(output, i));
    return all;
  }

  Listener4 felix, other, not_found, mute, junk;
  std::vector<PodAsk> asks;
};

TEST_F(PodScript, WithCurl) {
  if (::system("command -v curl >/dev/null") != 0) GTEST_SKIP() << "no curl here";
  const auto output = parse_pod_output(run(pod_script(kNonce, asks)), kNonce, asks.size());
  EXPECT_EQ(output.tool, Tool::curl);
  EXPECT_THAT(lines(output),
              testing::ElementsAre("open felix 200 n1", "open other 200", "open other 404",
                                   "reset none 0", "open unidentified 0", "refused none 0"));
}

TEST_F(PodScript, WithBash) {
  const auto path = path_with({"sh", "bash", "timeout", "head", "grep", "cut", "sed", "cat"});
  const auto output =
      parse_pod_output(run(pod_script(kNonce, asks), path.c_str()), kNonce, asks.size());
  EXPECT_EQ(output.tool, Tool::bash);
  EXPECT_THAT(lines(output),
              testing::ElementsAre("open felix 200 n1", "open other 200", "open other 404",
                                   "reset none 0", "reset none 0", "refused none 0"));
}

TEST_F(PodScript, WithNeither) {
  const auto path = path_with({"sh", "head", "grep", "cut", "sed", "cat"});
  const auto output =
      parse_pod_output(run(pod_script(kNonce, asks), path.c_str()), kNonce, asks.size());
  EXPECT_EQ(output.tool, Tool::none);
  for (const auto& said : output.said) EXPECT_FALSE(said.complete);
}

TEST_F(PodScript, ABodyWithoutAnEndIsCutAndNotIdentified) {
  if (::system("command -v curl >/dev/null") != 0) GTEST_SKIP() << "no curl here";
  const Listener4 large("HTTP/1.1 200 OK\r\n\r\n" + std::string(2'000'000, 'x'));
  asks = {at(large.port())};
  const auto output = parse_pod_output(run(pod_script(kNonce, asks)), kNonce, asks.size());
  EXPECT_NE(line(output, 0), "open other 200");
}

TEST_F(PodScript, FelixHostInASpellingThatIsNotReadIsNotPositivelyNotFelix) {
  if (::system("command -v curl >/dev/null") != 0) GTEST_SKIP() << "no curl here";
  const Listener4 quoted(http("go_x 1\n{\"felix_host\",host=\"n1\"} 1\nmore 2\n"));
  const Listener4 page(http("<pre>felix_host{host=\"n1\"} 1</pre>\n"));
  const Listener4 far(http(std::string(5512, 'x') + "\rfelix_host{host=\"n1\"} 1\r"));
  const Listener4 comment(http("# TYPE felix_host gauge\ngo_x 1\n"));
  asks = {at(quoted.port()), at(page.port()), at(far.port()), at(comment.port())};
  const std::string path =
      path_with({"sh", "bash", "timeout", "head", "grep", "cut", "sed", "cat"});
  for (const char* tools : {"", path.c_str()}) {
    const auto output = parse_pod_output(run(pod_script(kNonce, asks), tools), kNonce, asks.size());
    EXPECT_THAT(lines(output), testing::ElementsAre("open felix 200 n1", "open unidentified 200",
                                                    "open unidentified 200", "open other 200"))
        << tools;
  }
}

/// What curl 7.88 and bash 5.2 said on this project's machines: TLS with and without a demanded
/// client certificate, plain text at a TLS request, silence.
TEST(PodSaid, RecordedWords) {
  const auto read = [](Tool tool, PodSaid said, bool tls) {
    said.complete = true;
    Reach reach;
    add_said(reach, said, tool, tls);
    return fmt::format("{} {}{}{}", to_string(reach.outcome), to_string(reach.identity),
                       reach.tls ? " tls" : "",
                       reach.client_cert == ClientCertAsk::demanded ? " demanded" : "");
  };
  EXPECT_EQ(read(Tool::curl,
                 {.exit_code = 56,
                  .connected = true,
                  .words = "curl: (56) OpenSSL SSL_read: OpenSSL/3.0.22: error:0A00045C:SSL "
                           "routines::tlsv13 alert certificate required, errno 0"},
                 true),
            "open unidentified tls demanded");
  EXPECT_EQ(read(Tool::curl,
                 {.exit_code = 35,
                  .words = "curl: (35) OpenSSL/3.0.22: error:0A000410:SSL routines::sslv3 alert "
                           "handshake failure"},
                 true),
            "open unidentified tls");
  EXPECT_EQ(read(Tool::curl,
                 {.exit_code = 35,
                  .words = "curl: (35) OpenSSL/3.0.22: error:0A00010B:SSL routines::wrong version "
                           "number"},
                 true),
            "open unidentified");
  EXPECT_EQ(
      read(Tool::curl, {.exit_code = 28, .words = "curl: (28) Connection timed out after 2001 ms"},
           false),
      "timeout none");
  EXPECT_EQ(
      read(Tool::curl,
           {.exit_code = 28, .connected = true, .words = "curl: (28) Operation timed out"}, false),
      "open unidentified");
  EXPECT_EQ(read(Tool::bash, {.exit_code = 124}, false), "timeout none");
  EXPECT_EQ(read(Tool::bash, {.exit_code = 1, .words = "bash: connect: No route to host"}, false),
            "unreachable none");
  EXPECT_EQ(read(Tool::curl,
                 {.exit_code = 56,
                  .connected = true,
                  .words = "curl: (56) Recv failure: Connection reset by peer"},
                 false),
            "reset none");
}

TEST(PodSaid, ForgedAndTornOutputClosesNothing) {
  const auto refused =
      "\n#0bad begin 0\n#0bad exit 7\n#0bad words connection refused\n#0bad end 0\n";
  EXPECT_FALSE(parse_pod_output(refused, kNonce, 1).said[0].complete);
  const auto torn = "#5eed tool curl\n#5eed begin 0\n#5eed exit 7\n";
  EXPECT_FALSE(parse_pod_output(torn, kNonce, 1).said[0].complete);
  const auto strange = "#5eed begin 7\n#5eed begin -1\n#5eed begin x\n#5eed info \n#5eed end 0\n";
  EXPECT_FALSE(parse_pod_output(strange, kNonce, 1).said[0].complete);
  // A server's own lines count as its body, whatever they say.
  const auto body =
      "#5eed tool curl\n#5eed begin 0\nfelix_host{host=\"n1\"} 1\n"
      "#5eed info 200 0.1\n#5eed exit 0\n#5eed end 0\n";
  EXPECT_EQ(line(parse_pod_output(body, kNonce, 1), 0), "open felix 200 n1");
}

}  // namespace
}  // namespace catflap::look
