#include "sim/forward_frames.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/exec_frames.hpp"
#include "sim/server_answers.hpp"

namespace catflap::sim {
namespace {

constexpr char kBinary = '\x02';
constexpr char kClose = '\x08';
constexpr std::size_t kMaxPiece = 32u << 10;

void append_data(std::string& out, char channel, std::string_view bytes) {
  while (!bytes.empty()) {
    append_frame(out, kBinary, channel + std::string{bytes.substr(0, kMaxPiece)});
    bytes.remove_prefix(std::min(bytes.size(), kMaxPiece));
  }
}

void end(std::string& out) {
  append_frame(out, kClose, "\x03\xe8");
}

}  // namespace

bool offers_forward_protocol(const std::string& offered) {
  return offered.find("v4.channel.k8s.io") != std::string::npos;
}

std::string forward_opening(Port port) {
  std::string out;
  for (const char channel : {'\0', '\1'}) {
    const char bytes[] = {channel, static_cast<char>(port & 0xff), static_cast<char>(port >> 8)};
    append_frame(out, kBinary, {bytes, sizeof bytes});
  }
  return out;
}

std::string forward_refusal(Port port) {
  std::string out;
  append_data(out, '\1',
              fmt::format("error forwarding port {0} to pod 7fce4ab0, uid : failed to execute "
                          "portforward in network namespace \"host\": failed to connect to "
                          "localhost:{0} inside namespace \"7fce4ab0\", IPv4: dial tcp4 "
                          "127.0.0.1:{0}: connect: connection refused IPv6 dial tcp6: address "
                          "localhost: no suitable address",
                          port));
  end(out);
  return out;
}

std::string forward_answer(const ForwardTarget& target, std::string_view request) {
  std::string out;
  const bool tls = request.starts_with('\x16');
  if (speaks_tls(target.serves)) {
    // TLS itself is not played here.
    if (!tls) append_data(out, '\0', go_answer_to_plain_http());
  } else if (target.serves != "reset" && target.serves != "silent") {
    append_data(out, '\0',
                tls ? std::string{go_answer_to_tls()}
                    : answer_of(target.serves, target.node, parse_http_request(request)));
  }
  end(out);
  return out;
}

std::string take_client_data(std::string& buffer) {
  std::string data;
  for (;;) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(buffer[i]); };
    if (buffer.size() < 2) return data;
    std::size_t length = at(1) & 0x7fu;
    std::size_t header = 2;
    if (length >= 126) {
      const std::size_t extra = length == 126 ? 2 : 8;
      if (buffer.size() < header + extra) return data;
      length = 0;
      for (std::size_t i = 0; i < extra; ++i) length = (length << 8) | at(header + i);
      header += extra;
    }
    if (length > (1u << 20) || buffer.size() < header + 4 + length) return data;
    const bool binary = (at(0) & 0x0f) == kBinary;
    std::string payload;
    for (std::size_t i = 0; i < length; ++i)
      payload += static_cast<char>(at(header + 4 + i) ^ at(header + i % 4));
    buffer.erase(0, header + 4 + length);
    if (binary && payload.starts_with('\0')) data += payload.substr(1);
  }
}

}  // namespace catflap::sim
