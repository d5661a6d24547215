// The layers of one parameter, highest first, and the decision between them.
// A layer can offer several texts (names that differ in case: Felix takes any of them) or be partly
// unknown. So the decision follows every possibility down to the layer where it ends, and a value
// is known only if all of them agree.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/model/declared.hpp"

namespace catflap {

struct Candidate {
  Source source;
  std::string raw;  // empty: Felix drops it and asks the next layer
};

struct LayerValues {
  Layer layer = Layer::env;
  std::vector<Candidate> candidates;  // none: the layer does not set the parameter
  std::string unreadable;             // not empty: something here could set it and is not known
  Source unreadable_source;
};

/// Where one possibility ends. `candidate` is null for the compiled default and for what is
/// unreadable.
struct Ending {
  Layer layer = Layer::compiled;
  const Candidate* candidate = nullptr;
  const LayerValues* unreadable = nullptr;
};

/// Every possibility, in the order of the layers.
[[nodiscard]] std::vector<Ending> endings_of(const std::vector<LayerValues>& layers);

/// What stands below `layer`, without empty texts.
[[nodiscard]] std::vector<Masked> masked_below(const std::vector<LayerValues>& layers, Layer layer);

/// Why a parameter is ambiguous, in one line.
[[nodiscard]] std::string ambiguity(const std::vector<Ending>& endings);

/// Decides a parameter. `parse` gives nothing for a text that Felix refuses; `fallback` is Felix's
/// compiled default.
template <class T, class Parse>
Param<T> decide(const std::vector<LayerValues>& layers, const T& fallback, Parse&& parse) {
  const std::vector<Ending> endings = endings_of(layers);
  const Ending& first = endings.front();
  Param<T> param;
  param.layer = first.layer;
  param.assumed = endings.size() == 1 && first.layer == Layer::compiled;
  param.masked = masked_below(layers, first.layer);
  if (first.candidate) {
    param.source = first.candidate->source;
    param.raw = first.candidate->raw;
  }
  bool agree = true;
  for (const Ending& ending : endings) {
    if (ending.unreadable) {
      param.state = ParamState::unreadable;
      param.why = ending.unreadable->unreadable;
      param.layer = ending.layer;
      param.source = ending.unreadable->unreadable_source;
      param.masked = masked_below(layers, ending.layer);
      param.raw.clear();
      param.value.reset();
      param.invalid = false;
      return param;
    }
    const std::optional<T> parsed =
        ending.candidate ? parse(ending.candidate->raw) : std::optional<T>{fallback};
    if (&ending == &first) {
      param.value = parsed.value_or(fallback);
      param.invalid = !parsed.has_value();
    }
    agree = agree && param.value == parsed.value_or(fallback);
  }
  if (!agree) {
    param.state = ParamState::ambiguous;
    param.why = ambiguity(endings);
    param.masked = masked_below(layers, endings.back().layer);
    param.value.reset();
    param.invalid = false;
  }
  return param;
}

}  // namespace catflap
