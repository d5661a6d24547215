#include "support/fake_api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace catflap::kube {

namespace {

bool is_write(const FakeRequest& request) {
  return (request.verb == "create" || request.verb == "patch" || request.verb == "delete") &&
         !request.dry_run;
}

bool concerns(const Fault& fault, const FakeRequest& request) {
  // A fault that is counted means the write, not its rehearsal.
  if (request.dry_run && fault.times != 0 && !fault.verb.empty()) return false;
  const bool verb = fault.verb.empty() || fault.verb == request.verb ||
                    (fault.verb == "write" && is_write(request));
  return verb && (fault.plural.empty() || fault.plural == request.resource.plural);
}

std::pair<std::string, std::string> name_of(const json::object& object) {
  const auto& metadata = object.at("metadata").as_object();
  const auto* namespace_ = metadata.if_contains("namespace");
  return {namespace_ == nullptr ? "" : std::string{namespace_->as_string()},
          std::string{metadata.at("name").as_string()}};
}

}  // namespace

struct FakeApi::WatchState {
  ListQuery query;
  std::function<void(const WatchEvent&)> on_event;
  std::uint64_t revision = 0;  // of the cluster's history, seen
  bool listed = false;
  bool ended = false;
  std::set<std::pair<std::string, std::string>> known;
};

class FakeApi::WatchHandle final : public Watch {
 public:
  explicit WatchHandle(std::shared_ptr<WatchState> state) : state_(std::move(state)) {}
  ~WatchHandle() override { state_->ended = true; }

 private:
  std::shared_ptr<WatchState> state_;
};

std::string FakeRequest::to_string() const {
  std::string place = namespace_.empty() ? name : namespace_ + "/" + name;
  return fmt::format("{} {} {}", verb, FakeCluster::key_of(resource), place);
}

FakeApi::FakeApi(std::shared_ptr<FakeCluster> cluster) : cluster_(std::move(cluster)) {}
FakeApi::~FakeApi() = default;

void FakeApi::deny(const std::string& verb, const std::string& plural) {
  inject({.verb = verb,
          .plural = plural,
          .times = 0,
          .error = fake_forbidden(verb, Resource{"", "v1", plural})});
}

void FakeApi::die_at_write(int nth, Fault::When when) {
  inject({.verb = "write", .nth = nth, .when = when, .error = fake_unreachable(), .action = [this] {
            dead_ = true;
          }});
}

void FakeApi::break_watches(Then then) {
  for (auto& state : watches_) {
    if (state->ended) continue;
    state->on_event({.type = WatchEvent::Type::trouble, .text = "connection reset by peer"});
    if (then == Then::list) state->listed = false;
    if (then == Then::resume && !state->ended) state->on_event({.type = WatchEvent::Type::resumed});
  }
}

std::vector<std::string> FakeApi::writes() const {
  std::vector<std::string> lines;
  for (const auto& request : requests_)
    if (is_write(request) && request.error.empty()) lines.push_back(request.to_string());
  return lines;
}

std::optional<Error> FakeApi::meet_faults(const FakeRequest& request, Fault::When when) {
  std::optional<Error> error;
  for (std::size_t i = 0; i < faults_.size(); ++i) {  // an action may add faults
    if (faults_[i].when != when || !concerns(faults_[i], request)) continue;
    const Fault fault = faults_[i];
    const int count = ++faults_[i].seen;
    if (count < fault.nth || (fault.times != 0 && count >= fault.nth + fault.times)) continue;
    if (fault.action) fault.action();
    if (fault.error && !error) error = fault.error;
  }
  return error;
}

template <class T>
Result<T> FakeApi::serve(FakeRequest request, const std::function<Result<T>()>& act) {
  deliver();
  if (dead_) return fake_unreachable();
  if (stop_) return Error{.kind = ErrorKind::interrupted, .what = "stopped before it was finished"};
  auto error = meet_faults(request, Fault::When::before);
  if (error) {
    request.error = catflap::to_string(error->kind);
    requests_.push_back(std::move(request));
    return *std::move(error);
  }
  Result<T> answer = act();
  // A lost answer does not make the write undone: the log says what the server did.
  request.error = answer.has_value() ? "" : catflap::to_string(answer.error().kind);
  requests_.push_back(request);
  if (auto lost = meet_faults(request, Fault::When::after)) return *std::move(lost);
  return answer;
}

