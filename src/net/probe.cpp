#include "net/probe.hpp"

#include "net/engine.hpp"

namespace catflap::net {
namespace {

/// A list of targets, in its order.
class ListDesk final : public Desk {
 public:
  explicit ListDesk(std::span<const Target> targets)
      : targets_(targets), records_(targets.size()) {}

  Supply next(Order& into) override {
    if (next_ == targets_.size()) return Supply::over;
    into = {targets_[next_], next_};
    ++next_;
    return Supply::order;
  }
  void done(const Order& order, Reach record) override { records_[order.id] = std::move(record); }

  /// One for each target, in order; none where it was not asked to its end.
  [[nodiscard]] std::vector<std::optional<Reach>>& records() { return records_; }

 private:
  std::span<const Target> targets_;
  std::size_t next_ = 0;
  std::vector<std::optional<Reach>> records_;
};

}  // namespace

std::string node_of(const IpAddress& address) {
  return "@" + address.to_string();  // which is no node's name
}

std::vector<Reach> probe(std::span<const Target> targets, const ProbeOptions& options,
                         const Clock& clock) {
  if (targets.empty()) return {};
  ListDesk desk(targets);
  std::string why = "interrupted";
  const auto doorbell = Doorbell::create();
  const auto ran =
      doorbell ? run_engine(desk, *doorbell, options, clock) : Result<void>(doorbell.error());
  if (!ran) why = to_string(ran.error());
  std::vector<Reach> all;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    auto& record = desk.records()[i];
    all.push_back(record ? std::move(*record) : unanswered(targets[i], clock.now(), why));
  }
  return all;
}

}  // namespace catflap::net
