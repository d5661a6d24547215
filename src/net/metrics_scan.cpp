#include "net/metrics_scan.hpp"

#include <algorithm>
#include <optional>

#include "base/text.hpp"

namespace catflap::net {
namespace {

constexpr std::size_t kLongestLine = 2048;
constexpr std::size_t kLongestNodeName = 253;  // a DNS subdomain name
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

/// A quoted label value off the front, unescaped as the text format has it (\\, \", \n).
std::optional<std::string> take_quoted(std::string_view& text) {
  if (!text.starts_with('"')) return std::nullopt;
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    if (text[i] == '\\') {
      if (++i == text.size()) return std::nullopt;
      value += text[i] == 'n' ? '\n' : text[i];
    } else {
      value += text[i];
    }
  }
  return std::nullopt;
}

/// The value of label `host` in `felix_host{a="b",host="…"} 1`; none if the line is not such a
/// sample.
std::optional<std::string> host_label(std::string_view line) {
  line.remove_prefix(kFelixHost.size());
  if (!line.starts_with('{')) return std::nullopt;
  line.remove_prefix(1);
  std::optional<std::string> host;
  while (!line.starts_with('}')) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = line.substr(0, equals);
    line.remove_prefix(equals + 1);
    auto value = take_quoted(line);
    if (!value) return std::nullopt;
    if (name == "host") host = std::move(value);
    if (line.starts_with(',')) line.remove_prefix(1);
  }
  const bool has_value = line.size() > 2 && line[1] == ' ';
  return has_value ? host : std::nullopt;
}

}  // namespace

void MetricsScan::feed(std::string_view bytes) {
  while (!bytes.empty() && felix_host_ != FelixHost::seen) {
    const auto end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (end != std::string_view::npos && partial_.empty()) {
      look_at(piece);
    } else {
      const std::size_t room = kLongestLine - std::min(kLongestLine, partial_.size());
      partial_.append(piece.substr(0, room));
      if (end != std::string_view::npos) {
        look_at(partial_);
        partial_.clear();
      }
    }
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
  }
}

void MetricsScan::end() {
  if (!partial_.empty() && felix_host_ != FelixHost::seen) look_at(partial_);
  partial_.clear();
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
  line = line.substr(0, kLongestLine);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with('#')) {  // no sample, and most lines are such
    if (first_metric_.empty() && (line.starts_with("# HELP ") || line.starts_with("# TYPE ")))
      first_metric_ = line.substr(0, kLongestMark);
    return;
  }
  look_for_marks(line);
  if (!is_sample_of(line, kFelixHost)) return;
  const auto host = host_label(line);
  if (!host) {
    felix_host_ = FelixHost::garbled;
    return;
  }
  felix_host_ = FelixHost::seen;
  host_ = printable(*host, kLongestNodeName).substr(0, kLongestNodeName);
  felix_line_ = line;
}

}  // namespace catflap::net
