#include "sim/debug_pod.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "look/pod_script.hpp"
#include "net/metrics_scan.hpp"
#include "sim/server_answers.hpp"

namespace catflap::sim {
namespace {

/// A command of catflap's, to the letter; else nothing.
struct Asked {
  std::string nonce;
  std::vector<look::PodAsk> asks;
};

std::optional<Asked> read_command(const std::vector<std::string>& command) {
  if (command.size() != 3 || command[0] != "sh" || command[1] != "-c") return std::nullopt;
  const auto& script = command[2];
  if (!script.starts_with("n=")) return std::nullopt;
  Asked asked{.nonce = script.substr(2, script.find('\n') - 2)};
  std::istringstream lines(script);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("a ") || line.find("://") == std::string::npos) continue;
    std::istringstream words(line);
    std::string name, number, url, address, path;
    unsigned port = 0;
    words >> name >> number >> url >> address >> port >> path;
    const auto where = IpAddress::parse(address);
    if (!where) return std::nullopt;
    asked.asks.push_back({.endpoint = {*where, static_cast<Port>(port)},
                          .tls = url.starts_with("'https"),
                          .path = path});
  }
  const bool ours = look::pod_script(asked.nonce, asked.asks) == script;
  return ours ? std::optional(asked) : std::nullopt;
}

struct Curl {
  int exit_code = 0;
  int status = 0;
  std::string lines;
  std::string words;
};

Curl of_answer(const std::string& answer) {
  Curl curl{.status = std::stoi(answer.substr(9, 3))};
  std::istringstream lines(answer);
  for (std::string line; std::getline(lines, line);)
    if (line.find("felix_host") != line.npos || line.starts_with(net::kTyphaMark))
      curl.lines += line + "\n";
  return curl;
}

Curl curl(const look::PodAsk& ask, const Socket& socket) {
  const auto& kind = socket.serves;
  if (kind == "silent" || kind == "slow-drip")
    return {.exit_code = 28, .words = "curl: (28) Operation timed out after 5000 milliseconds"};
  if (kind == "reset")
    return {.exit_code = 56, .words = "curl: (56) Recv failure: Connection reset by peer"};
  if (speaks_tls(kind) && !ask.tls) return of_answer(std::string{go_answer_to_plain_http()});
  if (!speaks_tls(kind) && ask.tls)
    return {
        .exit_code = 35,
        .words = "curl: (35) OpenSSL/3.0.22: error:0A00010B:SSL routines::wrong version number"};
  if (kind == "felix-mtls" || kind == "felix-any-cert")
    return {.exit_code = 56,
            .words =
                "curl: (56) OpenSSL SSL_read: OpenSSL/3.0.22: error:0A00045C:SSL "
                "routines::tlsv13 alert certificate required, errno 0"};
  return of_answer(answer_of(kind, socket.node, {.method = "GET", .path = ask.path}));
}

const Socket* listener_at(const std::vector<Socket>& all, const HostPort& endpoint) {
  const auto found = std::ranges::find_if(all, [&](const Socket& socket) {
    return socket.port == endpoint.port && (!socket.address || *socket.address == endpoint.address);
  });
  return found == all.end() ? nullptr : &*found;
}

std::string section(const std::string& nonce, std::size_t id, const look::PodAsk& ask,
                    const Sockets& sockets, const std::vector<std::string>& nodes) {
  const auto mark = fmt::format("#{} ", nonce);
  auto text = fmt::format("\n{}begin {}\n", mark, id);
  Curl said{.exit_code = 28, .words = "curl: (28) Connection timed out after 2001 milliseconds"};
  bool connected = false;
  for (const auto& node : nodes) {
    const auto& own = sockets.addresses_of(node);
    if (std::ranges::find(own, ask.endpoint.address) == own.end()) continue;
    const auto all = sockets.of_node(node);
    const auto* socket = listener_at(all, ask.endpoint);
    connected = socket != nullptr;
    said = connected ? curl(ask, *socket)
                     : Curl{.exit_code = 7, .words = "curl: (7) failed: Connection refused"};
  }
  return text + fmt::format("{1}\n{0}info {2:03} {3}\n\n{0}exit {4}\n{0}words {5}\n\n{0}end {6}\n",
                            mark, said.lines, said.status, connected ? "0.001000" : "0.000000",
                            said.exit_code, said.words, id);
}

}  // namespace

std::optional<std::string> debug_pod_output(const std::vector<std::string>& command,
                                            const std::string& tools, const Sockets& sockets,
                                            const std::vector<std::string>& nodes) {
  const auto asked = read_command(command);
  if (!asked) return std::nullopt;
  if (tools == "curl") return asked_output(asked->nonce, asked->asks, sockets, nodes);
  return fmt::format("\n#{} tool {}\n", asked->nonce, tools);
}

std::string asked_output(const std::string& nonce, const std::vector<look::PodAsk>& asks,
                         const Sockets& sockets, const std::vector<std::string>& nodes) {
  auto text = fmt::format("\n#{} tool curl\n", nonce);
  for (std::size_t i = 0; i < asks.size(); ++i) text += section(nonce, i, asks[i], sockets, nodes);
  return text;
}

}  // namespace catflap::sim
