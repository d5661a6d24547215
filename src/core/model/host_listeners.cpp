#include "core/model/host_listeners.hpp"

namespace catflap {

const char* to_string(OwnerState state) {
  switch (state) {
    case OwnerState::not_looked:
      return "not-looked";
    case OwnerState::named:
      return "named";
    case OwnerState::not_permitted:
      return "not-permitted";
    case OwnerState::not_found:
      return "not-found";
  }
  return "not-looked";
}

const char* to_string(HostListeners::Method method) {
  switch (method) {
    case HostListeners::Method::sock_diag:
      return "sock-diag";
    case HostListeners::Method::proc_net:
      return "proc-net";
    case HostListeners::Method::ss:
      return "ss";
  }
  return "sock-diag";
}

const char* to_string(HostListeners::Network network) {
  switch (network) {
    case HostListeners::Network::not_known:
      return "not-known";
    case HostListeners::Network::node:
      return "node";
    case HostListeners::Network::other:
      return "other";
  }
  return "not-known";
}

}  // namespace catflap
