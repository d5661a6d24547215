#include "sim/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <mutex>
#include <set>
#include <thread>

#include "base/json_read.hpp"
#include "look/match.hpp"
#include "sim/api_server.hpp"
#include "sim/certificates.hpp"
#include "sim/embedded.hpp"
#include "sim/kubeconfig_text.hpp"
#include "sim/rewound.hpp"
#include "sim/scenario.hpp"
#include "sim/servers.hpp"
#include "sim/world.hpp"

namespace catflap::sim {
namespace {

constexpr std::chrono::milliseconds kTick{20};
/// How long the cluster has been there when it begins to serve: nothing in it counts as recent.
constexpr std::chrono::hours kAge{6};

std::optional<IpAddress> address_here(const IpAddress& address) {
  if (can_bind(address)) return address;
  const auto& bytes = address.bytes();
  if (address.is_v6()) return std::nullopt;
  const auto local = IpAddress::v4({127, bytes[1], bytes[2], bytes[3]});
  return can_bind(local) ? std::optional{local} : std::nullopt;
}

/// "1.33" -> "v1.33.13".
std::string git_version(const std::string& kubernetes) {
  if (kubernetes == "1.33") return "v1.33.13";
  if (kubernetes == "1.28") return "v1.28.15";
  const bool whole = std::ranges::count(kubernetes, '.') > 1;
  return "v" + kubernetes + (whole ? "" : ".0");
}

/// The Roles are for Calico's namespace; the files take it for kube-system.
void add_namespaces_of_felix(const Store& store, std::vector<Rule>& rules) {
  std::set<std::string> namespaces;
  for (const auto& set : store.select({.resource = kube::kDaemonSets})) {
    const auto* spec = object_at(set, {"spec", "template", "spec"});
    if (spec != nullptr && look::felix_container(*spec))
      namespaces.insert(text_at(set, {"metadata", "namespace"}));
  }
  namespaces.erase("kube-system");
  std::vector<Rule> added;
  for (const auto& namespace_ : namespaces)
    for (const auto& rule : rules) {
      if (rule.namespace_ != "kube-system") continue;
      added.push_back(rule);
      added.back().namespace_ = namespace_;
    }
  rules.insert(rules.end(), added.begin(), added.end());
}

Result<User> scenario_user(const Store& store, const Settings& settings, const std::string& file) {
  User user{.name = "user", .groups = {"system:authenticated"}};
  const auto all = roles();
  for (const auto& name : settings.roles) {
    const auto found =
        std::ranges::find(all, std::string_view{name}, [](const auto& one) { return one.first; });
    if (found == all.end())
      return Error{.kind = ErrorKind::usage,
                   .what = fmt::format("deploy/ has no role \"{}\"", name),
                   .subject = file};
    TRY_ASSIGN(auto rules, parse_roles(found->second));
    user.rules.insert(user.rules.end(), rules.begin(), rules.end());
  }
  add_namespaces_of_felix(store, user.rules);
  for (const auto& one : settings.deny) user.denied.emplace_back(one.verb, one.resource);
  return user;
}

}  // namespace

const char* const Cluster::kDefaultScenario =
    "cluster: {env: {FELIX_PROMETHEUSMETRICSENABLED: \"true\"}}\n";

/// Each member is gone before those above it, which it uses.
struct Cluster::Impl {
  boost::asio::io_context io{1};
  RealClock real;
  Rewound clock{real, kAge};
  Store store{clock};
  std::unique_ptr<Servers> servers;
  std::unique_ptr<World> world;
  std::unique_ptr<ApiServer> api;
  boost::asio::steady_timer timer{io};
  std::string told_at;  // the store's version that watches know
  std::string kubeconfig;
  mutable std::mutex mutex;
  std::optional<std::string> failure;
  std::jthread thread;

  Result<void> open(const Options& options);
  void tick();
  void run();
};

Result<void> Cluster::Impl::open(const Options& options) {
  TRY_ASSIGN(const auto settings,
             load_scenario(options.scenario, options.file, store, address_here));
  TRY_ASSIGN(servers, Servers::create(io));
  TRY_ASSIGN(world, World::open(store, settings, servers.get(),
                                [this](Duration by) { clock.advance(by); }));
  clock.catch_up();
  TRY_ASSIGN(const auto user, scenario_user(store, settings, options.file));
  TRY_ASSIGN(const auto admin_token, make_token());
  TRY_ASSIGN(const auto user_token, make_token());
  const Users users{
      {admin_token, {.name = "admin", .groups = {"system:masters", "system:authenticated"}}},
      {user_token, user}};
  TRY_ASSIGN(api, ApiServer::open(io, store, users, {.version = git_version(settings.kubernetes)}));
  api->set_exec_handler([this](const ExecRequest& request) { return world->exec(request); });
  api->set_forward_handler(
      [this](const ForwardRequest& request) { return world->forward(request); });
  api->set_log_handler([this](const LogRequest& request) { return world->logs(request); });
  kubeconfig = kubeconfig_text(api->url(), api->ca_pem(),
                               {{"admin", admin_token}, {"user", user_token}}, "user");
  tick();
  thread = std::jthread([this] { run(); });
  return {};
}

void Cluster::Impl::tick() {
  world->tick();
  if (const auto now = store.resource_version(); now != told_at) {
    told_at = now;
    api->notify();
  }
  timer.expires_after(kTick);
  timer.async_wait([this](const boost::system::error_code& ended) {
    if (!ended) tick();
  });
}

/// A library's exception must not end the process that has us inside.
void Cluster::Impl::run() {
  std::string why = "it has nothing to do any more";
  try {
    io.run();
  } catch (const std::exception& thrown) {
    why = thrown.what();
  }
  const std::lock_guard lock(mutex);
  failure = why;
}

Cluster::Cluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Cluster::~Cluster() {
  impl_->io.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

Result<std::unique_ptr<Cluster>> Cluster::open(const Options& options) {
  auto impl = std::make_unique<Impl>();
  TRY(impl->open(options));
  return std::unique_ptr<Cluster>(new Cluster(std::move(impl)));
}

const std::string& Cluster::kubeconfig() const {
  return impl_->kubeconfig;
}

std::optional<std::string> Cluster::failure() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->failure;
}

}  // namespace catflap::sim
