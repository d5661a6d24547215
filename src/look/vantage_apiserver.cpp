// apiserver: GET /metrics of each Felix pod's ports by way of the API server. The control is the
// kubelet's port at the same address, whose 401 will do. A laptop that reaches nothing but the API
// server sees the nodes through it.
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "look/answers.hpp"
#include "look/proxy_words.hpp"
#include "look/rights.hpp"
#include "look/vantage.hpp"

namespace catflap::look {
namespace {

constexpr const char* kName = "apiserver";

using Scheme = kube::ProxyCall::Scheme;

struct Ask {
  const PodFacts* pod = nullptr;
  Port port = 0;
  bool control = false;
  [[nodiscard]] HostPort endpoint() const { return {*pod->pod_ip, port}; }
};

/// The API server hands nothing on to such an address (kubernetes, pkg/registry/core/pod:
/// ResourceLocation, "address not allowed").
bool is_refused_address(const PodFacts& pod) {
  return pod.pod_ip->is_loopback() || pod.pod_ip->is_unspecified();
}

void add_answer(Reach& reach, const kube::ProxyAnswer& answer, Scheme scheme) {
  add_http(reach,
           {.status = answer.status, .body = answer.body, .whole = !answer.cut && !answer.encoded});
  reach.detail += fmt::format("HTTP {}", answer.status);
  if (scheme == Scheme::https) reach.tls = TlsFacts{};
  // Anybody between us and the API server says such things, too.
  const bool somebody = answer.status >= 500 || answer.status == 429;
  if (!somebody || reach.identity == Identity::felix) return;
  reach.outcome = Outcome::error;
  reach.identity = Identity::none;
}

void add_words(Reach& reach, const std::string& text, Scheme scheme) {
  const auto words = read_proxy_words(text, reach.endpoint);
  reach.detail += text;
  // A port that took one connection is not closed because a later one failed.
  const bool took_one = reach.outcome == Outcome::open || reach.outcome == Outcome::reset;
  if (!took_one || words.outcome == Outcome::open) reach.outcome = words.outcome;
  if (reach.outcome == Outcome::open && reach.identity == Identity::none)
    reach.identity = Identity::unidentified;
  if (scheme != Scheme::https || words.not_tls || words.outcome != Outcome::open) return;
  reach.tls = TlsFacts{.alert = std::string(words.alert)};
  if (words.certificate) reach.client_cert = ClientCertAsk::demanded;
}

class ApiServerVantage {
 public:
  ApiServerVantage(const LookContext& context, const ClusterFacts& facts,
                   const LookOptions& options)
      : context_(context), facts_(facts), options_(options) {}

  Look run() &&;

 private:
  void sort_out();
  void ask_round(std::span<const Ask> asks);
  std::vector<Result<kube::ProxyAnswer>> send(std::span<const Ask* const> asks, Scheme scheme);
  void take_control(const Ask& ask, const Result<kube::ProxyAnswer>& answer, TimePoint at);
  Reach reach_of(const Ask& ask, const Result<kube::ProxyAnswer>& answer, TimePoint at);
  void note_right(const Ask& ask, const Result<kube::ProxyAnswer>& answer);
  void drop_if_blind();

