// A body that says it is protobuf, as kubectl or anybody sends it to the embedded API server.
#include "sim/protobuf.hpp"

#include "planted.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto object = catflap::sim::object_of_protobuf(text_of(data, size));
  if (!object) return 0;
  require(object->at("apiVersion").is_string() && object->at("kind").is_string());
  for (const auto* part : {"metadata", "data", "spec"})
    if (const auto* value = object->if_contains(part)) require(value->is_object());
  const auto* fixed = object->if_contains("immutable");
  planted(fixed != nullptr && *fixed == true && object->contains("data"));
  return 0;
}
