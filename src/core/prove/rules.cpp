// The verdict table: an ordered list of rules, first match wins. Each rule reads NodeEvidence and
// either recognises its verdict, with the reasons, or passes. What no rule recognises is unknown,
// with everything that is missing for `closed`.
#include "core/prove/rules.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include "core/prove/closed.hpp"

namespace catflap {
namespace {

using Rule = std::optional<Judgement> (*)(const NodeEvidence&, const ProveInput&);

Message at(const char* code, const Reach& row) {
  return {code, {{"vantage", row.vantage}, {"endpoint", row.endpoint.to_string()}}};
}

bool declared_on(const PodFacts& pod) {
  return enabled_switch(pod.declared) == Switch::on;
}

bool enforces_client_certificate(const Declared& declared) {
  // RequireAnyClientCert takes a throw-away certificate, so it protects nothing.
  return declared.tls.value.value_or(false) &&
         declared.client_auth.value == ClientAuth::require_and_verify;
}

bool on_random_port(const NodeEvidence& evidence) {
  return std::ranges::any_of(evidence.pods, [](const PodFacts* pod) {
    return declared_on(*pod) && pod->declared.port.value == 0;
  });
}

/// Felix's metrics listeners in the last look; none unless it looked into every Felix pod.
std::optional<std::vector<const Listener*>> listeners_inside(const NodeEvidence& evidence) {
  const auto* last = evidence.last();
  if (last == nullptr || !evidence.seen_inside(*last)) return std::nullopt;
  return felix_metrics_listeners(*last, evidence.ports(), on_random_port(evidence));
}

bool outside(const Listener* listener) {
  return !listener->endpoint.address.is_loopback();
}

/// Does any look have a row of an outsider that somebody accepted, and that is not explained?
bool answered(const NodeEvidence& evidence, const std::function<bool(const Reach&)>& explained) {
  return std::ranges::any_of(evidence.looks, [&](const NodeLook& look) {
    return std::ranges::any_of(look.rows, [&](const Reach* row) {
      const bool accepted = row->outcome == Outcome::open || row->outcome == Outcome::reset;
      return accepted && !row->inside_the_node() && !explained(*row);
    });
  });
}

std::optional<Judgement> read_by_anybody(const NodeEvidence& evidence, const ProveInput&) {
  Judgement judgement{.verdict = Verdict::exposed};
  const auto add = [&](const Reach& row) {
    auto reason =
        at(row.throwaway == ThrowawayResult::accepted ? "throwaway-read" : "anonymous-read", row);
    reason.params["felixHost"] = row.felix_host;
    judgement.reasons.push_back(std::move(reason));
  };
  for (const auto& look : evidence.looks) {
    for (const auto* row : look.rows) {
      if (evidence.is_own_felix(*row)) add(*row);
    }
  }
  for (const auto* row : evidence.elsewhere) {
    if (!row->endpoint.address.is_loopback()) add(*row);
  }
  if (judgement.reasons.empty()) return std::nullopt;
  return judgement;
}

/// Nobody at all has a socket on the ports that are known, by a whole socket table of the node. It
/// does not take a look into this pod to know that.
bool nobody_on_the_ports(const NodeEvidence& evidence, const Declared& declared) {
  const auto* last = evidence.last();
  if (last == nullptr || declared.port.value.value_or(0) == 0) return false;
  const bool whole =
      std::ranges::any_of(last->insides, [](const InsideLook* inside) { return inside->complete; });
  return whole && foreign_listeners(*last, evidence.ports()).empty() &&
         felix_metrics_listeners(*last, evidence.ports(), false).empty();
}

std::optional<Judgement> declared_and_not_tested(const NodeEvidence& evidence, const ProveInput&) {
  const auto* last = evidence.last();
  // A random port (0) has no row.
  const auto tested_outside = [&](const Declared& declared) {
    return last != nullptr && std::ranges::any_of(last->rows, [&](const Reach* row) {
             return row->endpoint.port == declared.port.value && !row->inside_the_node() &&
                    last->conclusive(*row);
           });
  };
  const auto inside = listeners_inside(evidence);
  const bool tested_inside = inside && std::ranges::none_of(*inside, outside);
  for (const auto* pod : evidence.pods) {
    const auto& declared = pod->declared;
    const bool tested = tested_inside || tested_outside(declared);
    if (pod->host_network && (tested || nobody_on_the_ports(evidence, declared))) continue;
    const bool running = pod->felix_running || pod->terminating;
    if (!declared_on(*pod) || !running || enforces_client_certificate(declared)) continue;
    if (declared.host.value && host_is_loopback(*declared.host.value)) continue;
    return Judgement{
        .verdict = Verdict::exposed,
        .reasons = {{"declared-not-tested", {{"pod", pod->namespace_ + "/" + pod->name}}}}};
  }
  return std::nullopt;
}

/// The last look's answer of Felix itself on the node's own loopback, or null.
const Reach* answered_inside(const NodeEvidence& evidence) {
  if (evidence.last() == nullptr) return nullptr;
  const auto& rows = evidence.last()->rows;
  const auto found = std::ranges::find_if(rows, [&](const Reach* row) {
    return row->inside_the_node() && row->identity == Identity::felix &&
           row->felix_host == evidence.node->name;
  });
  return found == rows.end() ? nullptr : *found;
}

/// Nothing of Felix's metrics is listening now, whatever the configuration wants: by the inside
/// look, or by refusals everywhere.
bool proven_silent(const NodeEvidence& evidence, const Declared& declared) {
  if (answered_inside(evidence) != nullptr) return false;
  if (const auto inside = listeners_inside(evidence)) return inside->empty();
  if (nobody_on_the_ports(evidence, declared)) return true;
  const auto* last = evidence.last();
  const bool testable = declared.port.value.value_or(0) != 0 && declared.host.value &&
                        !host_is_loopback(*declared.host.value);
  return last != nullptr && testable && evidence.node->ready &&
         network_refusals(*last, evidence) != Refusals::no;
}

std::optional<Judgement> armed(const NodeEvidence& evidence, const ProveInput&) {
  for (const auto* pod : evidence.pods) {
    if (!declared_on(*pod) || !proven_silent(evidence, pod->declared)) continue;
    const auto* last = evidence.last();
    const bool taken =
        !foreign_listeners(*last, evidence.ports()).empty() ||
        std::ranges::any_of(last->rows, [](const Reach* row) { return is_foreign(*row); });
    const char* code = "armed-not-listening";
    if (taken) code = "armed-port-taken";
    if (pod->declared.tls.value.value_or(false) && pod->declared.ca_file_set == false)
      code = "armed-ca-missing";
    return Judgement{.verdict = Verdict::armed,
                     .reasons = {{code, {{"pod", pod->namespace_ + "/" + pod->name}}}}};
  }
  return std::nullopt;
}

bool guarded(const Reach& row) {
  return row.outcome == Outcome::open && row.identity != Identity::felix &&
         row.throwaway == ThrowawayResult::refused &&
         (row.client_cert == ClientCertAsk::demanded || row.http_status == 401 ||
          row.http_status == 403);
}

std::optional<Judgement> protected_rule(const NodeEvidence& evidence, const ProveInput&) {
  const auto inside = listeners_inside(evidence);
  if (!inside) return std::nullopt;
  const bool felix_serves =
      !inside->empty() ||
      std::ranges::any_of(evidence.pods, [](const PodFacts* pod) { return declared_on(*pod); });
  const auto& rows = evidence.last()->rows;
  const auto first = std::ranges::find_if(rows, [](const Reach* row) { return guarded(*row); });
  if (!felix_serves || first == rows.end()) return std::nullopt;
  // Every other answer, and every other Felix listener that outsiders could reach, must be guarded
  // as well. Who only retells cannot show a throw-away credential; others did at that endpoint.
  const auto explained = [&](const Reach& row) {
    return guarded(row) || (row.retold() && row.identity != Identity::felix &&
                            std::ranges::any_of(rows, [&](const Reach* other) {
                              return other->endpoint == row.endpoint && guarded(*other);
                            }));
  };
  if (answered(evidence, explained)) return std::nullopt;
  for (const auto* listener : *inside) {
    const bool tested = std::ranges::any_of(rows, [&](const Reach* row) {
      return guarded(*row) && covers(*evidence.last(), *listener, row->endpoint);
    });
    if (outside(listener) && !tested) return std::nullopt;
  }
  const bool certificate = (*first)->client_cert == ClientCertAsk::demanded;
  return Judgement{.verdict = Verdict::protected_,
                   .by = certificate ? "client-cert" : "token",
                   .reasons = {at(certificate ? "client-cert-refused" : "token-refused", **first)}};
}

/// Whatever a look inside missed: Felix answers on the node's loopback, and every InternalIP
/// refuses.
std::optional<Judgement> local_by_answers(const NodeEvidence& evidence) {
  const auto* answer = answered_inside(evidence);
  if (answer == nullptr || network_refusals(*evidence.last(), evidence) == Refusals::no)
    return std::nullopt;
  return Judgement{.verdict = Verdict::local_only, .reasons = {at("loopback-answered", *answer)}};
}

std::optional<Judgement> local_only(const NodeEvidence& evidence, const ProveInput&) {
  if (answered(evidence, is_foreign)) return std::nullopt;
  const auto inside = listeners_inside(evidence);
  if (!inside || inside->empty()) return local_by_answers(evidence);
  if (std::ranges::any_of(*inside, outside)) return std::nullopt;
  return Judgement{
      .verdict = Verdict::local_only,
      .reasons = {{"loopback-only", {{"endpoint", inside->front()->endpoint.to_string()}}}}};
}

std::optional<Judgement> filtered(const NodeEvidence& evidence, const ProveInput&) {
  const auto inside = listeners_inside(evidence);
  if (!inside) return std::nullopt;
  const auto* last = evidence.last();
  if (answered(evidence, is_foreign)) return std::nullopt;
  const Reach* blocked = nullptr;
  for (const auto* listener : *inside) {
    if (!outside(listener)) continue;
    const Reach* blocked_here = nullptr;
    for (const auto* row : last->rows) {
      if (!covers(*last, *listener, row->endpoint) || !last->conclusive(*row)) continue;
      if (row->inside_the_node()) continue;
      const bool rejected =
          row->outcome == Outcome::rejected || (row->outcome == Outcome::refused && row->retold());
      if (row->outcome != Outcome::timeout && !rejected) return std::nullopt;
      blocked_here = row;
    }
    if (blocked_here == nullptr) return std::nullopt;  // a listener that nobody could test
    blocked = blocked_here;
  }
  if (blocked == nullptr) return std::nullopt;
  return Judgement{.verdict = Verdict::filtered, .reasons = {at("outside-blocked", *blocked)}};
}

/// Who else is on the port, as reasons.
void name_foreigners(const NodeEvidence& evidence, std::vector<Message>& reasons) {
  for (const auto& look : evidence.looks) {
    for (const auto* listener : foreign_listeners(look, evidence.ports())) {
      reasons.push_back({"foreign-listener",
                         {{"endpoint", listener->endpoint.to_string()}, {"comm", listener->comm}}});
    }
    for (const auto* row : look.rows) {
      if (row->outcome == Outcome::open) reasons.push_back(at("foreign-answer", *row));
    }
  }
}

std::optional<Judgement> closed_or_not_felix(const NodeEvidence& evidence,
                                             const ProveInput& input) {
  auto proof = prove_closed(evidence, input);
  if (proof.basis == Basis::none) return std::nullopt;
  Judgement judgement{Verdict::closed, proof.basis, "", std::move(proof.reasons)};
  if (!proof.foreign) return judgement;
  judgement.verdict = Verdict::not_felix;
  name_foreigners(evidence, judgement.reasons);
  return judgement;
}

bool no_felix_expected(const NodeEvidence& evidence) {
  return evidence.pods.empty() && !evidence.scheduled;
}

std::optional<Judgement> no_felix(const NodeEvidence& evidence, const ProveInput& input) {
  if (!no_felix_expected(evidence)) return std::nullopt;
  auto proof = prove_no_felix(evidence, input);
  if (proof.basis == Basis::none) return std::nullopt;
  Judgement judgement{.verdict = Verdict::no_felix, .reasons = std::move(proof.reasons)};
  if (!proof.foreign) return judgement;
  judgement.verdict = Verdict::not_felix;
  name_foreigners(evidence, judgement.reasons);
  return judgement;
}

/// Felix is there and could not be fully tested: what each rule above was missing is part of what
/// `closed` is missing.
Judgement unknown(const NodeEvidence& evidence, const ProveInput& input) {
  auto proof =
      no_felix_expected(evidence) ? prove_no_felix(evidence, input) : prove_closed(evidence, input);
  Judgement judgement{.reasons = std::move(proof.reasons)};
  if (evidence.node->windows) judgement.reasons.push_back({"windows-node", {}});
  return judgement;
}

constexpr std::array<Rule, 8> kTable{
    read_by_anybody, declared_and_not_tested, armed,   protected_rule, local_only,
    filtered,        closed_or_not_felix,     no_felix};

}  // namespace

Judgement judge(const NodeEvidence& evidence, const ProveInput& input) {
  for (const auto rule : kTable) {
    if (auto judgement = rule(evidence, input)) return std::move(*judgement);
  }
  return unknown(evidence, input);
}

}  // namespace catflap
