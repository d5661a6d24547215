// Inflate: a gzip stream undone piece by piece.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace catflap::kube {

class Inflate {
 public:
  Inflate();
  ~Inflate();
  Inflate(const Inflate&) = delete;
  Inflate& operator=(const Inflate&) = delete;

  /// Appends what `bytes` unpack to. At most 1,032 times their size (deflate's own limit), so a
  /// caller that feeds small pieces and counts what comes out is safe from bombs.
  [[nodiscard]] Result<void> feed(std::string_view bytes, std::string& out);
  /// True after the stream's own end mark: without it something is missing.
  [[nodiscard]] bool complete() const { return complete_; }

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
  bool complete_ = false;
};

}  // namespace catflap::kube
