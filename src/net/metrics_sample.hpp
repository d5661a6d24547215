// One line of a metrics text that is a sample (Prometheus text format 0.0.4, and the quoted names
// of 1.0.0): name, labels, value, time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace catflap::net {

struct MetricsSample {
  struct Label {
    std::string name;
    std::string value;  // unescaped
  };
  std::string name;
  std::vector<Label> labels;  // as sent: one name may stand there twice
  double value = 0;
  bool has_time = false;
};

/// None if the line (without its end) is no such sample. Blanks and tabs may stand between its
/// parts, before and behind it.
[[nodiscard]] std::optional<MetricsSample> parse_sample(std::string_view line);

}  // namespace catflap::net
