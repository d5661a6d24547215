// portforward: GET /metrics over a forwarded port of each Felix pod. The node's runtime connects to
// localhost inside the pod's network, which is the node's: this sees what listens on loopback only,
// and no outsider comes this way. It is no basis for closed: 127.0.0.1 is one address of many.
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "look/answers.hpp"
#include "look/rights.hpp"
#include "look/vantage.hpp"
#include "net/metrics_scan.hpp"

namespace catflap::look {
namespace {

constexpr const char* kName = "portforward";

struct Ask {
  const PodFacts* pod = nullptr;
  Port port = 0;
};

std::string request_for(Port port) {
  return fmt::format(
      "GET /metrics HTTP/1.1\r\nHost: localhost:{}\r\nUser-Agent: catflap/{}\r\n"
      "Accept: text/plain\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n",
      port, CATFLAP_VERSION);
}

/// The node's words when its own connection failed: containerd's Go, or CRI-O's socat.
Outcome outcome_of(const std::string& trouble) {
  const auto words = to_lower(trouble);
  if (words.find("connection refused") != std::string::npos) return Outcome::refused;
  if (words.find("connection reset") != std::string::npos) return Outcome::reset;
  return Outcome::error;
}

void add_answer(Reach& reach, const kube::ForwardAnswer& answer) {
  if (answer.tls || !answer.tls_problem.empty()) {
    reach.tls = TlsFacts{.alert = answer.tls_problem};
    if (answer.tls_problem.find("certificate required") != std::string::npos)
      reach.client_cert = ClientCertAsk::demanded;
  }
  if (!answer.received.empty()) {
    add_bytes(reach, answer.received, answer.ended);
    reach.detail += fmt::format("HTTP {}", reach.http_status);
    return;
  }
  const bool took_one = reach.outcome == Outcome::open || reach.outcome == Outcome::reset;
  if (!answer.tls_problem.empty()) {
    reach.outcome = Outcome::open;
    reach.identity = Identity::unidentified;
    reach.detail += answer.tls_problem;
  } else if (!answer.trouble.empty()) {
    if (!took_one) reach.outcome = outcome_of(answer.trouble);
    reach.detail += answer.trouble;
  } else {
    if (!took_one) reach.outcome = Outcome::reset;
    reach.detail += "closed without an answer";
  }
}

void add_error(Reach& reach, const Error& error) {
  const bool took_one = reach.outcome == Outcome::open || reach.outcome == Outcome::reset;
  if (!took_one)
    reach.outcome = error.kind == ErrorKind::timed_out ? Outcome::timeout : Outcome::error;
  reach.detail += printable(to_string(error));
}

class ForwardVantage {
 public:
  ForwardVantage(const LookContext& context, const ClusterFacts& facts, const LookOptions& options)
      : context_(context), facts_(facts), options_(options) {}

  Look run() &&;

 private:
  void ask_round(std::span<const Ask> asks);
  std::vector<Result<kube::ForwardAnswer>> send(std::span<const Ask* const> asks, bool tls);

  const LookContext& context_;
  const ClusterFacts& facts_;
  const LookOptions& options_;
  Rights rights_;
  Look look_;
};

std::vector<Result<kube::ForwardAnswer>> ForwardVantage::send(std::span<const Ask* const> asks,
                                                              bool tls) {
  std::vector<net::MetricsScan> scans(asks.size());
  std::vector<kube::ForwardCall> calls;
  for (std::size_t i = 0; i < asks.size(); ++i) {
    const auto enough = [scan = &scans[i]](std::string_view piece) {
      scan->feed(piece);
      return scan->settled();
    };
    calls.push_back({.namespace_ = asks[i]->pod->namespace_,
                     .pod = asks[i]->pod->name,
                     .port = asks[i]->port,
                     .tls = tls,
                     .request = request_for(asks[i]->port),
                     .max_bytes = kMaxAnswer,
                     .timeout = options_.proxy_timeout,
                     .enough = enough});
  }
  return context_.api.forward(calls, options_.exec_parallel);
}

void ForwardVantage::ask_round(std::span<const Ask> asks) {
  const auto at = context_.clock.now();
  std::vector<const Ask*> allowed;
  for (const auto& ask : asks) {
    if (rights_.refusal(ask.pod->namespace_) == nullptr) allowed.push_back(&ask);
  }
  const auto plain = send(allowed, false);
  std::vector<const Ask*> again;
  std::vector<Reach> reaches;
  for (std::size_t i = 0; i < std::min(allowed.size(), plain.size()); ++i) {
    const auto& ask = *allowed[i];
    Reach reach{.vantage = kName,
                .node = ask.pod->node,
                .endpoint = {IpAddress::v4({127, 0, 0, 1}), ask.port},
                .at = at};
    if (plain[i].has_value()) {
      rights_.granted(ask.pod->namespace_);
      add_answer(reach, *plain[i]);
    } else {
      const auto& error = plain[i].error();
      if (error.kind == ErrorKind::not_permitted)
        rights_.refused(ask.pod->namespace_, to_string(error));
      add_error(reach, error);
    }
    const bool tls = may_want_tls(reach);
    if (tls) again.push_back(allowed[i]);
    (tls ? reaches : look_.reached).push_back(std::move(reach));
  }
  const auto over_tls = send(again, true);
  for (std::size_t i = 0; i < std::min(again.size(), over_tls.size()); ++i) {
    auto& reach = reaches[i];
    reach.detail = "in plain text: " + reach.detail + "; over TLS: ";
    if (over_tls[i].has_value()) {
      add_answer(reach, *over_tls[i]);
    } else {
      add_error(reach, over_tls[i].error());
    }
  }
  look_.reached.insert(look_.reached.end(), reaches.begin(), reaches.end());
}

Look ForwardVantage::run() && {
  std::vector<Ask> asks;
  for (const auto* pod : pods_to_forward(facts_)) {
    for (const Port port : ports_of(facts_, pod->node)) asks.push_back({pod, port});
  }
  const auto parallel = std::max<std::size_t>(options_.exec_parallel, 1);
  std::size_t done = 0;
  while (done < asks.size() && !context_.stop.stop_requested()) {
    if (context_.progress) context_.progress(kName, done, asks.size());
    const auto room = std::min(done == 0 ? parallel : parallel * 4, asks.size() - done);
    ask_round(std::span(asks).subspan(done, room));
    done += room;
  }
  if (const auto* refusal = rights_.nowhere()) {
    look_ = Look{};
    look_.skipped.push_back({kName, "forbidden", *refusal});
  }
  if (context_.progress && !asks.empty()) context_.progress(kName, done, asks.size());
  return std::move(look_);
}

}  // namespace

std::vector<const PodFacts*> pods_to_forward(const ClusterFacts& facts) {
  std::set<std::string> windows;
  for (const auto& node : facts.nodes) {
    if (node.windows) windows.insert(node.name);
  }
  std::vector<const PodFacts*> pods;
  for (const auto& pod : facts.pods) {
    const bool on_node = !pod.node.empty() && pod.host_network && !windows.contains(pod.node);
    if (on_node && pod.felix_running) pods.push_back(&pod);
  }
  return pods;
}

Look look_portforward(const LookContext& context, const ClusterFacts& facts,
                      const LookOptions& options) {
  return ForwardVantage(context, facts, options).run();
}

}  // namespace catflap::look
