// The evidence bundle: what was seen, raw, so that somebody else can judge it again without the
// cluster.
#include "base/text.hpp"
#include "render/documents.hpp"
#include "render/model_json.hpp"

namespace catflap::render {
namespace {

constexpr std::size_t kMaxInsideRaw = 8192;  // one look inside: two tables and a few names

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0u);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += at + i > bytes.size() ? '=' : kDigits[group >> (18 - 6 * i) & 63];
    }
  }
  return text;
}

/// Collects observations and their raw bytes under short ids.
class Bundle {
 public:
  explicit Bundle(const Sha256& sha256) : sha256_(sha256) {}

  json::value keep_raw(std::string_view bytes) {
    if (bytes.empty()) return nullptr;
    const std::string id = fmt::format("raw-{}", raw_.size() + 1);
    const bool text = safe_text(bytes) == bytes;
    raw_[id] = {{"sha256", sha256_(bytes)},
                {"encoding", text ? "utf-8" : "base64"},
                {"bytes", text ? std::string(bytes) : base64(bytes)}};
    return json::value(id);
  }

  /// `what` is reach, control or inside; look 0 is before the change.
  void add(std::size_t look, const char* what, const std::string& node, TimePoint at,
           const std::string& vantage, const std::string& subject, json::value result,
           std::string_view raw) {
    observations_.push_back({{"id", fmt::format("obs-{}", observations_.size() + 1)},
                             {"look", look},
                             {"what", what},
                             {"node", node},
                             {"vantage", vantage},
                             {"subject", subject},
                             {"at", to_rfc3339(at)},
                             {"result", std::move(result)},
                             {"raw", keep_raw(raw)}});
  }

  [[nodiscard]] json::array take_observations() { return std::move(observations_); }
  [[nodiscard]] json::object take_raw() { return std::move(raw_); }

 private:
  const Sha256& sha256_;
  json::array observations_;
  json::object raw_;
};

json::value inside_json(const InsideLook& inside) {
  json::array processes;
  for (const FelixProcess& process : inside.felix) {
    json::object environment;
    for (const auto& [name, value] : process.environment)
      environment[safe_text(name)] = safe_text(value);
    processes.push_back(
        {{"pid", process.pid},
         {"startedAt", process.started ? json::value(to_rfc3339(*process.started)) : nullptr},
         {"environment", std::move(environment)}});
  }
  return {{"podUid", inside.pod_uid},
          {"complete", inside.complete},
          {"problem",
           inside.problem.empty() ? json::value(nullptr) : json::value(safe_text(inside.problem))},
          {"listening", to_json_array(inside.listeners)},
          {"felix", std::move(processes)}};
}

void add_look(std::size_t number, const Look& look, const std::map<IpAddress, std::string>& nodes,
              Bundle& bundle) {
  for (const Reach& reach : look.reached) {
    bundle.add(number, "reach", reach.node, reach.at, reach.vantage, reach.endpoint.to_string(),
               to_json(reach), reach.excerpt);
  }
  for (const Control& control : look.controls) {
    auto node = nodes.find(control.address);
    bundle.add(number, "control", node == nodes.end() ? "" : node->second, control.at,
               control.vantage, HostPort{control.address, control.port}.to_string(),
               {{"outcome", to_string(control.outcome)}}, "");
  }
  for (const InsideLook& inside : look.inside) {
    bundle.add(number, "inside", inside.node, inside.at, inside.vantage,
               "sockets and Felix's process", inside_json(inside),
               std::string_view(inside.raw).substr(0, kMaxInsideRaw));
  }
}

}  // namespace

json::object evidence_bundle(const EvidenceInput& input, const RunInfo& run, const Sha256& sha256,
                             const std::string& binary_sha256) {
  json::object document = evidence_document(input, run);
  std::map<IpAddress, std::string> nodes;
  for (const NodeFacts& node : input.seen.facts.nodes) {
    for (const NodeAddress& address : node.addresses) nodes.emplace(address.address, node.name);
  }
  Bundle bundle(sha256);
  for (const Reach& reach : input.before) {
    bundle.add(0, "reach", reach.node, reach.at, reach.vantage, reach.endpoint.to_string(),
               to_json(reach), reach.excerpt);
  }
  for (std::size_t i = 0; i < input.seen.looks.size(); ++i)
    add_look(i + 1, input.seen.looks[i], nodes, bundle);
  document["observations"] = bundle.take_observations();
  document["raw"] = bundle.take_raw();
  document["binary"] = {{"sha256", binary_sha256}};
  return document;
}

}  // namespace catflap::render
