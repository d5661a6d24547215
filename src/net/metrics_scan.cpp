#include "net/metrics_scan.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "net/metrics_sample.hpp"

namespace catflap::net {
namespace {

constexpr std::size_t kLongestLine = 2048;
constexpr std::size_t kKept = kLongestLine + 2;  // one that is longer shows it, with a CR behind it
constexpr std::size_t kLongestNodeName = 253;    // a DNS subdomain name
constexpr std::string_view kFelixHost = "felix_host";
constexpr std::size_t kLongestMark = 256;

struct Mark {
  std::string_view series;
  Product product;
};

// Those first that hand on what others wrote. Calico's: samples that a program makes only when it
// does that part's work. kube-controllers has the pool's size once it knows of a pool, and the
// addresses in use some seconds later (Calico: kube-controllers/pkg/controllers/node/ipam.go).
constexpr std::array<Mark, 5> kMarks{{{"pushgateway_build_info", Product::pushgateway},
                                      {"node_exporter_build_info", Product::node_exporter},
                                      {"ipam_allocations_in_use", Product::kube_controllers},
                                      {"ipam_ippool_size", Product::kube_controllers},
                                      {kTyphaMark, Product::typha}}};

/// `name` as the whole name of a sample, followed by its labels or its value.
bool is_sample_of(std::string_view line, std::string_view name) {
  // Few lines have that after as many letters: most need no comparison.
  return line.size() > name.size() && (line[name.size()] == '{' || line[name.size()] == ' ') &&
         line.starts_with(name);
}

bool names_felix_host(std::string_view bytes) {
  return bytes.find(kFelixHost) != std::string_view::npos;
}

/// Compressed, or in another coding, although neither was asked for.
bool is_no_text(std::string_view bytes) {
  return bytes.find('\0') != std::string_view::npos;
}

bool has_control_character(std::string_view line) {
  return std::any_of(line.begin(), line.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; });
}

}  // namespace

void MetricsScan::feed(std::string_view bytes) {
  while (!bytes.empty() && !settled_) {
    const auto end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (end != std::string_view::npos && partial_.empty()) {
      look_at(piece);
    } else {
      add_to_line(piece);
      if (end != std::string_view::npos) end_line();
    }
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
  }
}

void MetricsScan::end() {
  if (!partial_.empty() && !settled_) end_line();
}

/// Of a line that is longer than is kept, the rest is only searched: a text without line feeds is
/// one line.
void MetricsScan::add_to_line(std::string_view piece) {
  constexpr std::size_t kOverlap = kFelixHost.size() - 1;
  const std::size_t room = kKept - partial_.size();
  partial_.append(piece.substr(0, room));
  if (piece.size() <= room || doubt_beyond_) return;
  if (beyond_.empty()) beyond_ = partial_.substr(partial_.size() - kOverlap);
  beyond_.append(piece.substr(room));
  doubt_beyond_ = names_felix_host(beyond_) || is_no_text(beyond_);
  beyond_.erase(0, beyond_.size() - kOverlap);
}

void MetricsScan::end_line() {
  if (std::exchange(doubt_beyond_, false)) doubt();
  look_at(partial_);
  partial_.clear();
  beyond_.clear();
}

Product MetricsScan::product() const {
  if (felix_host_ == FelixHost::seen) return Product::felix;
  for (std::size_t i = 0; i < kMarks.size(); ++i)
    if (!marks_[i].empty()) return kMarks[i].product;
  return first_metric_.empty() ? Product::unknown : Product::prometheus;
}

std::string MetricsScan::product_mark() const {
  if (felix_host_ == FelixHost::seen) return felix_line_.substr(0, kLongestMark);
  for (const std::string& mark : marks_)
    if (!mark.empty()) return mark;
  return first_metric_;
}

void MetricsScan::look_for_marks(std::string_view line) {
  for (std::size_t i = 0; i < kMarks.size(); ++i) {
    if (marks_[i].empty() && is_sample_of(line, kMarks[i].series))
      marks_[i] = line.substr(0, kLongestMark);
  }
}

void MetricsScan::look_at(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const bool hosts = names_felix_host(line);
  if ((line.size() > kLongestLine && hosts) || is_no_text(line)) doubt();
  line = line.substr(0, kLongestLine);
  if (line.starts_with('#')) {  // no sample, and most lines are such
    if (first_metric_.empty() && (line.starts_with("# HELP ") || line.starts_with("# TYPE ")))
      first_metric_ = line.substr(0, kLongestMark);
    // Whoever ends lines otherwise has more than a comment in it.
    if (hosts && has_control_character(line)) doubt();
    return;
  }
  look_for_marks(line);
  const auto sample = hosts ? parse_sample(line) : std::nullopt;
  if (hosts && !sample) doubt();
  if (sample && sample->name == kFelixHost) return on_felix_host(*sample, line);
  settled_ = felix_host_ == FelixHost::seen;  // one name's samples stand together
}

/// Felix's own has the one label and is always 1; who gathers the samples of others adds labels
/// (job, instance) or times.
void MetricsScan::on_felix_host(const MetricsSample& sample, std::string_view line) {
  const bool own = sample.labels.size() == 1 && sample.labels.front().name == "host" &&
                   sample.value == 1 && !sample.has_time;
  const std::string host =
      own ? printable(sample.labels.front().value, kLongestNodeName).substr(0, kLongestNodeName)
          : std::string{};
  const auto says = own ? FelixHost::seen : FelixHost::gathered;
  if (felix_host_ == FelixHost::absent) {
    felix_host_ = says;
    host_ = host;
    if (own) felix_line_ = line;
  } else if (felix_host_ != says || host_ != host) {
    doubt();
  }
}

void MetricsScan::doubt() {
  felix_host_ = FelixHost::garbled;
  host_.clear();
  felix_line_.clear();
}

}  // namespace catflap::net
