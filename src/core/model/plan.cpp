// The stable words for plans, also in JSON.
#include "core/model/plan.hpp"

namespace catflap {

const char* to_string(Restart restart) {
  switch (restart) {
    case Restart::none:
      return "none";
    case Restart::rolling:
      return "rolling";
    case Restart::in_place:
      return "in-place";
  }
  return "";
}

}  // namespace catflap
