#include "kube/upgrade.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/rand.h>

#include <algorithm>

#include "base/check.hpp"
#include "base/text.hpp"
#include "kube/base64.hpp"
#include "kube/websocket.hpp"

namespace catflap::kube {

namespace {

std::array<std::uint8_t, 16> random_bytes() {
  std::array<std::uint8_t, 16> out{};
  CHECK(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1, "no random numbers");
  return out;
}

}  // namespace

std::array<std::uint8_t, 4> random_mask() {
  auto bytes = random_bytes();
  return {bytes[0], bytes[1], bytes[2], bytes[3]};
}

Upgrade::Upgrade(std::vector<std::string> protocols) : protocols_(std::move(protocols)) {
  auto bytes = random_bytes();
  key_ = encode_base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Call Upgrade::call(std::string target, std::string subject) const {
  Call out;
  out.target = std::move(target);
  out.coding = Call::Coding::identity;
  out.accept =
      "*/*";  // a v4 upgrade is handed on to the kubelet, which answers 406 to application/json
  out.headers = {{"Connection", "Upgrade"},
                 {"Upgrade", "websocket"},
                 {"Sec-WebSocket-Version", "13"},
                 {"Sec-WebSocket-Key", key_},
                 {"Sec-WebSocket-Protocol", fmt::format("{}", fmt::join(protocols_, ", "))}};
  out.subject = std::move(subject);
  return out;
}

Result<void> Upgrade::check(const ResponseHead& head) const {
  if (head.status != 101) {
    return Error{
        .kind = ErrorKind::unsupported,
        .what = fmt::format("the server did not switch to WebSocket (HTTP {})", head.status),
        .hint = "this needs Kubernetes 1.15 or later and no proxy that drops Upgrade"};
  }
  std::string protocol = head.header("sec-websocket-protocol");
  bool known = std::find(protocols_.begin(), protocols_.end(), protocol) != protocols_.end();
  if (!known || head.header("sec-websocket-accept") != websocket_accept(key_)) {
    return Error{.kind = ErrorKind::malformed_input,
                 .what = fmt::format("the server's WebSocket answer is wrong (protocol \"{}\")",
                                     printable(protocol, 60))};
  }
  return {};
}

Error upgrade_error(Error error) {
  if (error.what.find("error dialing backend") != std::string::npos)
    error.kind = ErrorKind::unreachable;
  return error;
}

}  // namespace catflap::kube
