// listeners: this host's own sockets. Needs no cluster.
#include "render/listeners.hpp"

#include <ostream>

#include "app/commands.hpp"
#include "app/exit_code.hpp"
#include "app/print.hpp"
#include "sockets/host.hpp"

namespace catflap::app {
namespace {

/// What the table itself cannot show, on stderr.
void tell_gaps(const Runtime& runtime, const Options& options, const HostListeners& host) {
  const auto not_permitted = std::count_if(
      host.sockets.begin(), host.sockets.end(),
      [](const HostSocket& socket) { return socket.owner_state == OwnerState::not_permitted; });
  if (!host.complete) runtime.io.err << fmt::format("catflap: not complete: {}\n", host.problem);
  if (not_permitted > 0 && !options.quiet) {
    runtime.io.err << fmt::format(
        "catflap: owners not permitted: {} of {}; only root in the host's own namespaces sees "
        "all\n",
        not_permitted, render::count_of(host.sockets.size(), "socket"));
  }
}

int check(const HostListeners& host) {
  if (!host.sockets.empty()) return kExitOpen;
  return host.complete ? kExitOk : kExitUnknown;
}

}  // namespace

Result<int> run_listeners(const Runtime& runtime, const Options& options) {
  TRY_ASSIGN(
      const HostListeners host,
      sockets::read_host_listeners(
          {.ports = options.ports, .netns = options.netns, .owners = {.all = options.all_owners}},
          runtime.clock));
  print(runtime, options,
        {.document =
             [&] {
               return render::listeners_document(
                   host, {.started = host.at, .finished = runtime.clock.now()});
             },
         .text = [&] { return render::listeners_text(host); },
         .wide = nullptr,
         .name = [&] { return render::listener_names(host); }});
  tell_gaps(runtime, options, host);
  return options.check ? check(host) : kExitOk;
}

}  // namespace catflap::app
