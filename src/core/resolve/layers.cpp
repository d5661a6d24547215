#include "core/resolve/layers.hpp"

#include <algorithm>

namespace catflap {

std::vector<Ending> endings_of(const std::vector<LayerValues>& layers) {
  std::vector<Ending> endings;
  for (const LayerValues& layer : layers) {
    if (!layer.unreadable.empty()) endings.push_back({layer.layer, nullptr, &layer});
    bool falls_through = layer.candidates.empty();
    for (const Candidate& candidate : layer.candidates) {
      if (candidate.raw.empty()) {
        falls_through = true;
      } else {
        endings.push_back({layer.layer, &candidate, nullptr});
      }
    }
    if (!falls_through) return endings;
  }
  endings.push_back({Layer::compiled, nullptr, nullptr});
  return endings;
}

std::vector<Masked> masked_below(const std::vector<LayerValues>& layers, Layer layer) {
  std::vector<Masked> masked;
  for (const LayerValues& lower : layers) {
    if (lower.layer <= layer) continue;
    for (const Candidate& candidate : lower.candidates) {
      if (!candidate.raw.empty()) masked.push_back({lower.layer, candidate.source, candidate.raw});
    }
  }
  return masked;
}

std::string ambiguity(const std::vector<Ending>& endings) {
  std::string text = "Felix may take any of";
  for (const Ending& ending : endings) {
    if (&ending != &endings.front()) text += ",";
    if (ending.candidate) {
      text += fmt::format(" {}={}", ending.candidate->source.field, ending.candidate->raw);
    } else {
      text += " its default";
    }
  }
  return text;
}

}  // namespace catflap
