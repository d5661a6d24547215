// A page of a list, as an API server (or something that poses as one) sends it.
#include "kube/list_page.hpp"
#include "planted.hpp"

namespace {

struct Outcome {
  bool ok = false;
  std::size_t items = 0;
  std::string token;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome read(std::string_view text, std::size_t step) {
  Outcome outcome;
  catflap::kube::ListPage page([&](boost::json::object&&) { ++outcome.items; });
  for (std::size_t at = 0; at < text.size(); at += step) {
    if (!page.feed(text.substr(at, step))) return outcome;
  }
  if (auto end = page.finish()) {
    outcome.ok = true;
    outcome.token = end->continue_token;
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = text_of(data, size);
  const auto whole = read(text, size + 1);
  require(whole.ok == read(text, 1).ok);
  if (whole.ok) require(whole == read(text, 3));
  planted(whole.ok && whole.items >= 2 && !whole.token.empty() && whole.token != "abc");
  return 0;
}
