// The frames of an exec session. How they are cut must not change the messages; none may be larger
// than allowed.
#include "kube/websocket.hpp"

#include <vector>

#include "planted.hpp"

namespace {

constexpr std::size_t kMax = 4096;

struct Outcome {
  std::vector<std::string> payloads;
  bool failed = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

void drain(catflap::kube::FrameReader& reader, Outcome& outcome) {
  while (!outcome.failed) {
    const auto message = reader.next();
    outcome.failed = !message.has_value();
    if (outcome.failed || !message->has_value()) return;
    require((*message)->payload.size() <= kMax);
    outcome.payloads.push_back((*message)->payload);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = text_of(data, size);
  Outcome whole, cut;
  catflap::kube::FrameReader at_once(kMax), bytewise(kMax);
  at_once.feed(text);
  drain(at_once, whole);
  for (std::size_t i = 0; i < size && !cut.failed; ++i) {
    bytewise.feed(text.substr(i, 1));
    drain(bytewise, cut);
  }
  require(whole == cut);
  planted(!whole.failed && whole.payloads.size() >= 3);
  return 0;
}
