#include "core/plan/by_hand.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace catflap {
namespace {

constexpr std::string_view kAnnotation = "metadata.annotations[";

/// "felixconfigurations.crd.projectcalico.org": a bare name may mean either of Calico's two API
/// groups.
std::string qualified(const Target& target) {
  return "felixconfigurations." + target.api_version.substr(0, target.api_version.find('/'));
}

}  // namespace

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%+=:,./_-";
  if (!text.empty() && text.find_first_not_of(kPlain) == text.npos) return std::string{text};
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string{R"('\'')"} : std::string(1, c);
  return quoted + "'";
}

std::string by_hand_env(const Target& target, const EnvEdit& edit) {
  std::string command = fmt::format("kubectl -n {} set env {} -c {}", shell_word(target.namespace_),
                                    shell_word("ds/" + target.name), shell_word(target.container));
  for (const auto& name : edit.set) command += " " + shell_word(name + "=false");
  for (const auto& name : edit.removed) command += " " + shell_word(name + "-");
  return command;
}

std::string annotation_key(std::string_view field) {
  if (!field.starts_with(kAnnotation) || !field.ends_with(']')) return "";
  return std::string{field.substr(kAnnotation.size(), field.size() - kAnnotation.size() - 1)};
}

std::string by_hand_felixconfiguration(const Target& target, const json::value& after) {
  const std::string key = annotation_key(target.field);
  if (key.empty()) {
    return fmt::format("kubectl patch {} {} --type merge -p {}", qualified(target),
                       shell_word(target.name),
                       shell_word(R"({"spec":{"prometheusMetricsEnabled":false}})"));
  }
  const std::string change =
      after.is_string() ? key + "=" + std::string{after.get_string()} : key + "-";
  return fmt::format("kubectl annotate {} {} --overwrite {}", qualified(target),
                     shell_word(target.name), shell_word(change));
}

std::string by_hand_installation(const Target& target) {
  return fmt::format("kubectl patch installations.operator.tigera.io {} --type merge -p {}",
                     shell_word(target.name), shell_word(R"({"spec":{"nodeMetricsPort":null}})"));
}

}  // namespace catflap
