#include "net/http_answer.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/text.hpp"

namespace catflap::net {
namespace {

constexpr std::size_t kExcerpt = 512;
constexpr std::size_t kMaxOverhead =
    32 * 1024;  // of a header, of a trailer, of lines between two pieces of body

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::uint64_t> parse_length(std::string_view text, int base) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, value, base);
  if (text.empty() || problem != std::errc{} || stop != end) return std::nullopt;
  return value;
}

/// What a complete answer without felix_host says about who gave it.
Identity judge_status(int status) {
  // 2xx: here are all its metrics, or its page, and felix_host is not among them.
  if (status / 100 == 2 && status != 206) return Identity::other;
  // Redirects are not followed: Felix has none, so whoever sends one is not Felix.
  if (status / 100 == 3) return Identity::other;
  // Felix always serves this path.
  if (status == 404 || status == 405 || status == 410) return Identity::other;
  // 400, 401, 403, 407: somebody wants something of the client first, and Felix may stand behind
  // it. 5xx and 429: a proxy whose Felix is away, or Felix itself when its collectors fail
  // (promhttp answers 500). None of it says "not Felix".
  return Identity::unidentified;
}

}  // namespace

HttpAnswer::State HttpAnswer::state() const {
  switch (phase_) {
    case Phase::done:
      return State::done;
    case Phase::cut:
      return State::cut;
    case Phase::malformed:
      return State::malformed;
    default:
      return State::reading;
  }
}

HttpAnswer::State HttpAnswer::feed(std::string_view bytes) {
  head_.append(bytes.substr(0, kExcerpt - head_.size()));
  const bool over = bytes.size() > bytes_left_;
  bytes = bytes.substr(0, bytes_left_);
  bytes_left_ -= bytes.size();
  while (!bytes.empty() && state() == State::reading) {
    if (at_line()) {
      take_line(bytes);
    } else {
      take_body(bytes);
    }
  }
  if (state() == State::reading && (over || bytes_left_ == 0)) phase_ = Phase::cut;
  return state();
}

HttpAnswer::State HttpAnswer::end_of_stream() {
  if (phase_ == Phase::body_until_end) {
    // It may be all, or what came before somebody in between gave up.
    ended_by_close_ = true;
    finish();
  } else if (state() == State::reading) {
    phase_ = Phase::cut;
  }
  return state();
}

Identity HttpAnswer::identity() const {
  if (head_.empty()) return Identity::none;
  if (scan_.felix_host() == MetricsScan::FelixHost::seen) return Identity::felix;
  if (phase_ != Phase::done || encoded_ || !is_positively_not_felix())
    return Identity::unidentified;
  if (scan_.product() == Product::typha) return Identity::typha;
  if (ended_by_close_ && status_ / 100 == 2) return Identity::unidentified;
  return judge_status(status_);
}

/// Of a body that is whole.
bool HttpAnswer::is_positively_not_felix() const {
  const Product who = scan_.product();
  switch (scan_.felix_host()) {
    case MetricsScan::FelixHost::absent:
      return true;
    case MetricsScan::FelixHost::gathered:
      // A copy, if it stands where such are kept. Anybody else may be handing on Felix's own text.
      return who == Product::pushgateway || who == Product::node_exporter;
    default:
      return false;
  }
}

Product HttpAnswer::product() const {
  const Product who = encoded_ ? Product::unknown : scan_.product();
  // What is still to come could be felix_host.
  const bool whole = phase_ == Phase::done && !ended_by_close_;
  if (who == Product::felix || (who != Product::unknown && whole)) return who;
  if (who != Product::unknown) return Product::prometheus;
  return status_ != 0 ? Product::http : Product::unknown;
}

std::string HttpAnswer::product_mark() const {
  switch (product()) {
    case Product::unknown:
      return {};
    case Product::http:
      return head_.substr(0, head_.find_first_of("\r\n"));
    case Product::prometheus:
      return scan_.first_metric().empty() ? scan_.product_mark() : scan_.first_metric();
    default:
      return scan_.product_mark();
  }
}

std::string HttpAnswer::excerpt() const {
  const std::string& line = scan_.line();
  if (line.empty() || head_.find(line) != std::string::npos) return head_;
  return head_ + "\n" + line;
}

bool HttpAnswer::at_line() const {
  return phase_ != Phase::sized_body && phase_ != Phase::body_until_end &&
         phase_ != Phase::chunk_data;
}

