// Looks through a metrics text, piece by piece, for the series that say who wrote it.
// From Calico 3.33 on Typha can expose felix_* series and Felix typha_* ones (all linked into one
// binary; kube-controllers 3.30 has two of Typha's already), so only felix_host, which Felix
// registers when it serves its own metrics, proves Felix.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "core/model/observation.hpp"

namespace catflap::net {

/// Typha makes it for each cache that it fills, and nobody else does; its gauges, such as
/// typha_connections_active, are there as soon as its code is linked (Calico:
/// typha/pkg/snapcache/cache.go).
inline constexpr std::string_view kTyphaMark = "typha_breadcrumb_size_count";

struct MetricsSample;

class MetricsScan {
 public:
  enum class FelixHost {
    absent,
    seen,      // felix_host{host="…"} 1
    gathered,  // with other labels, a time or another value: Felix's, by way of somebody else
    garbled,   // named where no sample could be read, or twice and not the same, or the body is no
               // text: neither Felix nor positively not Felix
  };

  /// The next bytes of the body, cut anywhere. Keeps at most one line of 2 KiB.
  void feed(std::string_view bytes);
  /// The body ended: its last line may lack a line feed. Not to be called for a cut body.
  void end();

  [[nodiscard]] FelixHost felix_host() const { return felix_host_; }
  /// Felix's sample was seen and another line behind it: what else may come is not looked at.
  [[nodiscard]] bool settled() const { return settled_; }
  /// The label's value, unescaped, control characters as \xNN, at most 253 bytes (a node's name has
  /// no more).
  [[nodiscard]] const std::string& host() const { return host_; }
  /// The line it came from, as sent; empty unless seen.
  [[nodiscard]] const std::string& line() const { return felix_line_; }
  /// Who wrote it, judged by what has been fed; unknown if nothing looked like metrics.
  [[nodiscard]] Product product() const;
  /// The first line that only a metrics text has; empty if there was none.
  [[nodiscard]] const std::string& first_metric() const { return first_metric_; }
  /// The line that tells product(), as sent, at most 256 bytes.
  [[nodiscard]] std::string product_mark() const;

 private:
  void add_to_line(std::string_view piece);
  void end_line();
  void look_at(std::string_view line);
  void on_felix_host(const MetricsSample& sample, std::string_view line);
  void doubt();
  void look_for_marks(std::string_view line);

  std::string partial_;        // the line that has begun, as far as it is kept
  std::string beyond_;         // its last bytes, of one that is longer
  bool doubt_beyond_ = false;  // felix_host stands there, or what is no text
  FelixHost felix_host_ = FelixHost::absent;
  bool settled_ = false;
  std::string host_;
  std::string felix_line_;
  std::array<std::string, 5> marks_;  // the first line of each of the .cpp's table
  std::string first_metric_;          // the first line of # HELP or # TYPE
};

}  // namespace catflap::net
