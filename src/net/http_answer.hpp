// The answer to GET /metrics, parsed as it arrives, and who it shows to have answered. Pure: bytes
// in, facts out. The body is never stored: a real one has 90 KB with felix_host at byte 5,512, a
// hostile one has no end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/model/observation.hpp"
#include "net/metrics_scan.hpp"

namespace catflap::net {

class HttpAnswer {
 public:
  enum class State {
    reading,
    done,       // complete, or felix_host was seen and a line behind it
    cut,        // max_bytes reached first, or the stream ended inside the answer
    malformed,  // not HTTP/1.x
  };

  explicit HttpAnswer(std::size_t max_bytes) : bytes_left_(max_bytes) {}

  /// The next bytes from the stream, cut anywhere. Once the state is not `reading`, it stays and
  /// bytes are ignored.
  State feed(std::string_view bytes);
  /// The other end closed the stream in order: that completes an answer without a length, and cuts
  /// any other.
  State end_of_stream();

  [[nodiscard]] State state() const;
  /// 0 until the status line was read.
  [[nodiscard]] int status() const { return status_; }
  /// Who answered, judged by what has arrived so far; none if nothing has.
  /// `other` needs a complete answer that is positively something else (see the table in the .cpp).
  [[nodiscard]] Identity identity() const;
  [[nodiscard]] const std::string& felix_host() const { return scan_.host(); }
  /// Which program it shows itself to be, and the bytes that say so: a series of it, or the status
  /// line.
  [[nodiscard]] Product product() const;
  [[nodiscard]] std::string product_mark() const;
  /// The first 512 bytes as sent, and the felix_host line if it stood behind them.
  [[nodiscard]] std::string excerpt() const;

 private:
  enum class Phase {
    status_line,
    header_line,
    sized_body,
    body_until_end,
    chunk_size,
    chunk_data,
    chunk_data_end,
    trailer_line,
    done,
    cut,
    malformed,
  };

  [[nodiscard]] bool at_line() const;
  void take_line(std::string_view& bytes);
  void take_body(std::string_view& bytes);
  void on_line(std::string_view line);
  void on_status_line(std::string_view line);
  void on_header_line(std::string_view line);
  void on_chunk_size(std::string_view line);
  void on_end_of_headers();
  void finish();
  [[nodiscard]] bool is_positively_not_felix() const;

  Phase phase_ = Phase::status_line;
  std::size_t bytes_left_;
  std::string head_;          // the first bytes, for the excerpt
  std::string line_;          // the current line of the header, a chunk's size or the trailer
  std::size_t overhead_ = 0;  // bytes of all such lines since the last body bytes
  int status_ = 0;
  bool chunked_ = false;
  bool encoded_ = false;  // compressed although not asked for: the series in it cannot be seen
  bool has_length_ = false;
  bool ended_by_close_ = false;  // nothing but the end of the stream says that the body is whole
  std::uint64_t length_ = 0;
  std::uint64_t body_left_ = 0;  // of the body, or of the current chunk
  MetricsScan scan_;
};

}  // namespace catflap::net