void HttpAnswer::take_line(std::string_view& bytes) {
  const auto end = bytes.find('\n');
  const std::size_t taken = end == std::string_view::npos ? bytes.size() : end + 1;
  overhead_ += taken;
  if (overhead_ > kMaxOverhead) {
    phase_ = Phase::malformed;
    return;
  }
  line_.append(bytes.substr(0, end));
  bytes.remove_prefix(taken);
  // A first line that cannot become a status line is known at once: a silent banner need not be
  // waited for.
  if (phase_ == Phase::status_line &&
      !line_.starts_with(std::string_view("HTTP/1.").substr(0, line_.size()))) {
    phase_ = Phase::malformed;
    return;
  }
  if (end == std::string_view::npos) return;
  if (line_.ends_with('\r')) line_.pop_back();
  const std::string line = std::exchange(line_, {});
  on_line(line);
}

void HttpAnswer::on_line(std::string_view line) {
  switch (phase_) {
    case Phase::status_line:
      return on_status_line(line);
    case Phase::header_line:
      return line.empty() ? on_end_of_headers() : on_header_line(line);
    case Phase::chunk_size:
      return on_chunk_size(line);
    case Phase::chunk_data_end:
      phase_ = line.empty() ? Phase::chunk_size : Phase::malformed;
      return;
    case Phase::trailer_line:
      if (line.empty()) finish();
      return;
    default:
      phase_ = Phase::malformed;
  }
}

void HttpAnswer::on_status_line(std::string_view line) {
  // "HTTP/1.1 200 OK"; the reason may be missing.
  const bool shaped = line.size() >= 12 && line.starts_with("HTTP/1.") && line[8] == ' ' &&
                      (line.size() == 12 || line[12] == ' ');
  const auto status = shaped ? parse_length(line.substr(9, 3), 10) : std::nullopt;
  if (!status || *status < 100 || *status > 599) {
    phase_ = Phase::malformed;
    return;
  }
  status_ = static_cast<int>(*status);
  phase_ = Phase::header_line;
}

void HttpAnswer::on_header_line(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos)
    return;  // a folded line: none of the headers we read is ever folded
  const std::string name = to_lower(line.substr(0, colon));
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (name == "content-length") {
    const auto length = parse_length(value, 10);
    if (!length || (has_length_ && *length != length_)) {
      phase_ = Phase::malformed;
      return;
    }
    has_length_ = true;
    length_ = *length;
  } else if (name == "transfer-encoding") {
    chunked_ = to_lower(value).ends_with("chunked");
    encoded_ = encoded_ || !equal_ignoring_case(value, "chunked");
  } else if (name == "content-encoding") {
    encoded_ = encoded_ || !(value.empty() || equal_ignoring_case(value, "identity"));
  }
}

void HttpAnswer::on_end_of_headers() {
  if (status_ == 101) {
    phase_ = Phase::malformed;  // we asked for no other protocol
  } else if (status_ / 100 == 1) {
    // "100 Continue" and the like come before the answer; kMaxOverhead bounds how many.
    phase_ = Phase::status_line;
    status_ = 0;
    chunked_ = encoded_ = has_length_ = false;
  } else if (status_ == 204 || status_ == 304) {
    finish();
  } else if (chunked_) {
    phase_ = Phase::chunk_size;
  } else if (!has_length_) {
    phase_ = Phase::body_until_end;
  } else if (length_ == 0) {
    finish();
  } else {
    body_left_ = length_;
    phase_ = Phase::sized_body;
  }
}

void HttpAnswer::on_chunk_size(std::string_view line) {
  const auto size = parse_length(trimmed(line.substr(0, line.find(';'))), 16);
  if (!size) {
    phase_ = Phase::malformed;
    return;
  }
  body_left_ = *size;
  phase_ = *size == 0 ? Phase::trailer_line : Phase::chunk_data;
}

void HttpAnswer::take_body(std::string_view& bytes) {
  overhead_ = 0;
  std::size_t taken = bytes.size();
  if (phase_ != Phase::body_until_end) {
    taken = static_cast<std::size_t>(std::min<std::uint64_t>(taken, body_left_));
    body_left_ -= taken;
  }
  if (!encoded_) scan_.feed(bytes.substr(0, taken));
  bytes.remove_prefix(taken);
  if (scan_.settled()) {
    phase_ = Phase::done;
  } else if (phase_ == Phase::sized_body && body_left_ == 0) {
    finish();
  } else if (phase_ == Phase::chunk_data && body_left_ == 0) {
    phase_ = Phase::chunk_data_end;
  }
}

void HttpAnswer::finish() {
  scan_.end();
  phase_ = Phase::done;
}

}  // namespace catflap::net
