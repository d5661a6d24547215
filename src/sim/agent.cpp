#include "sim/agent.hpp"

#include <fmt/format.h>

#include "look/agent_answer.hpp"
#include "sim/debug_pod.hpp"
#include "sim/edits.hpp"

namespace catflap::sim {
namespace {

using look::AgentKind;

std::vector<std::string> words_at(const json::object& container, std::string_view key) {
  std::vector<std::string> words;
  for (const auto& word : array_at(container, {key}))
    if (word.is_string()) words.emplace_back(word.as_string());
  return words;
}

struct Ids {
  std::string machine, boot;
};

/// That of "other-node": nobody's.
Ids ids_of(const AgentScene& scene, const std::string& spoilt) {
  if (spoilt == "other-node") return {std::string(32, 'f'), "00000000-0000-4000-8000-ffffffffffff"};
  return {text_at(scene.node, {"status", "nodeInfo", "machineID"}),
          text_at(scene.node, {"status", "nodeInfo", "bootID"})};
}

/// The script of a look inside, to the letter.
std::optional<std::string> nonce_of_look(const std::vector<std::string>& command) {
  if (command.size() != 3 || !command[2].starts_with("n=")) return std::nullopt;
  const auto nonce = command[2].substr(2, command[2].find('\n') - 2);
  return look::agent_look(AgentKind::shell, nonce) == command ? std::optional{nonce} : std::nullopt;
}

std::string shell_look(const std::string& nonce, const AgentScene& scene, const Ids& ids) {
  auto text = inside_output(nonce, scene.inside);
  const auto add = [&](const char* name, const std::string& lines) {
    text += fmt::format("\n#{0} begin {1}\n{2}\n#{0} end 0\n", nonce, name, lines);
  };
  add("machine", ids.machine);
  add("boot", ids.boot);
  add("network", "net:[4026531840]\nnet:[4026531840]\n");
  return text;
}

json::object socket_json(const Socket& socket) {
  const bool felix =
      socket.owner == SocketOwner::felix || socket.owner == SocketOwner::felix_health;
  const auto address = socket.address.value_or(IpAddress::v6({}));
  const json::object owner{{"pid", felix ? 101 : 1},
                           {"fd", 7},
                           {"comm", felix ? "calico-node" : "server"},
                           {"felix", felix},
                           {"container", nullptr},
                           {"podUid", nullptr}};
  return {{"family", address.is_v6() ? "ipv6" : "ipv4"},
          {"address", address.to_string()},
          {"port", socket.port},
          {"interface", nullptr},
          {"inode", socket.id},
          {"uid", 0},
          {"ownerState", "named"},
          {"owners", json::array{owner}}};
}

std::string catflap_look(const AgentScene& scene, const Ids& ids, TimePoint now) {
  json::array listeners;
  for (const auto& socket : scene.inside.sockets) listeners.push_back(socket_json(socket));
  return json::serialize(json::object{{"apiVersion", "catflap/v1alpha1"},
                                      {"kind", "Listeners"},
                                      {"host",
                                       {{"machineId", ids.machine},
                                        {"bootId", ids.boot},
                                        {"hostname", nullptr},
                                        {"network", "node"}}},
                                      {"at", to_rfc3339(now)},
                                      {"method", "sock-diag"},
                                      {"complete", true},
                                      {"problem", nullptr},
                                      {"ports", json::array{}},
                                      {"listeners", std::move(listeners)}});
}

std::string catflap_asks(const std::vector<std::string>& words, const AgentScene& scene) {
  std::vector<look::PodAsk> asks;
  for (std::size_t i = 2; i < words.size(); ++i) {
    const bool control = words[i].starts_with("control=");
    const auto endpoint = HostPort::parse(words[i].substr(8));
    if (!endpoint) return "";
    asks.push_back(
        {.endpoint = *endpoint, .tls = control, .path = control ? "/healthz" : "/metrics"});
  }
  return asked_output(words[1], asks, scene.sockets, scene.nodes);
}

}  // namespace

std::string agent_log(const json::object& pod, const AgentScene& scene) {
  const auto containers = objects_at(pod, {"spec", "containers"});
  if (containers.empty()) return "";
  const auto spoilt = text_at(scene.node, {"metadata", "annotations", "sim.catflap.dev/agent"});
  if (spoilt == "garbage") return "Segmentation fault\n";
  const auto ids = ids_of(scene, spoilt);
  const auto command = words_at(*containers.front(), "command");
  const auto arguments = words_at(*containers.front(), "args");
  std::string text;
  if (const auto nonce = nonce_of_look(command)) {
    text = shell_look(*nonce, scene, ids);
  } else if (auto asked = debug_pod_output(command, "curl", scene.sockets, scene.nodes)) {
    text = *std::move(asked);
  } else if (arguments.size() > 2 && arguments[0] == "agent") {
    text = catflap_asks(arguments, scene);
  } else if (arguments == std::vector<std::string>{"agent"}) {
    text = catflap_look(scene, ids, TimePoint{scene.inside.booted + scene.inside.uptime});
  }
  return spoilt == "cut" ? text.substr(0, text.size() / 2) : text;
}

}  // namespace catflap::sim
