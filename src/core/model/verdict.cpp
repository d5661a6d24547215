// The stable words for verdicts, also in JSON, in --accept and in policy files.
#include "core/model/verdict.hpp"

#include <array>

namespace catflap {
namespace {

constexpr std::array kVerdicts{
    Verdict::exposed,    Verdict::armed,    Verdict::protected_,
    Verdict::local_only, Verdict::filtered, Verdict::not_felix,
    Verdict::closed,     Verdict::no_felix, Verdict::unknown,
};

}  // namespace

const char* to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::exposed:
      return "exposed";
    case Verdict::armed:
      return "armed";
    case Verdict::protected_:
      return "protected";
    case Verdict::local_only:
      return "local-only";
    case Verdict::filtered:
      return "filtered";
    case Verdict::not_felix:
      return "not-felix";
    case Verdict::closed:
      return "closed";
    case Verdict::no_felix:
      return "no-felix";
    case Verdict::unknown:
      return "unknown";
  }
  return "";
}

const char* to_string(Basis basis) {
  switch (basis) {
    case Basis::none:
      return "";
    case Basis::inside:
      return "inside";
    case Basis::before_after:
      return "before-after";
    case Basis::network:
      return "network";
  }
  return "";
}

std::optional<Verdict> parse_verdict(std::string_view text) {
  for (const Verdict verdict : kVerdicts) {
    if (text == to_string(verdict)) return verdict;
  }
  return std::nullopt;
}

}  // namespace catflap
