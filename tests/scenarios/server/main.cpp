// scenario_server KIND ADDRESS:PORT [--node NAME]: one server of src/sim/servers.hpp, for backends
// of the scenarios whose nodes are not in catflap's own process. Prints "listening" when it is, and
// serves until SIGTERM or SIGINT.
#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "sim/server_kinds.hpp"
#include "sim/servers.hpp"

namespace {

int usage() {
  std::fputs("usage: scenario_server KIND ADDRESS:PORT [--node NAME]\nkinds:", stderr);
  for (const auto kind : catflap::sim::kServerKinds)
    std::fprintf(stderr, " %s", std::string{kind}.c_str());
  std::fputs("\n", stderr);
  return 2;
}

}  // namespace

int main(int count, char** values) {
  std::vector<std::string> arguments(values + 1, values + count);
  std::string node = "node";
  if (arguments.size() == 4 && arguments[2] == "--node") {
    node = arguments[3];
    arguments.resize(2);
  }
  if (arguments.size() != 2 || !catflap::sim::is_server_kind(arguments[0])) return usage();
  const auto endpoint = catflap::HostPort::parse(arguments[1]);
  if (!endpoint) return usage();

  boost::asio::io_context io;
  auto servers = catflap::sim::Servers::create(io);
  if (!servers) return 1;
  const auto port = (*servers)->open(1, {.kind = arguments[0],
                                         .node = node,
                                         .addresses = {endpoint->address},
                                         .port = endpoint->port});
  if (!port) {
    std::fprintf(stderr, "%s cannot be opened\n", arguments[1].c_str());
    return 1;
  }
  std::puts("listening");
  std::fflush(stdout);
  boost::asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](auto, int) { io.stop(); });
  io.run();
}
