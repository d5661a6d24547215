#include "look/answers.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "net/http_answer.hpp"

namespace catflap::look {
namespace {

void add(Reach& reach, const net::HttpAnswer& http) {
  reach.outcome = Outcome::open;
  reach.http_status = http.status();
  reach.felix_host = http.felix_host();
  reach.identity = http.identity() == Identity::none ? Identity::unidentified : http.identity();
  reach.excerpt = http.excerpt();
}

}  // namespace

void add_http(Reach& reach, const HttpParts& parts) {
  net::HttpAnswer http(kMaxAnswer + 1024);
  (void)http.feed(fmt::format("HTTP/1.1 {} -\r\nContent-Length: {}\r\n\r\n", parts.status,
                              parts.body.size() + (parts.whole ? 0 : 1)));
  (void)http.feed(parts.body);
  add(reach, http);
  reach.bytes += parts.body.size();
  const auto end = reach.excerpt.find("\r\n\r\n");  // of the head, which is ours
  if (end != std::string::npos) reach.excerpt.erase(0, end + 4);
}

void add_bytes(Reach& reach, std::string_view bytes, bool ended) {
  net::HttpAnswer http(kMaxAnswer);
  (void)http.feed(bytes);
  if (ended) (void)http.end_of_stream();
  add(reach, http);
  reach.bytes += bytes.size();
}

bool may_want_tls(const Reach& reach) {
  const bool mute =
      reach.outcome == Outcome::reset || (reach.outcome == Outcome::open && reach.http_status == 0);
  return mute || reach.http_status == 400;
}

bool answers_like_kubelet(int status) {
  return status == 200 || status == 401 || status == 403 || status == 404;
}

}  // namespace catflap::look
