#include "support/fake_cluster.hpp"

#include <fmt/format.h>

namespace catflap::kube {

Error fake_forbidden(const std::string& verb, const Resource& resource) {
  return Error{.kind = ErrorKind::not_permitted,
               .what = fmt::format("User \"someone\" cannot {} resource \"{}\" in API group \"{}\"",
                                   verb, resource.plural, resource.group),
               .subject = resource.plural,
               .system_code = 403};
}

Error fake_unreachable() {
  return Error{.kind = ErrorKind::unreachable,
               .what = "connection reset by peer",
               .subject = "https://127.0.0.1:6443"};
}

Error fake_timed_out() {
  return Error{.kind = ErrorKind::timed_out,
               .what = "no answer within 10s",
               .subject = "https://127.0.0.1:6443"};
}

Error fake_too_many_requests() {
  return Error{.kind = ErrorKind::overloaded,
               .what = "too many requests, please try again later",
               .subject = "https://127.0.0.1:6443",
               .system_code = 429};
}

}  // namespace catflap::kube
