// UniqueHandle<Traits>: the one owner of a C handle (descriptor, SSL, X509 …).
// Traits: `using Type`, `static Type none()`, `static void close(Type)`.
#pragma once

#include <unistd.h>

#include <utility>

namespace catflap {

template <class Traits>
class [[nodiscard]] UniqueHandle {
 public:
  using Type = typename Traits::Type;

  UniqueHandle() = default;
  explicit UniqueHandle(Type handle) : handle_(handle) {}
  UniqueHandle(UniqueHandle&& other) noexcept : handle_(other.release()) {}
  UniqueHandle& operator=(UniqueHandle&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~UniqueHandle() { reset(); }

  [[nodiscard]] Type get() const { return handle_; }
  explicit operator bool() const { return handle_ != Traits::none(); }
  [[nodiscard]] Type release() { return std::exchange(handle_, Traits::none()); }
  void reset(Type next = Traits::none()) {
    Type old = std::exchange(handle_, next);
    if (old != Traits::none()) Traits::close(old);
  }

 private:
  Type handle_ = Traits::none();
};

struct FdTraits {
  using Type = int;
  static Type none() { return -1; }
  static void close(Type fd) { ::close(fd); }
};
using UniqueFd = UniqueHandle<FdTraits>;

}  // namespace catflap