  const LookContext& context_;
  const ClusterFacts& facts_;
  const LookOptions& options_;
  std::vector<Ask> asks_;
  Rights rights_;
  Look look_;
};

void ApiServerVantage::sort_out() {
  const auto pods = pods_to_proxy(facts_);
  const bool refused = std::ranges::any_of(
      facts_.pods, [](const PodFacts& pod) { return pod.pod_ip && is_refused_address(pod); });
  if (pods.empty() && refused) {
    look_.skipped.push_back(
        {kName, "loopback", "the API server's proxy hands nothing on to loopback addresses"});
  }
  for (const auto* pod : pods) {
    asks_.push_back({.pod = pod, .port = kKubeletPort, .control = true});
    for (const Port port : ports_to_ask(facts_, options_, pod->node))
      asks_.push_back({.pod = pod, .port = port});
  }
}

std::vector<Result<kube::ProxyAnswer>> ApiServerVantage::send(std::span<const Ask* const> asks,
                                                              Scheme scheme) {
  std::vector<kube::ProxyCall> calls;
  for (const auto* ask : asks) {
    calls.push_back({.namespace_ = ask->pod->namespace_,
                     .pod = ask->pod->name,
                     .scheme = ask->control ? Scheme::https : scheme,
                     .port = ask->port,
                     .path = ask->control ? "/healthz" : "/metrics",
                     .max_bytes = ask->control ? 4096 : kMaxAnswer,
                     .timeout = options_.proxy_timeout});
  }
  return context_.api.proxy(calls, options_.exec_parallel);
}

void ApiServerVantage::note_right(const Ask& ask, const Result<kube::ProxyAnswer>& answer) {
  const auto& namespace_ = ask.pod->namespace_;
  if (answer.has_value()) {
    rights_.granted(namespace_);
  } else if (answer.error().kind == ErrorKind::not_permitted) {
    rights_.refused(namespace_, to_string(answer.error()));
  }
}

void ApiServerVantage::take_control(const Ask& ask, const Result<kube::ProxyAnswer>& answer,
                                    TimePoint at) {
  Control control{.vantage = kName, .address = *ask.pod->pod_ip, .port = ask.port, .at = at};
  if (answer.has_value()) {
    if (answers_like_kubelet(answer->status)) control.outcome = Outcome::open;
    if (answer->status == 0)
      control.outcome = read_proxy_words(answer->unreached, ask.endpoint()).outcome;
  } else if (answer.error().kind == ErrorKind::timed_out) {
    control.outcome = Outcome::timeout;
  }
  look_.controls.push_back(control);
}

Reach ApiServerVantage::reach_of(const Ask& ask, const Result<kube::ProxyAnswer>& answer,
                                 TimePoint at) {
  Reach reach{.vantage = kName, .node = ask.pod->node, .endpoint = ask.endpoint(), .at = at};
  if (!answer.has_value()) {
    const bool timeout = answer.error().kind == ErrorKind::timed_out;
    reach.outcome = timeout ? Outcome::timeout : Outcome::error;
    reach.detail = printable(to_string(answer.error()));
  } else if (answer->status == 0) {
    add_words(reach, answer->unreached, Scheme::http);
  } else {
    add_answer(reach, *answer, Scheme::http);
  }
  return reach;
}

void ApiServerVantage::ask_round(std::span<const Ask> asks) {
  const auto at = context_.clock.now();
  std::vector<const Ask*> open;
  for (const auto& ask : asks) {
    if (rights_.refusal(ask.pod->namespace_) == nullptr) open.push_back(&ask);
  }
  const auto answers = send(open, Scheme::http);
  std::vector<const Ask*> again;
  std::vector<Reach> reaches;
  for (std::size_t i = 0; i < std::min(open.size(), answers.size()); ++i) {
    note_right(*open[i], answers[i]);
    if (open[i]->control) {
      take_control(*open[i], answers[i], at);
      continue;
    }
    auto reach = reach_of(*open[i], answers[i], at);
    const bool tls = may_want_tls(reach);
    if (tls) again.push_back(open[i]);
    (tls ? reaches : look_.reached).push_back(std::move(reach));
  }
  const auto over_tls = send(again, Scheme::https);
  for (std::size_t i = 0; i < std::min(again.size(), over_tls.size()); ++i) {
    auto& reach = reaches[i];
    reach.detail = "in plain text: " + reach.detail + "; over TLS: ";
    if (!over_tls[i].has_value()) {
      reach.detail += printable(to_string(over_tls[i].error()));
    } else if (over_tls[i]->status == 0) {
      add_words(reach, over_tls[i]->unreached, Scheme::https);
    } else {
      add_answer(reach, *over_tls[i], Scheme::https);
    }
  }
  look_.reached.insert(look_.reached.end(), reaches.begin(), reaches.end());
}

/// What answered did answer; a refusal or silence proves nothing where no kubelet is seen either.
void ApiServerVantage::drop_if_blind() {
  const auto& controls = look_.controls;
  if (controls.empty() || std::ranges::any_of(controls, &Control::passed)) return;
  std::erase_if(look_.reached, [](const Reach& row) { return row.outcome != Outcome::open; });
  look_.skipped.push_back({kName, "blind",
                           fmt::format("port {} answered the API server at none of {} addresses",
                                       kKubeletPort, controls.size())});
}

Look ApiServerVantage::run() && {
  sort_out();
  // As with exec: a small round first, so that a missing right costs few requests.
  const auto parallel = std::max<std::size_t>(options_.exec_parallel, 1);
  std::size_t done = 0;
  while (done < asks_.size() && !context_.stop.stop_requested()) {
    if (context_.progress) context_.progress(kName, done, asks_.size());
    const auto room = std::min(done == 0 ? parallel : parallel * 4, asks_.size() - done);
    ask_round(std::span(asks_).subspan(done, room));
    done += room;
  }
  if (const auto* refusal = rights_.nowhere()) {
    look_ = Look{};
    look_.skipped.push_back({kName, "forbidden", *refusal});
    return std::move(look_);
  }
  drop_if_blind();
  if (context_.progress && !asks_.empty()) context_.progress(kName, done, asks_.size());
  return std::move(look_);
}

}  // namespace

std::vector<const PodFacts*> pods_to_proxy(const ClusterFacts& facts) {
  std::vector<const PodFacts*> pods;
  for (const auto& pod : facts.pods) {
    if (!pod.node.empty() && pod.pod_ip && !is_refused_address(pod)) pods.push_back(&pod);
  }
  std::ranges::stable_sort(
      pods, {}, [](const PodFacts* pod) { return pod->terminating || !pod->felix_running; });
  std::set<IpAddress> known;
  std::erase_if(pods, [&](const PodFacts* pod) { return !known.insert(*pod->pod_ip).second; });
  return pods;
}

Look look_apiserver(const LookContext& context, const ClusterFacts& facts,
                    const LookOptions& options) {
  return ApiServerVantage(context, facts, options).run();
}

}  // namespace catflap::look
