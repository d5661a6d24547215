#include "sim/felix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/edits.hpp"

namespace catflap::sim {
namespace {

// As measured on real nodes with Calico v3.30.1.
constexpr Duration kListensAfter{300};
constexpr Duration kRestartsAfter{2400};
constexpr Duration kRetriesAfter{1000};

/// The address that a declared host means on a node: none if it is a name that nobody knows.
std::optional<IpAddress> address_of(const std::string& host) {
  if (host == "localhost") return IpAddress::parse("127.0.0.1");
  return IpAddress::parse(host);
}

}  // namespace

Felix::Felix(Store& store, Sockets& sockets, const Settings& settings, FelixContainer container)
    : store_(store), sockets_(sockets), world_(settings), container_(std::move(container)) {
  start();
}

Felix::~Felix() {
  stop();
}

std::optional<std::string> Felix::file() const {
  const auto own = world_.felix_cfg.find(container_.node);
  return own == world_.felix_cfg.end() ? std::nullopt : std::optional{own->second};
}

FelixSettings Felix::settings_now() const {
  return felix_settings(store_, container_, file(), world_.vendor_default);
}

/// A large cluster's takes longer to be in sync, and listens last: the node's annotation says so.
Duration Felix::listens_after() const {
  const auto* node = store_.find({kube::kNodes, "", container_.node});
  if (node == nullptr) return kListensAfter;
  auto said = parse_duration(
      text_at(*node, {"metadata", "annotations", "sim.catflap.dev/felix-listens-after"}));
  return said ? *said : kListensAfter;
}

/// With the datastore not ready it has read nothing yet.
void Felix::log_settings() {
  if (settings_.waits) return;
  const auto now = store_.clock().now();
  log_.read_settings(now, pid(), felix_declared(store_, container_, file()));
  if (settings_.enabled) log_.serves(now, pid());
}

void Felix::start() {
  settings_ = settings_now();
  seen_ = watched();
  restarts_at_.reset();
  started_ = store_.clock().now();
  if (!settings_.runs) return;
  ++starts_;
  log_settings();
  listens_at_ = started_ + listens_after();
}

void Felix::stop() {
  if (health_) sockets_.close(*health_);
  if (metrics_) sockets_.close(*metrics_);
  health_.reset();
  metrics_.reset();
  listens_at_.reset();
}

bool Felix::open_metrics() {
  Socket socket{.node = container_.node,
                .port = static_cast<Port>(settings_.port),
                .serves = settings_.serves,
                .owner = SocketOwner::felix};
  if (!settings_.host.empty()) {
    socket.address = address_of(settings_.host);
    if (!socket.address) return false;
    if (socket.address->is_unspecified()) socket.address.reset();
  }
  metrics_ = sockets_.open(socket);
  return metrics_.has_value();
}

void Felix::listen() {
  listens_at_.reset();
  if (!health_)
    health_ = sockets_.open({.node = container_.node,
                             .address = IpAddress::v4({127, 0, 0, 1}),
                             .port = static_cast<Port>(settings_.health_port),
                             .serves = "health",
                             .owner = SocketOwner::felix_health});
  // With a TLS file missing it gives up; with the port taken it tries for ever.
  if (settings_.waits || !settings_.enabled || settings_.serves.empty() || metrics_) return;
  const auto now = store_.clock().now();
  log_.listens(now, pid(), settings_.host, settings_.port);
  if (open_metrics()) return;
  listens_at_ = now + kRetriesAfter;
  const auto place = fmt::format("[{}]:{}", settings_.host, settings_.port);
  log_.fails_to_listen(now, pid(), fmt::format("listen tcp {}: bind failed", place));
}

/// The versions of what Felix watches, as far as it is played here.
std::string Felix::watched() const {
  std::string versions;
  for (const auto& resource : {Resource{"crd.projectcalico.org", "v1", "felixconfigurations"},
                               Resource{"projectcalico.org", "v3", "felixconfigurations"},
                               Resource{"crd.projectcalico.org", "v1", "clusterinformations"},
                               Resource{"projectcalico.org", "v3", "clusterinformations"}})
    for (const auto& object : store_.select({.resource = resource}))
      versions += name_of(object) + text_at(object, {"metadata", "resourceVersion"}) + " ";
  const auto* node = store_.find({kube::kNodes, "", container_.node});
  const auto* labels = node != nullptr ? object_at(*node, {"metadata", "labels"}) : nullptr;
  return labels != nullptr ? versions + json::serialize(*labels) : versions;
}

/// What it watches has changed.
void Felix::follow(FelixSettings declared) {
  const auto now = store_.clock().now();
  if (settings_.waits) {
    settings_ = std::move(declared);
    if (settings_.waits) return;
    log_settings();
    listens_at_ = now + kRetriesAfter;
  } else if (declared != settings_) {
    restarts_at_ = now + kRestartsAfter;
  }
}

TimePoint Felix::tick() {
  const auto now = store_.clock().now();
  // The environment and felix.cfg are read at the start only; FelixContainer keeps the former.
  if (!restarts_at_ && settings_.runs) {
    const auto seen = std::exchange(seen_, watched());
    if (seen != seen_) follow(settings_now());
  }
  if (restarts_at_ && now >= *restarts_at_) {
    log_.restarts(now, pid());
    stop();
    start();
  }
  if (listens_at_ && now >= *listens_at_) listen();
  return std::min(listens_at_.value_or(kNever), restarts_at_.value_or(kNever));
}

}  // namespace catflap::sim
