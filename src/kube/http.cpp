#include "kube/http.hpp"

#include <fmt/format.h>

#include <boost/beast/http/basic_parser.hpp>
#include <cerrno>

#include "base/text.hpp"
#include "kube/inflate.hpp"

namespace catflap::kube {

namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

std::string_view view(string_view text) {
  return {text.data(), text.size()};
}

/// Collects what Beast's parser finds; bodies go to `body`, which the caller empties.
class Parser final : public http::basic_parser<false> {
 public:
  Parser() {
    header_limit(kMaxHeadBytes);
    body_limit(boost::none);  // the readers count what they keep
  }
  ResponseHead head;
  std::string body;

 private:
  void on_request_impl(http::verb, string_view, string_view, int, error_code&) override {}
  void on_response_impl(int code, string_view, int, error_code&) override { head.status = code; }
  void on_field_impl(http::field, string_view name, string_view value, error_code&) override {
    head.headers[to_lower(view(name))] = std::string(view(value));
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view bytes, error_code&) override {
    body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code& error) override {
    return on_body_impl(bytes, error);
  }
  void on_finish_impl(error_code&) override {}
};

Error broken_off(std::string what) {
  return Error{.kind = ErrorKind::unreachable, .what = std::move(what), .system_code = ECONNRESET};
}

Error not_http(const error_code& error) {
  bool too_large = error == http::error::header_limit || error == http::error::buffer_overflow;
  return Error{.kind = ErrorKind::malformed_input,
               .what = too_large ? "the answer's headers are larger than 64 KiB"
                                 : "the answer is not HTTP: " + error.message(),
               .hint = "is this the API server's port, and should the URL begin with https://?"};
}

std::string serialize(const Request& request) {
  std::string out = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, request.target,
                                request.authority);
  for (const auto& [name, value] : request.headers) out += fmt::format("{}: {}\r\n", name, value);
  bool has_body = !request.body.empty() || request.method == "POST" || request.method == "PATCH";
  if (has_body) out += fmt::format("Content-Length: {}\r\n", request.body.size());
  out += "\r\n";
  out += request.body;
  return out;
}

}  // namespace

std::string ResponseHead::header(const std::string& lower_name) const {
  auto found = headers.find(lower_name);
  return found == headers.end() ? std::string() : found->second;
}

struct Exchange::Impl {
  explicit Impl(Stream& s) : stream(s) {}
  Stream& stream;
  std::unique_ptr<Parser> parser = std::make_unique<Parser>();
  std::unique_ptr<Inflate> gzip;
  std::string input;  // received, not yet parsed
  bool answered = false;
  bool peer_closed = false;

  /// Gives the parser what there is; true if it could use some of it.
  Result<bool> parse() {
    error_code error;
    std::size_t used = parser->put(boost::asio::const_buffer(input.data(), input.size()), error);
    input.erase(0, used);
    if (error == http::error::need_more) error = {};
    if (error) return not_http(error);
    return used > 0;
  }

  Task<Result<void>> receive() {
    char buffer[16384];
    CO_TRY_ASSIGN(std::size_t n, co_await stream.read_some(buffer));
    input.append(buffer, n);
    answered = answered || n > 0;
    peer_closed = n == 0;
    co_return Result<void>();
  }
};

Exchange::Exchange(Stream& stream) : impl_(std::make_unique<Impl>(stream)) {}
Exchange::~Exchange() = default;

const ResponseHead& Exchange::head() const {
  return impl_->parser->head;
}
bool Exchange::answered() const {
  return impl_->answered;
}

Task<Result<void>> Exchange::send(const Request& request) {
  std::string bytes = serialize(request);
  co_return co_await impl_->stream.write_all(bytes);
}

Task<Result<void>> Exchange::read_head() {
  Impl& impl = *impl_;
  for (;;) {
    while (!impl.parser->is_header_done()) {
      if (!impl.input.empty()) CO_TRY(impl.parse());
      if (impl.parser->is_header_done()) break;
      if (impl.input.size() > kMaxHeadBytes) co_return not_http(http::error::header_limit);
      CO_TRY(co_await impl.receive());
      if (impl.peer_closed) co_return broken_off("the connection was closed before an answer came");
    }
    int status = impl.parser->head.status;
    if (status >= 200 || status == 101) break;
    impl.parser = std::make_unique<Parser>();
  }
  impl.parser->eager(true);
  if (equal_ignoring_case(head().header("content-encoding"), "gzip"))
    impl.gzip = std::make_unique<Inflate>();
  co_return Result<void>();
}

Task<Result<bool>> Exchange::read_body(std::string& out) {
  Impl& impl = *impl_;
  while (impl.parser->body.empty() && !impl.parser->is_done()) {
    if (!impl.input.empty()) {
      CO_TRY_ASSIGN(bool progress, impl.parse());
      if (progress) continue;
      // A chunk's header that never ends: everything else is used up at once.
      if (impl.input.size() > kMaxHeadBytes) co_return not_http(http::error::header_limit);
    }
    CO_TRY(co_await impl.receive());
    if (!impl.peer_closed) continue;
    error_code error;
    impl.parser->put_eof(error);  // fine only for a body whose end is the connection's
    if (error) co_return broken_off("the connection was lost in the middle of the answer");
  }
  if (impl.parser->body.empty()) {
    if (impl.gzip && !impl.gzip->complete())
      co_return broken_off("the compressed answer was cut short");
    co_return false;
  }
  std::string piece = std::exchange(impl.parser->body, {});
  if (impl.gzip) {
    CO_TRY(impl.gzip->feed(piece, out));
  } else {
    out += piece;
  }
  co_return true;
}

bool Exchange::reusable() const {
  return impl_->parser->is_done() && impl_->parser->keep_alive() && !impl_->peer_closed &&
         impl_->input.empty();
}

std::string Exchange::take_rest() {
  return std::exchange(impl_->input, {});
}

}  // namespace catflap::kube
