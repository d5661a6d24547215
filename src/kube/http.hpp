// Exchange: one HTTP/1.1 request and its answer on a Stream. Beast parses, this class feeds it: so
// HTTP is compiled once and not per kind of stream, and an answer's body is pulled piece by piece.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kube/stream.hpp"

namespace catflap::kube {

struct Request {
  std::string method;
  std::string target;     // path and query, encoded
  std::string authority;  // the Host header
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;  // sent with Content-Length if there is one, or if the method has one
};

struct ResponseHead {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; the last of equal ones
  [[nodiscard]] std::string header(const std::string& lower_name) const;
};

constexpr std::size_t kMaxHeadBytes = 64u << 10;

class Exchange {
 public:
  explicit Exchange(Stream& stream);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  [[nodiscard]] Task<Result<void>> send(const Request& request);
  /// Skips 100 Continue and its kind. Heads over 64 KiB are malformed_input.
  [[nodiscard]] Task<Result<void>> read_head();
  [[nodiscard]] const ResponseHead& head() const;
  /// Appends the next piece of the body, gzip undone; false at its end. A body that is cut short is
  /// an error.
  [[nodiscard]] Task<Result<bool>> read_body(std::string& out);

  /// Whether anything of an answer has come: before that the server may not even have seen the
  /// request.
  [[nodiscard]] bool answered() const;
  /// After the body's end: the stream can carry another exchange.
  [[nodiscard]] bool reusable() const;
  /// What came behind the head of a 101 or of a CONNECT's answer, whose "body" is another protocol.
  [[nodiscard]] std::string take_rest();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace catflap::kube
