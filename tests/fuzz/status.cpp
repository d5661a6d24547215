// What an API server (or a proxy that answers in its place) says when it refuses.
#include "kube/status.hpp"

#include <algorithm>

#include "planted.hpp"

namespace {

void require_shown(const catflap::Error& error) {
  require(!error.what.empty() && error.what.size() <= 8192);
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  require(std::none_of(error.what.begin(), error.what.end(), control));
}

}  // namespace

/// The first byte chooses the HTTP status, the rest is the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const int status = 300 + data[0];
  const auto text = text_of(data + 1, size - 1);
  const auto error =
      catflap::kube::error_of({.status = status, .body = text, .subject = "a subject"});
  require(error.system_code == status);
  require_shown(error);
  require_shown(catflap::kube::error_of_status(text, "a subject"));
  const auto right = catflap::kube::parse_missing_right(text);
  if (right) require(right->verb.find(' ') == std::string::npos);
  const catflap::TimePoint now{std::chrono::seconds{1'700'000'000}};
  const auto pause = catflap::kube::parse_retry_after(text, now);
  if (pause) require(pause->count() >= 0 && *pause <= std::chrono::hours{1});
  planted(status == 403 && error.hint.find("--subresource=") != std::string::npos);
  return 0;
}
