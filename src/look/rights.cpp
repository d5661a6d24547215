#include "look/rights.hpp"

#include <algorithm>

namespace catflap::look {

void Rights::granted(const std::string& namespace_) {
  by_namespace_[namespace_].granted = true;
}

void Rights::refused(const std::string& namespace_, std::string refusal) {
  by_namespace_[namespace_].refusal = std::move(refusal);
}

const std::string* Rights::refusal(const std::string& namespace_) const {
  const auto found = by_namespace_.find(namespace_);
  if (found == by_namespace_.end() || found->second.granted || found->second.refusal.empty())
    return nullptr;
  return &found->second.refusal;
}

const std::string* Rights::nowhere() const {
  const bool none = !by_namespace_.empty() && std::ranges::all_of(by_namespace_, [&](auto& entry) {
    return refusal(entry.first) != nullptr;
  });
  return none ? &by_namespace_.begin()->second.refusal : nullptr;
}

}  // namespace catflap::look
