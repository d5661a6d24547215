#include "sim/exec_frames.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "sim/api_reply.hpp"

namespace catflap::sim {

namespace {

constexpr std::size_t kMaxPiece = 32u << 10;  // as the real one's pipes
constexpr char kBinary = '\x02';
constexpr char kClose = '\x08';

void append_channel(std::string& out, char channel, std::string_view text) {
  while (!text.empty()) {
    append_frame(out, kBinary, channel + std::string{text.substr(0, kMaxPiece)});
    text.remove_prefix(std::min(text.size(), kMaxPiece));
  }
}

std::string begin(const std::string& protocol) {
  std::string out;
  // A v4 server opens each of its channels with an empty message.
  if (protocol.starts_with("v4"))
    for (const char channel : {'\x01', '\x02', '\x03'})
      append_frame(out, kBinary, std::string(1, channel));
  return out;
}

void end(std::string& out, const json::object& status) {
  append_channel(out, '\x03', json::serialize(status));
  append_frame(out, kClose, "\x03\xe8");  // 1000: all is well
}

}  // namespace

void append_frame(std::string& out, char type, std::string_view payload) {
  out += static_cast<char>(0x80 | type);
  const auto size = payload.size();
  if (size < 126) {
    out += static_cast<char>(size);
  } else {
    out += '\x7e';  // a piece and its channel's number fit into 16 bits
    out += static_cast<char>((size >> 8) & 0xff);
    out += static_cast<char>(size & 0xff);
  }
  out += payload;
}

std::string exec_protocol(const std::string& offered) {
  for (const auto* protocol : {"v5.channel.k8s.io", "v4.channel.k8s.io"})
    if (offered.find(protocol) != std::string::npos) return protocol;
  return {};
}

std::string exec_frames(const std::string& protocol, const ExecRequest& request,
                        const ExecAnswer& answer) {
  auto out = begin(protocol);
  append_channel(out, '\x01', answer.out);
  append_channel(out, '\x02', answer.err);
  json::object status{{"metadata", json::object{}}, {"status", "Success"}};
  if (answer.exit_code != 0) {
    const auto code = std::to_string(answer.exit_code);
    status["status"] = "Failure";
    status["message"] = fmt::format(
        "command terminated with non-zero exit code: error executing command [{}], "
        "exit code {}",
        fmt::join(request.command, " "), code);
    status["reason"] = "NonZeroExitCode";
    status["details"] = json::object{
        {"causes", json::array{json::object{{"reason", "ExitCode"}, {"message", code}}}}};
  }
  end(out, status);
  return out;
}

std::string unknown_program_frames(const std::string& protocol, const ExecRequest& request) {
  const auto why = fmt::format(
      "error executing command in container: failed to exec in container: failed to start exec: "
      "OCI runtime exec failed: exec failed: unable to start container process: exec: \"{}\": "
      "executable file not found in $PATH: unknown",
      request.command.front());
  auto out = begin(protocol);
  end(out, failure(500, "InternalError", "Internal error occurred: " + why,
                   json::object{{"causes", json::array{json::object{{"message", why}}}}}));
  return out;
}

}  // namespace catflap::sim
