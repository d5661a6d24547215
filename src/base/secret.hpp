// Secret: a token, password or key. It has no printer on purpose; reveal() is easy to find in a
// review.
#pragma once

#include <string>
#include <utility>

namespace catflap {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] const std::string& reveal() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  std::string text_;
};

}  // namespace catflap
