#include "kube/websocket.hpp"

#include <openssl/sha.h>

#include "kube/base64.hpp"

namespace catflap::kube {

namespace {

constexpr const char* kAcceptGuid =
    "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, section 1.3

Error bad_frame(const char* what) {
  return Error{.kind = ErrorKind::malformed_input, .what = std::string("WebSocket: ") + what};
}

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
    out += static_cast<char>((value >> shift) & 0xff);
}

bool is_control(FrameType type) {
  return static_cast<std::uint8_t>(type) >= 8;
}

bool is_known(std::uint8_t type) {
  return type <= 2 || (type >= 8 && type <= 10);
}

}  // namespace

std::string encode_frame(FrameType type, std::string_view payload,
                         std::array<std::uint8_t, 4> mask) {
  std::string out;
  out += static_cast<char>(0x80 | static_cast<std::uint8_t>(type));
  if (payload.size() < 126) {
    out += static_cast<char>(0x80 | payload.size());
  } else if (payload.size() < 65536) {
    out += static_cast<char>(0x80 | 126);
    append_big_endian(out, payload.size(), 2);
  } else {
    out += static_cast<char>(0x80 | 127);
    append_big_endian(out, payload.size(), 8);
  }
  for (std::uint8_t byte : mask) out += static_cast<char>(byte);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    out += static_cast<char>(static_cast<std::uint8_t>(payload[i]) ^ mask[i % 4]);
  }
  return out;
}

Result<std::optional<Message>> FrameReader::next() {
  for (;;) {
    if (buffer_.size() < 2) return std::optional<Message>();
    auto byte = [this](std::size_t i) { return static_cast<std::uint8_t>(buffer_[i]); };
    if ((byte(0) & 0x70) != 0) return bad_frame("a reserved bit is set");
    if (!is_known(byte(0) & 0x0f)) return bad_frame("an unknown frame type");
    if ((byte(1) & 0x80) != 0) return bad_frame("the server masked a frame");
    std::uint64_t length = byte(1) & 0x7f;
    std::size_t header = 2;
    std::size_t extra = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (buffer_.size() < header + extra) return std::optional<Message>();
    if (extra > 0) {
      length = 0;
      for (std::size_t i = 0; i < extra; ++i) length = (length << 8) | byte(header + i);
      header += extra;
    }
    if (length > max_message_) return bad_frame("a message is too large");
    if (buffer_.size() < header + length) return std::optional<Message>();
    auto message = take_frame(header, static_cast<std::size_t>(length));
    if (!message || message->has_value()) return message;
  }
}

Result<std::optional<Message>> FrameReader::take_frame(std::size_t header, std::size_t length) {
  auto first = static_cast<std::uint8_t>(buffer_[0]);
  bool final = (first & 0x80) != 0;
  auto type = static_cast<FrameType>(first & 0x0f);
  std::string payload = buffer_.substr(header, length);
  buffer_.erase(0, header + length);
  if (is_control(type)) {
    if (!final || length > 125) return bad_frame("a fragmented or large control frame");
    return std::optional<Message>(Message{type, std::move(payload)});
  }
  if ((type == FrameType::continuation) != partial_.has_value())
    return bad_frame("a fragment out of order");
  if (!partial_) {
    partial_ = Message{type, std::move(payload)};
  } else {
    if (partial_->payload.size() + payload.size() > max_message_)
      return bad_frame("a message is too large");
    partial_->payload += payload;
  }
  if (!final) return std::optional<Message>();
  std::optional<Message> out = std::move(partial_);
  partial_.reset();
  return out;
}

std::string websocket_accept(const std::string& key) {
  std::string text = key + kAcceptGuid;
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return encode_base64({reinterpret_cast<const char*>(digest), sizeof digest});
}

}  // namespace catflap::kube