std::string FakeApi::next_audit_id() {
  return fmt::format("audit-{}", ++audit_ids_);
}

Result<json::value> FakeApi::get_raw(const std::string& path) {
  return serve<json::value>({.verb = "raw", .name = path}, [&]() -> Result<json::value> {
    const auto found = raw.find(path);
    if (found == raw.end())
      return Error{.kind = ErrorKind::not_found,
                   .what = "the server could not find the requested resource",
                   .subject = path,
                   .system_code = 404};
    return found->second;
  });
}

Result<json::object> FakeApi::get(const ObjectRef& ref) {
  FakeRequest request{
      .verb = "get", .resource = ref.resource, .namespace_ = ref.namespace_, .name = ref.name};
  return serve<json::object>(std::move(request), [&]() -> Result<json::object> {
    const auto* found = cluster_->find(ref);
    if (found == nullptr) return sim::not_found(ref);
    return *found;
  });
}

Result<std::string> FakeApi::list(const ListQuery& query, const std::function<void()>&,
                                  const std::function<void(json::object&&)>& each) {
  FakeRequest request{.verb = "list", .resource = query.resource, .namespace_ = query.namespace_};
  return serve<std::string>(std::move(request), [&]() -> Result<std::string> {
    for (auto& object : cluster_->select(query)) each(std::move(object));
    return cluster_->resource_version();
  });
}

Result<Written> FakeApi::create(const Resource& resource, const std::string& namespace_,
                                const json::object& object, const WriteOptions& options) {
  FakeRequest request{.verb = "create",
                      .resource = resource,
                      .namespace_ = namespace_,
                      .name = name_of(object).second,
                      .body = object,
                      .dry_run = options.dry_run};
  return serve<Written>(std::move(request), [&]() -> Result<Written> {
    TRY_ASSIGN(auto stored, cluster_->create(resource, namespace_, object, options.dry_run));
    return Written{std::move(stored), next_audit_id()};
  });
}

Result<Written> FakeApi::patch(const ObjectRef& ref, PatchType type, const json::value& body,
                               const WriteOptions& options) {
  FakeRequest request{.verb = "patch",
                      .resource = ref.resource,
                      .namespace_ = ref.namespace_,
                      .name = ref.name,
                      .body = body,
                      .dry_run = options.dry_run};
  return serve<Written>(std::move(request), [&]() -> Result<Written> {
    TRY_ASSIGN(auto stored, cluster_->patch(ref, type, body, options.dry_run));
    return Written{std::move(stored), next_audit_id()};
  });
}

Result<Written> FakeApi::remove(const ObjectRef& ref, const std::string& uid,
                                const std::string& resource_version, const WriteOptions& options) {
  FakeRequest request{.verb = "delete",
                      .resource = ref.resource,
                      .namespace_ = ref.namespace_,
                      .name = ref.name,
                      .dry_run = options.dry_run};
  if (!options.propagation.empty()) request.body = {{"propagationPolicy", options.propagation}};
  return serve<Written>(std::move(request), [&]() -> Result<Written> {
    TRY_ASSIGN(auto last, cluster_->remove(ref, uid, resource_version, options.dry_run));
    return Written{std::move(last), next_audit_id()};
  });
}

std::unique_ptr<Watch> FakeApi::watch(const ListQuery& query,
                                      std::function<void(const WatchEvent&)> on_event) {
  auto state = std::make_shared<WatchState>();
  state->query = query;
  state->on_event = std::move(on_event);
  watches_.push_back(state);
  requests_.push_back(
      {.verb = "watch", .resource = query.resource, .namespace_ = query.namespace_});
  return std::make_unique<WatchHandle>(std::move(state));
}

std::vector<Result<ExecOutput>> FakeApi::exec(const std::vector<ExecCall>& calls, std::size_t) {
  std::vector<Result<ExecOutput>> outputs;
  for (const auto& call : calls) {
    FakeRequest request{
        .verb = "exec", .resource = kPods, .namespace_ = call.namespace_, .name = call.pod};
    outputs.push_back(serve<ExecOutput>(std::move(request), [&]() -> Result<ExecOutput> {
      if (!on_exec) return fake_forbidden("create", Resource{"", "v1", "pods/exec"});
      return on_exec(call);
    }));
  }
  return outputs;
}

