// WebSocket frames (RFC 6455), as the client of an exec needs them: pure bytes in, messages out.
// By hand and not with Beast's stream: the bytes arrive through our Stream, and this compiles in a
// second.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace catflap::kube {

enum class FrameType : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10
};

/// A client's frame: masked with `mask`, which must be random.
[[nodiscard]] std::string encode_frame(FrameType type, std::string_view payload,
                                       std::array<std::uint8_t, 4> mask);

struct Message {
  FrameType type = FrameType::binary;  // text, binary, close, ping or pong; fragments are joined
  std::string payload;
};

/// Puts a server's bytes together to messages.
class FrameReader {
 public:
  explicit FrameReader(std::size_t max_message) : max_message_(max_message) {}
  void feed(std::string_view bytes) { buffer_ += bytes; }
  /// The next whole message; nullopt: more bytes are needed. malformed_input: masked frames,
  /// reserved bits or types, fragmented control frames, or a message over max_message.
  [[nodiscard]] Result<std::optional<Message>> next();

 private:
  [[nodiscard]] Result<std::optional<Message>> take_frame(std::size_t header, std::size_t length);
  std::size_t max_message_;
  std::string buffer_;
  std::optional<Message> partial_;
};

/// The Sec-WebSocket-Accept that answers this Sec-WebSocket-Key.
[[nodiscard]] std::string websocket_accept(const std::string& key);

}  // namespace catflap::kube
