// The verdict table, a row each. A case is a few words, see `make_pod` and `add_word`; what comes
// out is one line.
#include "core/prove/prove.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <sstream>

#include "core/catalogue.hpp"
#include "core/prove/schedules.hpp"

namespace catflap {
namespace {

using std::chrono::seconds;

const TimePoint kStart{seconds{1'800'000'000}};  // Felix's start; the first look is 100 s later

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

/// "off", "on", "loopback" (on, at 127.0.0.1), "mtls" (on, client certificate enforced), "no-ca",
/// "random", "ambiguous", "unreadable", "compiled" (nothing sets it), "invalid" (nothing that Felix
/// understands does), "port=0", "port=?" (not readable), "health=9299"; then "ready", "stale",
/// "terminating", "pending", "failed", "fresh" (started just before the look), "own-network".
PodFacts make_pod(const std::string& text) {
  PodFacts pod{.namespace_ = "kube-system",
               .name = "calico-node-x",
               .uid = "pod-1",
               .node = "n1",
               .phase = "Running"};
  pod.felix_running = true;
  pod.felix_started = kStart;
  auto& declared = pod.declared;
  declared.enabled = {.value = false, .raw = "false", .layer = Layer::env};
  declared.port.value = 9091;
  declared.host.value = "";
  declared.tls.value = false;
  for (const auto& word : words(text)) {
    if (word == "on" || word == "loopback" || word == "mtls" || word == "no-ca" ||
        word == "random") {
      declared.enabled.value = true;
      declared.enabled.raw = "true";
    }
    if (word == "loopback") declared.host.value = "127.0.0.1";
    if (word == "random") declared.port.value = 0;
    if (word == "mtls" || word == "no-ca") declared.tls.value = true;
    if (word == "mtls") declared.client_auth.value = ClientAuth::require_and_verify;
    declared.ca_file_set = declared.ca_file_set.value_or(false) || word == "mtls";
    if (word == "ambiguous")
      declared.enabled = {.state = ParamState::ambiguous, .layer = Layer::env};
    if (word == "unreadable")
      declared.enabled = {.state = ParamState::unreadable, .layer = Layer::fc_default};
    if (word == "compiled") declared.enabled = {.value = false, .assumed = true};
    if (word == "invalid") declared.enabled.invalid = true, declared.enabled.raw = "maybe";
    if (word == "port=0") declared.port.value = 0;
    if (word == "port=?") declared.port.value.reset();
    if (word == "health=9299") declared.other_ports = {9299};
    if (word == "own-network") pod.host_network = false;
    if (word == "failed") pod.phase = "Failed";
    if (word == "ready") pod.ready = true;
    if (word == "stale") pod.stale = true;
    if (word == "terminating") pod.terminating = true;
    if (word == "pending")
      pod.felix_running = false, pod.phase = "Pending", pod.felix_started.reset();
    if (word == "fresh") pod.felix_started = kStart + seconds(101);
    if (word == "second") pod.uid = "pod-2", pod.name = "calico-node-y";
  }
  return pod;
}

const IpAddress kV4 = *IpAddress::parse("10.0.0.1");
const IpAddress kV6 = *IpAddress::parse("fd91::1");
const IpAddress kLoopback = *IpAddress::parse("127.91.0.11");

const IpAddress& address_of(char family) {
  return family == '4' ? kV4 : family == '6' ? kV6 : kLoopback;
}

Reach make_row(const IpAddress& address, const std::string& what, TimePoint at) {
  Reach row{.vantage = "direct",
            .node = "n1",
            .endpoint = {address, 9091},
            .outcome = Outcome::open,
            .at = at};
  static const std::map<std::string, Outcome> kOutcomes{{"refused", Outcome::refused},
                                                        {"rejected", Outcome::rejected},
                                                        {"reset", Outcome::reset},
                                                        {"timeout", Outcome::timeout},
                                                        {"unreachable", Outcome::unreachable},
                                                        {"error", Outcome::error}};
  if (const auto it = kOutcomes.find(what); it != kOutcomes.end()) row.outcome = it->second;
  if (row.outcome != Outcome::open) return row;
  row.identity = Identity::unidentified;
  row.http_status = 200;
  if (what.starts_with("felix")) row.identity = Identity::felix, row.felix_host = "n1";
  if (what == "felix@n2") row.felix_host = "n2";
  if (what == "felix@elsewhere") row.felix_host = "some-host";
  if (what == "felix-any-cert")
    row.client_cert = ClientCertAsk::demanded, row.throwaway = ThrowawayResult::accepted;
  if (what == "other") row.identity = Identity::other;
  if (what == "typha") row.identity = Identity::typha;
  if (what == "mtls")
    row.client_cert = ClientCertAsk::demanded, row.throwaway = ThrowawayResult::refused,
    row.http_status = 0;
  if (what == "token") row.throwaway = ThrowawayResult::refused, row.http_status = 401;
  if (what == "401") row.http_status = 401;
  return row;
}

Listener make_listener(const std::string& text, bool felix) {
  const auto slash = text.find('/');
  Listener listener{.endpoint = *HostPort::parse(text.substr(0, slash)), .felix = felix};
  if (slash != std::string::npos) listener.comm = text.substr(slash + 1);
  return listener;
}

/// "4:refused" / "6:timeout" / "L:felix": a row at the IPv4 / IPv6 / loopback address; "c4": its
/// control passed; "x4": failed; "in": a complete look from inside; "cut": an incomplete one;
/// "felix=0.0.0.0:9091", "foreign=0.0.0.0:9091/nginx": listeners; "dead": no Felix process;
/// "env=true": what Felix's process really has; "pid=7"; "pod-2": it is another pod's look; "@20":
/// seconds later. Words about a look inside mean the last one named.
void add_word(Look& look, const std::string& word, TimePoint& at) {
  const auto value = word.substr(word.find('=') + 1);
  if (word.starts_with("@")) {
    at += seconds(std::stoi(word.substr(1)));
    look.started = at;
  } else if (word.starts_with("4:") || word.starts_with("6:") || word.starts_with("L:")) {
    look.reached.push_back(make_row(address_of(word[0]), word.substr(2), at));
  } else if (word.size() == 2 && (word[0] == 'c' || word[0] == 'x')) {
    look.controls.push_back({.vantage = "direct",
                             .address = address_of(word[1]),
                             .outcome = word[0] == 'c' ? Outcome::open : Outcome::timeout,
                             .at = at});
  } else if (word == "in" || word == "cut") {
    InsideLook inside{
        .vantage = "exec", .node = "n1", .pod_uid = "pod-1", .at = at, .complete = word == "in"};
    inside.felix = {{.pid = 42,
                     .started = kStart,
                     .environment = {{"FELIX_PROMETHEUSMETRICSENABLED", "false"}}}};
    inside.listeners = {make_listener("127.0.0.1:9099", true),
                        make_listener("0.0.0.0:10250/kubelet", false)};
    if (word == "cut") inside.problem_code = "table-cut";
    look.inside.push_back(inside);
  } else {
    auto& inside = look.inside.back();
    if (word.starts_with("felix=")) inside.listeners.push_back(make_listener(value, true));
    if (word.starts_with("foreign=")) inside.listeners.push_back(make_listener(value, false));
    if (word == "dead") inside.felix.clear();
    if (word == "env=none")
      inside.felix.at(0).environment.clear();
    else if (word.starts_with("env="))
      inside.felix.at(0).environment.at(0).second = value;
    if (word.starts_with("pid=")) inside.felix.at(0).pid = std::stoi(value);
    if (word == "pod-2") inside.pod_uid = "pod-2";
    if (word == "restarted") inside.felix.at(0).started = at - seconds(1);
  }
}

struct Case {
  const char* name;
  std::vector<std::string> pods;
  std::vector<std::string> looks;
  const char* expected;
  const char* node =
      "ready v4";  // "v4", "v6", "loopback", "external6", "unscheduled", "hidden" (DaemonSets)
  const char* before = "";  // rows with felix_host from before the change
  Purpose purpose = Purpose::verify;
  Policy policy{};
};

/// The input and what it borrows.
struct World {
  ClusterFacts facts;
  ProveInput input;
};

std::unique_ptr<World> make_world(const Case& c) {
  auto world = std::make_unique<World>();
  NodeFacts node{.name = "n1"};
  bool scheduled = true;
  for (const auto& word : words(c.node)) {
    if (word == "ready") node.ready = true;
    if (word == "v4") node.addresses.push_back({kV4, "InternalIP"});
    if (word == "v6") node.addresses.push_back({kV6, "InternalIP"});
    if (word == "loopback") node.addresses.push_back({kLoopback, "InternalIP"});
    if (word == "external6") node.addresses.push_back({kV6, "ExternalIP"});
    if (word == "unscheduled") scheduled = false;
    if (word == "hidden") world->facts.daemon_sets_state = {false, "forbidden"};
  }
  world->facts.nodes = {node, {.name = "n2", .ready = true}};
  json::object selector{{"kubernetes.io/os", scheduled ? "" : "linux"}};
  json::object spec;
  if (!scheduled) spec["nodeSelector"] = selector;
  world->facts.daemon_sets = {{.object = {{"spec", {{"template", {{"spec", spec}}}}}}}};
  for (const auto& pod : c.pods) world->facts.pods.push_back(make_pod(pod));
  TimePoint at = kStart + seconds(100);
  for (const auto& text : c.looks) {
    Look look{.started = at};
    for (const auto& word : words(text)) add_word(look, word, at);
    world->input.looks.push_back(look);
  }
  for (const auto& word : words(c.before)) {
    world->input.before.push_back(
        make_row(address_of(word[0]), word.substr(2), kStart - seconds(50)));
  }
  world->input.facts = &world->facts;
  world->input.purpose = c.purpose;
  world->input.policy = c.policy;
  world->input.now = at + seconds(1);
  return world;
}

std::string dump(const NodeVerdict& node) {
  std::vector<std::string> codes;
  for (const auto& reason : node.reasons) codes.push_back(reason.code);
  std::string by = to_string(node.basis);
  if (!node.by.empty()) by += node.by;
  return fmt::format("{}{}{} [{}]", to_string(node.verdict), by.empty() ? "" : " ", by,
                     fmt::join(codes, " "));
}

std::string judge(const Case& c) {
  const auto world = make_world(c);
  return dump(prove(world->input).nodes.at(0));
}

const std::vector<Case> kTable{
    // exposed
    {"anonymous", {"on ready"}, {"4:felix c4", "@20 4:felix c4"}, "exposed [anonymous-read]"},
    {"one answer in two looks is enough",
     {"off ready"},
     {"4:felix in", "@20 4:refused in"},
     "exposed [anonymous-read]"},
    {"answers although declared off",
     {"off ready"},
     {"4:felix", "@20 4:felix"},
     "exposed [anonymous-read]"},
    {"any certificate will do",
     {"on ready"},
     {"4:felix-any-cert", "@20 4:felix-any-cert"},
     "exposed [throwaway-read]"},
    {"a felix_host that names no node",
     {"off ready"},
     {"4:felix@elsewhere", "@20 in"},
     "exposed [anonymous-read]"},
    {"at the loopback address that the node is known by",
     {"on ready"},
     {"L:felix cL in"},
     "exposed [anonymous-read]",
     "ready loopback"},
    {"a refusal at such an address is one of the machine that catflap runs on",
     {"off ready"},
     {"L:refused cL", "@20 L:refused cL"},
     "unknown [control-failed]",
     "ready loopback"},
    {"another node's name at such an address",
     {"off ready"},
     {"L:felix@n2 cL in", "@20 L:felix@n2 cL in"},
     "unknown [wrong-felix-host]",
     "ready loopback"},
    {"the node's name at a loopback address that is not the node's",
     {"off ready"},
     {"4:refused c4 L:felix in", "@20 4:refused c4 L:felix in"},
     "unknown [wrong-felix-host]"},
    {"only IPv6 is open",
     {"off ready"},
     {"4:refused c4 6:felix in", "@20 4:refused c4 6:felix in"},
     "exposed [anonymous-read]",
     "ready v4 v6"},
    {"declared on, nobody could test",
     {"on ready"},
     {"4:refused x4", "@20 4:timeout x4"},
     "exposed [declared-not-tested]"},
    {"declared on at a random port, asked at 9091",
     {"on ready port=0"},
     {"4:refused c4"},
     "exposed [declared-not-tested]"},
    {"declared on, no look at all", {"on ready"}, {}, "exposed [declared-not-tested]"},
    {"declared on, seen listening from inside only",
     {"on ready"},
     {"in felix=0.0.0.0:9091"},
     "exposed [declared-not-tested]"},
    {"the answer of another node's Felix",
     {"off ready"},
     {"4:felix@n2 c4 in", "@20 4:felix@n2 c4 in"},
     "unknown [wrong-felix-host]"},
    // armed
    {"on, and nothing listens", {"on ready"}, {"in", "@20 in"}, "armed [armed-not-listening]"},
    {"on, and refused",
     {"on ready"},
     {"4:refused c4", "@20 4:refused c4"},
     "armed [armed-not-listening]"},
    {"on, and the port is taken",
     {"on ready"},
     {"in foreign=0.0.0.0:9091/nginx 4:other"},
     "armed [armed-port-taken]"},
    {"on, TLS without a CA file", {"no-ca ready"}, {"in 4:refused c4"}, "armed [armed-ca-missing]"},
    {"a lingering pod that is on",
     {"off ready", "on terminating second"},
     {"in", "@20 in"},
     "armed [armed-not-listening]"},
    {"refused, but silence is no proof",
     {"on ready"},
     {"4:timeout c4", "@20 4:timeout c4"},
     "unknown [declared-on timeout]"},
    // protected
    {"client certificate enforced",
     {"mtls ready"},
     {"4:mtls c4 in felix=0.0.0.0:9091"},
     "protected client-cert [client-cert-refused]"},
    {"client certificate enforced now, reset in the first look",
     {"mtls ready"},
     {"4:reset in env=true felix=0.0.0.0:9091", "@20 4:mtls c4 in env=true felix=0.0.0.0:9091"},
     "unknown [declared-on felix-listens reset unidentified-listener]"},
    {"token in front, Felix on loopback",
     {"loopback ready"},
     {"4:token in felix=127.0.0.1:9091 foreign=0.0.0.0:9092/proxy"},
     "protected token [token-refused]"},
    {"refused without credentials only",
     {"on ready"},
     {"4:401 in env=true felix=0.0.0.0:9091"},
     "unknown [declared-on felix-listens unidentified-listener settle-too-short]"},
    {"the raw port beside the proxy",
     {"on ready"},
     {"4:token in env=true felix=0.0.0.0:9091 felix=0.0.0.0:9100"},
     "unknown [declared-on felix-listens felix-listens unidentified-listener settle-too-short]"},
    {"no inside look",
     {"mtls ready"},
     {"4:mtls c4", "@20 4:mtls c4"},
     "unknown [declared-on unidentified-listener]"},
    // local-only
    {"loopback",
     {"loopback ready"},
     {"4:refused c4 in felix=127.0.0.1:9091"},
     "local-only [loopback-only]"},
    {"loopback without an inside look",
     {"loopback ready"},
     {"4:refused c4", "@20 4:refused c4"},
     "unknown [declared-on]"},
    {"loopback now, answered in the first look",
     {"loopback ready"},
     {"4:garbage in felix=127.0.0.1:9091", "@20 4:refused c4 in felix=127.0.0.1:9091"},
     "unknown [declared-on environment-differs felix-listens unidentified-listener]"},
    // filtered
    {"dropped now, answered in the first look",
     {"on ready"},
     {"4:garbage in env=true felix=0.0.0.0:9091",
      "@20 4:timeout c4 in env=true felix=0.0.0.0:9091"},
     "unknown [declared-on felix-listens unidentified-listener timeout]"},
    {"dropped, but only IPv6 was tried",
     {"on ready"},
     {"6:timeout c6 4:refused x4 in env=true felix=0.0.0.0:9091"},
     "unknown [declared-on felix-listens settle-too-short timeout control-failed]",
     "ready v4 v6"},
    {"dropped", {"on ready"}, {"4:timeout c4 in felix=0.0.0.0:9091"}, "filtered [outside-blocked]"},
    {"rejected",
     {"on ready"},
     {"4:rejected c4 in felix=0.0.0.0:9091"},
     "filtered [outside-blocked]"},
    {"dropped, declared off",
     {"off ready"},
     {"4:timeout c4 in felix=0.0.0.0:9091"},
     "filtered [outside-blocked]"},
    {"one address dropped, one refused",
     {"on ready"},
     {"4:timeout c4 6:refused c6 in env=true felix=[::]:9091"},
     "unknown [declared-on felix-listens settle-too-short timeout]",
     "ready v4 v6"},
    {"one address dropped, one refused because Felix listens on IPv4 only",
     {"on ready"},
     {"4:timeout c4 6:refused c6 in env=true felix=0.0.0.0:9091"},
     "filtered [outside-blocked]",
     "ready v4 v6"},
    {"a lingering pod that is on, and whose listener may be the one that is seen",
     {"off ready", "on terminating second"},
     {"in foreign=0.0.0.0:9091", "@20 in foreign=0.0.0.0:9091"},
     "exposed [declared-not-tested]"},
    // closed
    {"inside", {"off ready"}, {"in", "@20 in"}, "closed inside [inside-clean]"},
    {"inside beats silence",
     {"off ready"},
     {"4:timeout in", "@20 4:timeout in"},
     "closed inside [inside-clean]"},
    {"inside, node not ready",
     {"off ready"},
     {"in", "@20 in"},
     "closed inside [inside-clean]",
     "v4"},
    {"health at another port than the usual",
     {"off ready health=9299"},
     {"in felix=0.0.0.0:9299", "@20 in felix=0.0.0.0:9299"},
     "closed inside [inside-clean]"},
    {"inside makes a pod that is not ready alive",
     {"off"},
     {"in", "@20 in"},
     "closed inside [inside-clean]"},
    {"before and after",
     {"off ready"},
     {"4:refused c4", "@20 4:refused c4"},
     "closed before-after [refused-before-after]",
     "ready v4",
     "4:felix"},
    {"before and after, with a pod that lingers",
     {"off ready", "off terminating second"},
     {"4:refused c4", "@20 4:refused c4"},
     "closed before-after [refused-before-after]",
     "ready v4",
     "4:felix"},
    {"before was recorded elsewhere, and from here nothing answers",
     {"off ready"},
     {"4:refused x4", "@20 4:refused x4"},
     "unknown [control-failed]",
     "ready v4",
     "4:felix"},
    {"network",
     {"off ready"},
     {"4:refused c4", "@20 4:refused c4"},
     "closed network [refused-everywhere]"},
    {"network, both families",
     {"off ready"},
     {"4:refused c4 6:refused c6", "@20 4:refused c4 6:refused c6"},
     "closed network [refused-everywhere]",
     "ready v4 v6"},
    {"the untested external address does not matter",
     {"off ready"},
     {"4:refused c4 6:timeout", "@20 4:refused c4 6:timeout"},
     "closed network [refused-everywhere]",
     "ready v4 external6"},
    {"diagnose looks once",
     {"off ready"},
     {"4:refused c4"},
     "closed network [refused-everywhere]",
     "ready v4",
     "",
     Purpose::diagnose},
    // and not closed
    {"one look", {"off ready"}, {"in"}, "unknown [settle-too-short]"},
    {"two looks too close", {"off ready"}, {"in", "@5 in"}, "unknown [settle-too-short]"},
    {"diagnose of a fresh pod looks twice",
     {"off ready fresh"},
     {"@5 4:refused c4"},
     "unknown [settle-too-short]",
     "ready v4",
     "",
     Purpose::diagnose},
    {"diagnose while a pod ends looks twice",
     {"off ready", "off terminating second"},
     {"4:refused c4"},
     "unknown [settle-too-short]",
     "ready v4",
     "4:felix",
     Purpose::diagnose},
    {"before Felix's start", {"off ready fresh"}, {"in", "@20 in"}, "unknown [look-too-early]"},
    {"another process in the second look",
     {"off ready"},
     {"in", "@20 in pid=43"},
     "unknown [look-too-early]"},
    {"Felix restarted in place between the looks",
     {"off ready"},
     {"in", "@20 in restarted"},
     "unknown [look-too-early]"},
    {"no Felix process",
     {"off ready"},
     {"in dead 4:refused c4", "@20 in dead 4:refused c4"},
     "unknown [felix-not-seen-alive]"},
    {"pod not ready", {"off"}, {"4:refused c4", "@20 4:refused c4"}, "unknown [pod-not-ready]"},
    {"the new pod is pending, the old Felix may run on",
     {"off pending"},
     {"4:refused c4", "@20 4:refused c4"},
     "unknown [pod-not-ready]"},
    {"no pod where one belongs", {}, {"4:refused c4", "@20 4:refused c4"}, "unknown [pod-missing]"},
    {"ambiguous",
     {"ambiguous ready"},
     {"in", "@20 in"},
     "unknown [declared-ambiguous environment-differs]"},
    {"unreadable",
     {"unreadable ready"},
     {"in env=none", "@20 in env=none"},
     "unknown [declared-unreadable]"},
    {"silence", {"off ready"}, {"4:timeout c4", "@20 4:timeout c4"}, "unknown [timeout]"},
    {"rejection", {"off ready"}, {"4:rejected c4", "@20 4:rejected c4"}, "unknown [rejected]"},
    {"reset", {"off ready"}, {"4:reset c4", "@20 4:reset c4"}, "unknown [reset]"},
    {"refused from a blind place",
     {"off ready"},
     {"4:refused x4", "@20 4:refused x4"},
     "unknown [control-failed]"},
    {"IPv6 never asked",
     {"off ready"},
     {"4:refused c4", "@20 4:refused c4"},
     "unknown [untested-address]",
     "ready v4 v6"},
    {"IPv6 silent",
     {"off ready"},
     {"4:refused c4 6:timeout c6", "@20 4:refused c4 6:timeout c6"},
     "unknown [timeout]",
     "ready v4 v6"},
    {"silent in the first look",
     {"off ready"},
     {"4:timeout c4", "@20 4:refused c4"},
     "unknown [timeout]"},
    {"inside in the first look, network in the second",
     {"off ready"},
     {"in", "@20 4:refused c4"},
     "unknown [no-basis]"},
    {"stale pod, network only",
     {"off ready stale"},
     {"4:refused c4", "@20 4:refused c4"},
     "unknown [pod-stale]"},
    {"lingering pod, network only",
     {"off ready", "off terminating second"},
     {"4:refused c4", "@20 4:refused c4"},
     "unknown [pod-lingering]"},
    {"node not ready, network only",
     {"off ready"},
     {"4:refused c4", "@20 4:refused c4"},
     "unknown [node-not-ready]",
     "v4"},
    {"Felix listens inside though declared off",
     {"off ready"},
     {"in felix=0.0.0.0:9091", "@20 in felix=0.0.0.0:9091"},
     "unknown [felix-listens]"},
    {"a Felix listener nobody declared",
     {"off ready"},
     {"in felix=0.0.0.0:12345", "@20 in felix=0.0.0.0:12345"},
     "unknown [felix-listens]"},
    {"it was there in the first look",
     {"off ready"},
     {"in felix=0.0.0.0:9091 4:timeout c4", "@20 in 4:refused c4"},
     "unknown [felix-listens timeout]"},
    {"an incomplete look", {"off ready"}, {"cut", "@20 cut"}, "unknown [table-cut]"},
    {"what an incomplete look saw counts",
     {"off ready"},
     {"cut felix=0.0.0.0:9091 4:refused c4", "@20 cut 4:refused c4"},
     "unknown [felix-listens]"},
    {"the process has another environment",
     {"off ready"},
     {"in env=true", "@20 in env=true"},
     "unknown [environment-differs]"},
    {"the process lacks the environment",
     {"off ready"},
     {"in env=none", "@20 in env=none"},
     "unknown [environment-differs]"},
    {"a look into a pod that is gone",
     {"off ready"},
     {"in pod-2", "@20 in pod-2"},
     "unknown [no-vantage]"},
    {"no look", {"off ready"}, {}, "unknown [no-vantage]"},
    {"unidentified answer",
     {"off ready"},
     {"4:garbage in", "@20 4:garbage in"},
     "unknown [unidentified-listener]"},
    {"unknown owner of the port",
     {"off ready"},
     {"in foreign=0.0.0.0:9091", "@20 in foreign=0.0.0.0:9091"},
     "unknown [unidentified-listener]"},
    {"unknown owner of the port at an address that was not asked",
     {"off ready"},
     {"in foreign=10.0.0.9:9091 4:refused c4", "@20 in foreign=10.0.0.9:9091 4:refused c4"},
     "unknown [unidentified-listener]"},
    {"the same, before and after",
     {"off ready"},
     {"cut foreign=10.0.0.9:9091 4:refused c4", "@20 cut foreign=10.0.0.9:9091 4:refused c4"},
     "unknown [unidentified-listener]",
     "ready v4",
     "4:felix"},
    {"an answer elsewhere does not name the owner",
     {"off ready"},
     {"in foreign=10.0.0.9:9091 4:other", "@20 in foreign=10.0.0.9:9091 4:other"},
     "unknown [unidentified-listener]"},
    {"0.0.0.0 is not asked by IPv6",
     {"off ready"},
     {"in foreign=0.0.0.0:9091 6:other", "@20 in foreign=0.0.0.0:9091 6:other"},
     "unknown [unidentified-listener]"},
    {"beside 0.0.0.0, :: is IPv6 only",
     {"off ready"},
     {"in foreign=[::]:9091 foreign=0.0.0.0:9091 4:other",
      "@20 in foreign=[::]:9091 foreign=0.0.0.0:9091 4:other"},
     "unknown [unidentified-listener]"},
    {"a cut look saw another value",
     {"off ready"},
     {"cut env=true 4:refused c4", "@20 cut env=true 4:refused c4"},
     "unknown [environment-differs]"},
    {"two Felix pods, one not looked into",
     {"off ready", "off ready second"},
     {"in", "@20 in"},
     "unknown [untested-address]"},
    {"two Felix pods, and the second one listens",
     {"off ready", "off ready second"},
     {"in 4:refused c4 in pod-2 felix=10.0.0.9:9091",
      "@20 in 4:refused c4 in pod-2 felix=10.0.0.9:9091"},
     "unknown [felix-listens]"},
    {"two Felix pods, and the second one has another environment",
     {"off ready", "off ready second"},
     {"in in pod-2 env=true", "@20 in in pod-2 env=true"},
     "unknown [environment-differs]"},
    {"a pod on its own network",
     {"off ready own-network"},
     {"4:refused c4", "@20 4:refused c4"},
     "unknown [pod-own-network]"},
    {"a build that may be on, and Felix not up yet",
     {"compiled"},
     {"in env=none", "@20 in env=none"},
     "unknown [pod-not-ready]"},
    {"a build that may be on, at a random port",
     {"compiled ready port=0"},
     {"4:refused c4", "@20 4:refused c4"},
     "unknown [port-random]"},
    {"a build that may be on, at a port nobody knows",
     {"compiled ready port=?"},
     {"4:refused c4", "@20 4:refused c4"},
     "unknown [declared-unreadable]",
     "ready v4",
     "4:felix"},
    {"a value that Felix does not know leaves it to the build",
     {"invalid ready port=0"},
     {"4:refused c4", "@20 4:refused c4"},
     "unknown [port-random]"},
    {"a failed pod may run on where the node is away",
     {"off ready", "off failed second"},
     {"4:refused c4", "@20 4:refused c4"},
     "unknown [pod-not-ready node-not-ready]",
     "v4"},
    {"a failed pod that is being deleted",
     {"off ready", "off failed terminating second"},
     {"4:refused c4", "@20 4:refused c4"},
     "unknown [pod-lingering]"},
    {"a failed pod is over",
     {"off ready", "on failed second"},
     {"4:refused c4", "@20 4:refused c4"},
     "closed network [refused-everywhere]"},
    {"before, but silent now",
     {"off ready"},
     {"4:timeout", "@20 4:timeout"},
     "unknown [timeout]",
     "ready v4",
     "4:felix"},
    {"before on two addresses, refused on one",
     {"off ready"},
     {"4:refused c4 6:timeout", "@20 4:refused c4 6:timeout"},
     "unknown [timeout]",
     "ready v4 v6",
     "4:felix 6:felix"},
    {"weaker than the policy wants",
     {"off ready"},
     {"4:refused c4", "@20 4:refused c4"},
     "unknown [basis-not-accepted]",
     "ready v4",
     "",
     Purpose::verify,
     {.require_basis = Basis::inside}},
    {"too old",
     {"off ready"},
     {"in", "@20 in"},
     "unknown [observation-too-old]",
     "ready v4",
     "",
     Purpose::verify,
     {.max_age = Duration{0}}},
    // not-felix
    {"another process, seen from inside",
     {"off ready"},
     {"in foreign=0.0.0.0:9091/nginx", "@20 in foreign=0.0.0.0:9091/nginx"},
     "not-felix inside [inside-clean foreign-listener]"},
    {"another exporter answers",
     {"off ready"},
     {"4:typha c4", "@20 4:typha c4"},
     "not-felix network [refused-everywhere foreign-answer]"},
    {"an answer that the socket table does not explain",
     {"off ready"},
     {"4:other in", "@20 4:other in"},
     "not-felix inside [inside-clean foreign-answer]"},
    {"another exporter at an address that need not refuse",
     {"off ready"},
     {"4:refused c4 6:other", "@20 4:refused c4 6:other"},
     "not-felix network [refused-everywhere foreign-answer]",
     "ready v4 external6"},
    {"the same, where Felix answered before",
     {"off ready"},
     {"4:refused c4 6:other", "@20 4:refused c4 6:other"},
     "not-felix network [refused-everywhere foreign-answer]",
     "ready v4 external6",
     "4:felix"},
    {"another process, seen by a cut look",
     {"off ready"},
     {"cut foreign=10.0.0.9:9091/nginx 4:refused c4",
      "@20 cut foreign=10.0.0.9:9091/nginx 4:refused c4"},
     "not-felix network [refused-everywhere foreign-listener]"},
    {"two Felix pods, both looked into",
     {"off ready", "off ready second"},
     {"in in pod-2", "@20 in in pod-2"},
     "closed inside [inside-clean]"},
    // no-felix
    {"not scheduled",
     {},
     {"4:refused c4", "@20 4:refused c4"},
     "no-felix [no-felix-scheduled]",
     "ready v4 unscheduled"},
    {"not scheduled, diagnose",
     {},
     {"4:refused c4"},
     "no-felix [no-felix-scheduled]",
     "ready v4 unscheduled",
     "",
     Purpose::diagnose},
    {"not scheduled, silent",
     {},
     {"4:timeout c4", "@20 4:timeout c4"},
     "unknown [timeout]",
     "ready v4 unscheduled"},
    {"not scheduled, nobody looked", {}, {}, "unknown [no-vantage]", "ready v4 unscheduled"},
    {"not scheduled, asked from a blind place",
     {},
     {"4:refused x4", "@20 4:refused x4"},
     "unknown [control-failed]",
     "ready v4 unscheduled"},
    {"not scheduled, node away",
     {},
     {"4:refused c4", "@20 4:refused c4"},
     "unknown [node-not-ready]",
     "v4 unscheduled"},
    {"not scheduled by a DaemonSet that we may see",
     {},
     {"4:refused c4", "@20 4:refused c4"},
     "unknown [daemonsets-unreadable]",
     "ready v4 unscheduled hidden"},
    {"not scheduled, looked once",
     {},
     {"4:refused c4"},
     "unknown [settle-too-short]",
     "ready v4 unscheduled"},
    {"not scheduled, but Felix answers",
     {},
     {"4:felix"},
     "exposed [anonymous-read]",
     "ready v4 unscheduled"},
    {"not scheduled, somebody else answers",
     {},
     {"4:other", "@20 4:other"},
     "not-felix [no-felix-scheduled foreign-answer]",
     "ready v4 unscheduled"},
    {"not scheduled, something answers",
     {},
     {"4:garbage"},
     "unknown [unidentified-listener settle-too-short]",
     "ready v4 unscheduled"},
};

TEST(Prove, VerdictTable) {
  for (const auto& c : kTable) EXPECT_EQ(judge(c), c.expected) << c.name;
}

TEST(Prove, EveryReasonIsInTheCatalogue) {
  for (const auto& c : kTable) {
    const auto world = make_world(c);
    const auto cluster = prove(world->input);
    for (const auto& reason : cluster.nodes.at(0).reasons) {
      EXPECT_NE(find_row(reason.code), nullptr) << reason.code;
    }
  }
}

TEST(Prove, FelixHostOfAnotherNodeIsExposedThere) {
  const auto world = make_world({"", {"off ready"}, {"4:felix@n2 c4"}, ""});
  const auto cluster = prove(world->input);
  EXPECT_EQ(dump(cluster.nodes.at(1)), "exposed [anonymous-read]");
  EXPECT_EQ(cluster.verdict, Verdict::exposed);
}

TEST(Prove, BuildEnablesWhatNothingSets) {
  const auto answered =
      prove(make_world({"", {"compiled ready"}, {"4:felix"}, ""})->input).nodes.at(0);
  EXPECT_EQ(answered.declared->enabled.layer, Layer::build);
  EXPECT_EQ(answered.declared->enabled.value, true);
  const auto silent =
      prove(make_world({"", {"compiled ready"}, {"4:refused c4"}, ""})->input).nodes.at(0);
  EXPECT_EQ(silent.declared->enabled.layer, Layer::compiled);
  EXPECT_EQ(silent.declared->enabled.value, false);
}

TEST(Prove, UntestedAddressesAreNamed) {
  const auto node = prove(make_world({"",
                                      {"off ready"},
                                      {"in 4:refused c4", "@20 in 4:refused c4"},
                                      "",
                                      "ready v4 external6"})
                              ->input)
                        .nodes.at(0);
  EXPECT_EQ(node.verdict, Verdict::closed);
  ASSERT_EQ(node.coverage.untested.size(), 1u);
  EXPECT_EQ(node.coverage.untested[0].to_string(), "[fd91::1]:9091");
}

struct ExitCase {
  std::vector<std::pair<Verdict, bool>> nodes;  // verdict, accepted
  int expected;
};

TEST(Prove, ExitCodes) {
  using V = Verdict;
  const std::vector<ExitCase> table{{{}, 3},
                                    {{{V::closed, true}}, 0},
                                    {{{V::closed, true}, {V::no_felix, true}}, 0},
                                    {{{V::no_felix, true}}, 3},
                                    {{{V::closed, true}, {V::unknown, false}}, 3},
                                    {{{V::exposed, false}, {V::unknown, false}}, 1},
                                    {{{V::protected_, false}}, 1},
                                    {{{V::protected_, true}, {V::closed, true}}, 0},
                                    {{{V::armed, false}}, 1}};
  for (const auto& row : table) {
    ClusterVerdict cluster;
    for (const auto& [verdict, is_accepted] : row.nodes) {
      cluster.nodes.push_back({.verdict = verdict, .accepted = is_accepted});
    }
    EXPECT_EQ(exit_code(cluster), row.expected);
  }
}

TEST(Prove, PolicyAccepts) {
  Case c{"", {"mtls ready"}, {"4:mtls c4 in felix=0.0.0.0:9091"}, ""};
  EXPECT_FALSE(prove(make_world(c)->input).nodes.at(0).accepted);
  c.policy.accept = {Verdict::protected_};
  EXPECT_TRUE(prove(make_world(c)->input).nodes.at(0).accepted);
  c.policy = {
      .exceptions = {{"n1", Verdict::protected_, "scraped by the SOC", kStart + seconds(50)}}};
  EXPECT_FALSE(prove(make_world(c)->input).nodes.at(0).accepted) << "the exception has run out";
  c.policy.exceptions[0].until = kStart + seconds(500);
  EXPECT_TRUE(prove(make_world(c)->input).nodes.at(0).accepted);
}

TEST(Prove, PolicyNeverAcceptsExposedArmedOrUnknown) {
  const Policy all{.accept = {Verdict::exposed, Verdict::armed, Verdict::unknown}};
  for (const auto* look : {"4:felix c4", "4:refused c4", "4:timeout"}) {
    const auto world =
        make_world({"", {"on ready"}, {look}, "", "ready v4", "", Purpose::verify, all});
    EXPECT_FALSE(prove(world->input).nodes.at(0).accepted) << look;
  }
}

/// Whatever else is seen: with one anonymous answer of this node's Felix the verdict is exposed,
/// and nothing that adds doubt to a proven "closed" may leave it standing.
const std::vector<std::string> kDoubts{"4:felix",    "4:felix-any-cert", "4:garbage", "4:reset",
                                       "4:felix@n2", "4:mtls",           "4:token",   "6:other"};

RC_GTEST_PROP(ProveProperty, NoDoubtfulAnswerLeavesANodeClosed, ()) {
  const auto base = *rc::gen::elementOf(
      std::vector<std::string>{"in", "4:refused c4", "in 4:refused c4", "in 4:timeout"});
  const auto doubt = *rc::gen::elementOf(kDoubts);
  const bool in_first = *rc::gen::arbitrary<bool>();
  const auto first = base + (in_first ? " " + doubt : "");
  const auto second = "@20 " + base + (in_first ? "" : " " + doubt);
  const auto verdict = judge({"", {"off ready"}, {first, second}, ""});
  RC_ASSERT(!verdict.starts_with("closed"));
  if (doubt != "6:other") RC_ASSERT(!verdict.starts_with("not-felix"));
  if (doubt == "4:felix") RC_ASSERT(verdict.starts_with("exposed"));
}

RC_GTEST_PROP(ProveProperty, NoPodThatIsNotOffLeavesANodeClosed, ()) {
  const auto other = *rc::gen::elementOf(std::vector<std::string>{
      "on", "loopback", "mtls", "no-ca", "random", "ambiguous", "unreadable"});
  const auto state = *rc::gen::elementOf(
      std::vector<std::string>{"ready", "terminating", "stale ready", "pending"});
  const auto look =
      *rc::gen::elementOf(std::vector<std::string>{"in", "4:refused c4", "in 4:refused c4"});
  const auto verdict = judge({"",
                              {"off ready", other + " " + state + " second"},
                              {look, "@20 " + look},
                              "",
                              "ready v4",
                              "4:felix"});
  RC_ASSERT(!verdict.starts_with("closed") && !verdict.starts_with("not-felix"));
}

TEST(Schedules, Table) {
  struct Row {
    const char* spec;
    bool expected;
  };
  NodeFacts node{.name = "n1", .labels = {{"os", "linux"}, {"cpu", "4"}}};
  node.taints = {{"dedicated", "db", "NoSchedule"},
                 {"node.kubernetes.io/not-ready", "", "NoExecute"}};
  const std::vector<Row> table{
      {R"({})", false},
      {R"({"tolerations":[{"operator":"Exists"}]})", true},
      {R"({"tolerations":[{"key":"dedicated","value":"db"}]})", true},
      {R"({"tolerations":[{"key":"dedicated","value":"web"}]})", false},
      {R"({"tolerations":[{"key":"dedicated","operator":"Gt","value":"3"}]})", true},
      {R"({"tolerations":[{"key":"other","operator":"Gt","value":"3"}]})", false},
      {R"({"tolerations":[{"effect":"NoExecute","operator":"Exists"}]})", false},
      {R"({"tolerations":[{"effect":"NoSchedule","operator":"Exists"}],"nodeSelector":{"os":"linux"}})",
       true},
      {R"({"tolerations":[{"operator":"Exists"}],"nodeSelector":{"os":"windows"}})", false},
      {R"({"tolerations":[{"operator":"Exists"}],"nodeName":"n2"})", false},
  };
  for (const auto& row : table) {
    const json::object daemon_set{{"spec", {{"template", {{"spec", json::parse(row.spec)}}}}}};
    EXPECT_EQ(schedules_on(daemon_set, node), row.expected) << row.spec;
  }
  const std::vector<Row> affinity{
      {R"([{"matchExpressions":[{"key":"os","operator":"In","values":["linux"]}]}])", true},
      {R"([{"matchExpressions":[{"key":"os","operator":"NotIn","values":["linux"]}]}])", false},
      {R"([{"matchExpressions":[{"key":"gpu","operator":"Exists"}]}])", false},
      {R"([{"matchExpressions":[{"key":"gpu","operator":"DoesNotExist"}]}])", true},
      {R"([{"matchExpressions":[{"key":"cpu","operator":"Gt","values":["3"]}]}])", true},
      {R"([{"matchFields":[{"key":"metadata.name","operator":"In","values":["n2"]}]}])", false},
      {R"([{}])", false},
      {R"([{"matchExpressions":[{"key":"gpu","operator":"Exists"}]},{"matchFields":[{"key":"metadata.name","operator":"In","values":["n1"]}]}])",
       true},
  };
  node.taints.clear();
  for (const auto& row : affinity) {
    json::object spec;
    spec["affinity"] = {{"nodeAffinity",
                         {{"requiredDuringSchedulingIgnoredDuringExecution",
                           {{"nodeSelectorTerms", json::parse(row.spec)}}}}}};
    const json::object daemon_set{{"spec", {{"template", {{"spec", spec}}}}}};
    EXPECT_EQ(schedules_on(daemon_set, node), row.expected) << row.spec;
  }
}

}  // namespace
}  // namespace catflap
