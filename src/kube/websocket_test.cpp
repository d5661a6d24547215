#include "kube/websocket.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "kube/exec.hpp"

namespace catflap::kube {
namespace {

using ::testing::HasSubstr;
using namespace std::string_literals;

/// Every message of `bytes` on one line.
std::string read_all(const std::string& bytes, std::size_t piece) {
  FrameReader reader(1000);
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    reader.feed(std::string_view(bytes).substr(at, piece));
    for (;;) {
      auto message = reader.next();
      if (!message) return out + message.error().what;
      if (!message->has_value()) break;
      out +=
          fmt::format("{}:{} ", static_cast<int>((*message)->type),
                      (*message)->payload.size() < 50 ? (*message)->payload
                                                      : std::to_string((*message)->payload.size()));
    }
  }
  return out;
}

TEST(WebSocket, ServerFrames) {
  struct Row {
    std::string bytes;
    const char* want;
  };
  const std::vector<Row> rows{
      {"\x82\x03"s
       "abc",
       "2:abc "},
      {"\x02\x02"s
       "ab"
       "\x89\x01"s
       "p"
       "\x80\x01"s
       "c",
       "9:p 2:abc "},
      {"\x82\x7e\x00\x03"s
       "abc",
       "2:abc "},
      {"\x82\x7f\0\0\0\0\0\0\0\x03"s
       "abc",
       "2:abc "},
      {"\x88\x02\x03\xe8"s, "8:\x03\xe8 "},
      {"\x82\x7e\x03\xe9"s + std::string(1001, 'x'), "WebSocket: a message is too large"},
      {"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"s, "WebSocket: a message is too large"},
      {"\x02\x7e\x03\x00"s + std::string(768, 'x') + "\x80\x7e\x03\x00"s + std::string(768, 'x'),
       "WebSocket: a message is too large"},
      {"\x82\x83zzzz"s
       "abc",
       "WebSocket: the server masked a frame"},
      {"\xc2\x00"s, "WebSocket: a reserved bit is set"},
      {"\x83\x00"s, "WebSocket: an unknown frame type"},
      {"\x80\x00"s, "WebSocket: a fragment out of order"},
      {"\x02\x00\x82\x00"s, "WebSocket: a fragment out of order"},
      {"\x09\x00"s, "WebSocket: a fragmented or large control frame"},
      {"\x89\x7e\x00\x7e"s + std::string(126, 'x'),
       "WebSocket: a fragmented or large control frame"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(read_all(row.bytes, 1), row.want);
    EXPECT_EQ(read_all(row.bytes, 4096), row.want);
  }
}

TEST(WebSocket, ClientFramesAreMasked) {
  EXPECT_EQ(encode_frame(FrameType::pong, "ab", {1, 2, 3, 4}),
            "\x8a\x82\x01\x02\x03\x04"s + "\x60\x60");
  EXPECT_EQ(encode_frame(FrameType::binary, std::string(126, 'x'), {}).substr(0, 4),
            "\x82\xfe\x00\x7e"s);
  EXPECT_EQ(encode_frame(FrameType::binary, std::string(65536, 'x'), {}).substr(0, 10),
            "\x82\xff\0\0\0\0\0\x01\0\0"s);
}

TEST(WebSocket, TheAcceptOfTheStandardsExample) {
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

RC_GTEST_PROP(WebSocketProperty, HostileBytesNeverCrash, (const std::string& bytes)) {
  read_all(bytes, 3);
}

std::string exec_result(const std::vector<std::string>& messages, std::size_t max_bytes = 100) {
  ExecChannels channels(max_bytes);
  for (const std::string& message : messages) {
    if (auto taken = channels.take(message); !taken) return "refused: " + taken.error().what;
  }
  auto result = channels.result("pod p");
  if (!result)
    return fmt::format("{}: {}", to_string(result.error().kind), to_string(result.error()));
  return fmt::format("{} out={} err={}", result->exit_code, result->stdout_, result->stderr_);
}

TEST(Exec, ChannelsAndStatus) {
  const std::string success = "\x03{\"status\":\"Success\"}";
  const std::string failed =
      "\x03{\"status\":\"Failure\",\"reason\":\"NonZeroExitCode\",\"message\":\"m\",\"details\":{"
      "\"causes\":"
      "[{\"reason\":\"ExitCode\",\"message\":\"3\"}]}}";
  struct Row {
    std::vector<std::string> messages;
    const char* want;
  };
  const std::vector<Row> rows{
      {{"\x01"s, "\x02"s, "\x03"s,
        "\x01"s
        "a",
        "\x02"s
        "e",
        "\x01"s
        "b",
        success},
       "0 out=ab err=e"},
      {{"\x01"s
        "a",
        "\xff\x01"s, success},
       "0 out=a err="},
      {{"\x01"s
        "a",
        failed},
       "3 out=a err="},
      {{"\x01"s
        "a"},
       "unreachable: pod p: the connection ended before the command's exit status came"},
      {{}, "unreachable: pod p: the connection ended before the command's exit status came"},
      {{"\x03{"}, "malformed_input: pod p: the server sent a status that does not parse"},
      {{"\x03{\"status\":\"Failure\",\"message\":\"exec: executable file not found in "
        "$PATH\",\"code\":500}"},
       "unsupported: pod p: exec: executable file not found in $PATH"},
      {{"\x03{\"status\":\"Failure\",\"message\":\"boom\",\"code\":500}"}, "internal: pod p: boom"},
      {{"\x03{\"status\":\"Failure\",\"details\":{\"causes\":[{\"reason\":\"ExitCode\",\"message\":"
        "\"x\"}]}}"},
       "internal: pod p: the server sent status 0"},
      {{"\x07x"}, "refused: an unknown channel 7"},
      {{"\x01" + std::string(60, 'a'), "\x02" + std::string(60, 'a')},
       "refused: the command wrote more than 100 bytes"},
  };
  for (const Row& row : rows) EXPECT_EQ(exec_result(row.messages), row.want);
}

}  // namespace
}  // namespace catflap::kube
