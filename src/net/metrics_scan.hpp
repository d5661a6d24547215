// Looks through a metrics text, piece by piece, for the two series that say who wrote it.
// From Calico 3.33 on Typha can expose felix_* series and Felix typha_* ones (all linked into one
// binary), so only felix_host, which Felix registers when it serves its own metrics, proves Felix.
#pragma once

#include <string>
#include <string_view>

namespace catflap::net {

class MetricsScan {
 public:
  enum class FelixHost {
    absent,
    seen,     // felix_host{host="…"}
    garbled,  // a line that starts like it and does not parse: neither Felix nor positively not
              // Felix
  };

  /// The next bytes of the body, cut anywhere. Keeps at most one line of 2 KiB.
  void feed(std::string_view bytes);
  /// The body ended: its last line may lack a line feed. Not to be called for a cut body.
  void end();

  [[nodiscard]] FelixHost felix_host() const { return felix_host_; }
  /// The label's value, unescaped, control characters as \xNN, at most 253 bytes (a node's name has
  /// no more).
  [[nodiscard]] const std::string& host() const { return host_; }
  /// The line it came from, as sent; empty unless seen.
  [[nodiscard]] const std::string& line() const { return felix_line_; }
  [[nodiscard]] bool typha() const { return typha_; }

 private:
  void look_at(std::string_view line);

  std::string partial_;
  FelixHost felix_host_ = FelixHost::absent;
  std::string host_;
  std::string felix_line_;
  bool typha_ = false;
};

}  // namespace catflap::net
