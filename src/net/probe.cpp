#include "net/probe.hpp"

#include <map>

#include "net/engine.hpp"

namespace catflap::net {
namespace {

/// A list of targets, taken node by node in turn: then no node waits for another's.
class ListDesk final : public Desk {
 public:
  explicit ListDesk(std::span<const Target> targets) : targets_(targets), records(targets.size()) {
    // The first target of each node, then the second of each, and so on.
    std::map<std::string, std::size_t> seen;
    std::multimap<std::size_t, std::size_t> by_turn;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const Target& target = targets[i];
      const std::string node =
          target.node.empty() ? "@" + target.endpoint.address.to_string() : target.node;
      by_turn.emplace(seen[node]++, i);
    }
    for (const auto& [turn, index] : by_turn) order_.push_back(index);
  }

  Supply next(Order& into) override {
    if (next_ == order_.size()) return Supply::over;
    const std::size_t index = order_[next_++];
    into = {targets_[index], index};
    return Supply::order;
  }
  void done(const Order& order, Reach record) override { records[order.id] = std::move(record); }

 private:
  std::span<const Target> targets_;
  std::vector<std::size_t> order_;
  std::size_t next_ = 0;

 public:
  std::vector<std::optional<Reach>> records;
};

}  // namespace

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
    auto& record = desk.records[i];
    all.push_back(record ? std::move(*record) : unanswered(targets[i], clock.now(), why));
  }
  return all;
}

}  // namespace catflap::net
