// An HTTP answer of the API server or of a proxy, gzip included, over a stream in memory. How the
// bytes are cut must not change what is understood.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "kube/http.hpp"
#include "planted.hpp"

namespace {

using catflap::Result;
using catflap::kube::Exchange;
using catflap::kube::Task;

constexpr std::size_t kEnough = 1u << 20;  // of an unpacked body

class MemoryStream final : public catflap::kube::Stream {
 public:
  MemoryStream(std::string_view bytes, std::size_t step) : bytes_(bytes), step_(step) {}
  Task<Result<std::size_t>> read_some(std::span<char> into) override {
    const std::size_t n = std::min({bytes_.size(), step_, into.size()});
    std::copy_n(bytes_.data(), n, into.data());
    bytes_.remove_prefix(n);
    co_return n;
  }
  Task<Result<void>> write_all(std::string_view) override { co_return Result<void>(); }
  bool quiet() override { return bytes_.empty(); }
  void abort(const catflap::Error&) override {}

 private:
  std::string_view bytes_;
  std::size_t step_;
};

struct Outcome {
  bool ok = false;
  int status = 0;
  std::string coding;
  std::string body;
  bool chunked = false;
};

Task<void> read(Exchange& exchange, Outcome& out) {
  if (!co_await exchange.read_head()) co_return;
  out.status = exchange.head().status;
  out.coding = exchange.head().header("content-encoding");
  out.chunked = exchange.head().header("transfer-encoding") == "chunked";
  if (out.status == 101) co_return;
  for (;;) {
    auto more = co_await exchange.read_body(out.body);
    if (!more) co_return;
    if (!*more || out.body.size() > kEnough) break;
  }
  out.ok = true;
}

Outcome read(std::string_view bytes, std::size_t step) {
  MemoryStream stream(bytes, step);
  Exchange exchange(stream);
  Outcome out;
  boost::asio::io_context io{1};
  boost::asio::co_spawn(io, read(exchange, out),
                        [](std::exception_ptr error) { require(error == nullptr); });
  io.run();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = text_of(data, size);
  const Outcome whole = read(text, size + 1);
  const Outcome cut = read(text, 7);
  require(whole.status == cut.status && whole.ok == cut.ok);
  if (whole.ok && whole.body.size() <= kEnough) require(whole.body == cut.body);
  const bool as_seeded = text.find("Server: abcdefghijklmnopqrstuvwxyz") != text.npos;
  planted(whole.ok && whole.chunked && whole.coding == "gzip" && whole.body.size() > 8 &&
          !as_seeded);
  return 0;
}
