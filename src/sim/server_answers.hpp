// What the servers of a scenario say, as bytes; how they say it is in servers.cpp.
#pragma once

#include <string>
#include <string_view>

namespace catflap::sim {

/// The metrics of Felix v3.30.1 on that node, with felix_host where a real one had it.
[[nodiscard]] std::string felix_metrics(std::string_view node);

struct HttpRequest {
  std::string method;
  std::string path;
  bool has_bearer_token = false;
};

/// The first line and the headers that matter.
[[nodiscard]] HttpRequest parse_http_request(std::string_view head);

/// "HTTP/1.1 200 OK", a length, Connection: close, and the body.
[[nodiscard]] std::string http_answer(
    std::string_view status, std::string_view body,
    std::string_view headers = "Content-Type: text/plain; charset=utf-8\r\n");

/// The whole answer of a kind that answers in an orderly way.
[[nodiscard]] std::string answer_of(std::string_view kind, std::string_view node,
                                    const HttpRequest& request);

/// Do servers of that kind speak TLS?
[[nodiscard]] bool speaks_tls(std::string_view kind);

/// What Go's servers say to a client that speaks the wrong one of TLS and plain HTTP.
[[nodiscard]] std::string_view go_answer_to_plain_http();
[[nodiscard]] std::string_view go_answer_to_tls();

}  // namespace catflap::sim