std::vector<Result<ProxyAnswer>> FakeApi::proxy(const std::vector<ProxyCall>& calls, std::size_t) {
  std::vector<Result<ProxyAnswer>> answers;
  for (const auto& call : calls) {
    FakeRequest request{
        .verb = "proxy", .resource = kPods, .namespace_ = call.namespace_, .name = call.pod};
    answers.push_back(serve<ProxyAnswer>(std::move(request), [&]() -> Result<ProxyAnswer> {
      if (!on_proxy) return fake_forbidden("get", Resource{"", "v1", "pods/proxy"});
      return on_proxy(call);
    }));
  }
  return answers;
}

std::vector<Result<std::string>> FakeApi::logs(const std::vector<LogCall>& calls, std::size_t) {
  std::vector<Result<std::string>> logs;
  for (const auto& call : calls) {
    FakeRequest request{
        .verb = "log", .resource = kPods, .namespace_ = call.namespace_, .name = call.pod};
    logs.push_back(serve<std::string>(std::move(request), [&]() -> Result<std::string> {
      if (!on_log) return fake_forbidden("get", Resource{"", "v1", "pods/log"});
      return on_log(call);
    }));
  }
  return logs;
}

std::vector<Result<ForwardAnswer>> FakeApi::forward(const std::vector<ForwardCall>& calls,
                                                    std::size_t) {
  std::vector<Result<ForwardAnswer>> answers;
  for (const auto& call : calls) {
    FakeRequest request{
        .verb = "forward", .resource = kPods, .namespace_ = call.namespace_, .name = call.pod};
    answers.push_back(serve<ForwardAnswer>(std::move(request), [&]() -> Result<ForwardAnswer> {
      if (!on_forward) return fake_forbidden("get", Resource{"", "v1", "pods/portforward"});
      return on_forward(call);
    }));
  }
  return answers;
}

void FakeApi::deliver() {
  if (delivering_ || dead_) return;
  delivering_ = true;
  const auto watches = watches_;  // a callback may start or end one
  for (const auto& state : watches)
    if (!state->ended) deliver_to(*state);
  std::erase_if(watches_, [](const auto& state) { return state->ended; });
  delivering_ = false;
}

void FakeApi::deliver_to(WatchState& state) {
  using Type = WatchEvent::Type;
  const FakeRequest request{.verb = "watch", .resource = state.query.resource};
  if (!state.listed) {
    if (auto error = meet_faults(request, Fault::When::before))
      return state.on_event({.type = Type::trouble, .text = error->what});
    state.listed = true;
    state.known.clear();
    state.revision = cluster_->revision();
    for (const auto& object : cluster_->select(state.query)) {
      state.known.insert(name_of(object));
      state.on_event({.type = Type::added, .object = object});
      if (state.ended) return;
    }
    return state.on_event({.type = Type::synced});
  }
  while (!state.ended) {
    const auto* next = cluster_->change_after(state.revision);
    if (next == nullptr) return;
    const auto change = *next;  // a callback may write
    state.revision = change.revision;
    if (change.resource != FakeCluster::key_of(state.query.resource)) continue;
    const auto name = name_of(change.object);
    const bool was_known = state.known.contains(name);
    const bool matches = !change.deleted && FakeCluster::matches(change.object, state.query);
    if (matches) {
      state.known.insert(name);
      state.on_event({.type = was_known ? Type::modified : Type::added, .object = change.object});
    } else if (was_known) {
      state.known.erase(name);
      state.on_event({.type = Type::deleted, .object = change.object});
    }
  }
}

RunResult FakeApi::run_until(const std::function<bool()>& done, SteadyPoint deadline) {
  auto& clock = cluster_->clock();
  while (true) {
    deliver();
    if (dead_) return RunResult::stopped;
    if (done && done()) return RunResult::done;
    if (stop_) return RunResult::stopped;
    if (clock.steady() >= deadline) return RunResult::deadline;
    clock.advance(Duration{50});
    if (tick) tick();
  }
}

}  // namespace catflap::kube
