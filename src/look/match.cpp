#include "look/match.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "base/json_read.hpp"
#include "base/text.hpp"

namespace catflap::look {
namespace {

/// "quay.io/calico/node:v3@sha256:…" -> "quay.io/calico/node". A colon before the last slash
/// belongs to a registry's port.
std::string_view repository(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const auto slash = image.rfind('/');
  const auto colon = image.find(':', slash == std::string_view::npos ? 0 : slash);
  return image.substr(0, colon);
}

bool is_variant_of(std::string_view name, std::string_view base) {
  if (!name.starts_with(base)) return false;
  static constexpr std::string_view kVariants[] = {"",       "-windows", "-fips",    "-amd64",
                                                   "-arm64", "-armv7",   "-ppc64le", "-s390x"};
  return std::ranges::find(kVariants, name.substr(base.size())) != std::end(kVariants);
}

std::string_view last_part(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// Calico's own image below another organisation, or Node.js: its name does not tell.
bool is_called_node(std::string_view image) {
  return is_variant_of(last_part(repository(image)), "node");
}

bool has_traces_of_calico(const json::object& container) {
  const auto is_setting = [](const json::object* entry) {
    const auto name = text_at(*entry, {"name"});
    return equal_ignoring_case(name.substr(0, 6), "felix_") || name.starts_with("CALICO_");
  };
  const auto is_mount = [](const json::object* entry) {
    const auto path = text_at(*entry, {"mountPath"});
    return path == "/var/lib/calico" || path.starts_with("/var/lib/calico/");
  };
  return std::ranges::any_of(objects_at(container, {"env"}), is_setting) ||
         std::ranges::any_of(objects_at(container, {"volumeMounts"}), is_mount);
}

bool has_word_felix(const json::array& words, std::string& before) {
  for (const auto& word : words) {
    if (!word.is_string()) continue;
    const std::string_view text = word.get_string();
    if (text == "-felix" || text == "--felix" || text == "calico-felix" ||
        text.ends_with("/calico-felix") || (text == "felix" && before == "component")) {
      return true;
    }
    before = text;
  }
  return false;
}

/// `calico-node -felix`, `calico component felix` (one binary from v3.33 on), or `calico-felix`.
bool is_felix_command(const json::object& container) {
  std::string before;
  return has_word_felix(array_at(container, {"command"}), before) ||
         has_word_felix(array_at(container, {"args"}), before);
}

int certainty(const json::object& container) {
  const auto name = text_at(container, {"name"});
  if (name == "calico-node") return 4;
  if (name == "felix") return 3;
  if (is_felix_command(container)) return 2;
  const auto image = text_at(container, {"image"});
  return is_node_image(image) || (is_called_node(image) && has_traces_of_calico(container)) ? 1 : 0;
}

std::string joined_values(const json::object& requirement) {
  std::string text;
  for (const auto& value : array_at(requirement, {"values"})) {
    if (!value.is_string()) continue;
    if (!text.empty()) text += ',';
    text += std::string_view(value.get_string());
  }
  return text;
}

/// Empty: an operator that is not understood.
std::string requirement_query(const json::object& requirement) {
  const auto key = text_at(requirement, {"key"});
  const auto op = text_at(requirement, {"operator"});
  if (op == "In") return fmt::format("{} in ({})", key, joined_values(requirement));
  if (op == "NotIn") return fmt::format("{} notin ({})", key, joined_values(requirement));
  if (op == "Exists") return key;
  if (op == "DoesNotExist") return "!" + key;
  return {};
}

}  // namespace

bool is_node_image(std::string_view image) {
  const auto path = repository(image);
  const auto slash = path.rfind('/');
  const auto last = last_part(path);
  const auto rest = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  const auto organisation = rest.substr(rest.rfind('/') + 1);
  if (is_called_node(image)) {  // a bare "node" is most likely Node.js
    return organisation.find("calico") != std::string_view::npos || organisation == "tigera";
  }
  static constexpr std::string_view kNames[] = {"calico-node", "cnx-node", "hardened-calico",
                                                "calico-felix"};
  return std::ranges::any_of(kNames, [&](std::string_view name) {
    const auto at = last.find(name);
    if (at == std::string_view::npos || (at > 0 && last[at - 1] != '-')) return false;
    return is_variant_of(last.substr(at), name);
  });
}

std::string image_tag(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const auto path = repository(image);
  return path.size() < image.size() ? std::string(image.substr(path.size() + 1)) : std::string();
}

std::optional<std::string> felix_container(const json::object& pod_spec) {
  const json::object* best = nullptr;
  for (const auto& entry : array_at(pod_spec, {"containers"})) {
    if (!entry.is_object() || certainty(entry.get_object()) == 0) continue;
    if (best == nullptr || certainty(entry.get_object()) > certainty(*best)) {
      best = &entry.get_object();
    }
  }
  if (best == nullptr) return std::nullopt;
  return text_at(*best, {"name"});
}

std::string selector_query(const json::object& label_selector) {
  std::vector<std::string> parts;
  if (const auto* labels = object_at(label_selector, {"matchLabels"})) {
    for (const auto& entry : *labels) {
      parts.push_back(
          fmt::format("{}={}", std::string_view(entry.key()), text_at(*labels, {entry.key()})));
    }
  }
  for (const auto& entry : array_at(label_selector, {"matchExpressions"})) {
    if (!entry.is_object()) return {};
    parts.push_back(requirement_query(entry.get_object()));
    if (parts.back().empty()) return {};
  }
  std::string query;
  for (const auto& part : parts) query += (query.empty() ? "" : ",") + part;
  return query;
}

}  // namespace catflap::look
