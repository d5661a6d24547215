#include "look/platform.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <vector>

#include "base/json_read.hpp"
#include "look/calico.hpp"

namespace catflap::look {
namespace {

constexpr std::size_t kMostGroups = 60;         // asked for their resources
constexpr std::size_t kMostPatches = 20;        // kept
constexpr std::size_t kMostBytes = 256u << 10;  // of one ResourcePatch that is searched
constexpr const char* kNamespace = "cpaas-system";
constexpr const char* kRelease = "cni-calico";

bool is_theirs(const std::string& group) {
  return group.find("alauda") != std::string::npos || group.find("cpaas") != std::string::npos;
}

bool is_kubernetes_own(const std::string& group) {
  return group.find('.') == std::string::npos || group.ends_with(".k8s.io") ||
         group.ends_with("projectcalico.org");
}

/// The platform's own groups first.
std::vector<std::string> in_order(const std::set<std::string>& groups) {
  std::vector<std::string> order;
  std::ranges::copy_if(groups, std::back_inserter(order),
                       [](const auto& group) { return !is_kubernetes_own(group); });
  std::ranges::stable_partition(order, is_theirs);
  if (order.size() > kMostGroups) order.resize(kMostGroups);
  return order;
}

class PlatformReader {
 public:
  PlatformReader(kube::Api& api, const ClusterFacts& facts) : api_(api), facts_(facts) {}

  Result<Platform> run(const std::set<std::string>& groups) && {
    TRY_ASSIGN(const bool here, is_here(groups));
    if (!here) return std::move(platform_);
    TRY(find_resources(groups));
    TRY(read_release());
    TRY(read_patches());
    return std::move(platform_);
  }

 private:
  Result<bool> is_here(const std::set<std::string>& groups) {
    if (std::ranges::any_of(groups, is_theirs)) return true;
    const auto found = api_.get({.resource = kube::kNamespaces, .name = kNamespace});
    if (!found.has_value() && ends_the_run(found.error())) return found.error();
    return found.has_value();
  }

  Result<void> find_resources(const std::set<std::string>& groups) {
    for (const auto& group : in_order(groups)) {
      if (releases_ && patches_) break;
      TRY_ASSIGN(const auto served, get("/apis/" + group));
      const auto version = text_at(served, {"preferredVersion", "version"});
      if (version.empty()) continue;
      TRY_ASSIGN(const auto resources, get("/apis/" + group + "/" + version));
      const auto& names = array_at(resources, {"resources"});
      if (!releases_ && named(names, "appreleases") != nullptr)
        releases_ = kube::Resource{group, version, "appreleases"};
      if (!patches_ && named(names, "resourcepatches") != nullptr)
        patches_ = kube::Resource{group, version, "resourcepatches"};
    }
    if (patches_) platform_.patch_resource = patches_->plural + "." + patches_->group;
    return {};
  }

  /// An empty object if it cannot be read.
  Result<json::object> get(const std::string& path) {
    auto answer = api_.get_raw(path);
    if (!answer.has_value() && ends_the_run(answer.error())) return answer.error();
    if (!answer.has_value() || !answer->is_object()) return json::object{};
    return std::move(answer->get_object());
  }

  Result<void> read_release() {
    if (!releases_) return {};
    const auto found =
        api_.get({.resource = *releases_, .namespace_ = kNamespace, .name = kRelease});
    if (found.has_value()) {
      platform_.release = fmt::format("AppRelease {}/{}", kNamespace, kRelease);
      return {};
    }
    return note("AppRelease", found.error());
  }

  Result<void> read_patches() {
    if (!patches_) return {};
    const auto listed = api_.list(
        {.resource = *patches_}, [&] { platform_.patches.clear(); },
        [&](json::object&& object) { take_patch(object); });
    return listed.has_value() ? Result<void>{} : note("ResourcePatch", listed.error());
  }

  void take_patch(const json::object& object) {
    const auto text = json::serialize(object);
    if (text.size() > kMostBytes) return;
    for (const auto& daemon_set : facts_.daemon_sets) {
      if (platform_.patches.size() == kMostPatches) return;
      if (!names_object(text, daemon_set.name)) continue;
      platform_.patches.push_back(
          {.name = text_at(object, {"metadata", "name"}),
           .object = fmt::format("DaemonSet {}/{}", daemon_set.namespace_, daemon_set.name)});
    }
  }

  /// What is not there is not worth a word.
  Result<void> note(const char* kind, const Error& error) {
    if (ends_the_run(error)) return error;
    if (error.kind != ErrorKind::not_found) platform_.not_known.push_back({kind, to_string(error)});
    return {};
  }

  kube::Api& api_;
  const ClusterFacts& facts_;
  std::optional<kube::Resource> releases_;
  std::optional<kube::Resource> patches_;
  Platform platform_;
};

}  // namespace

bool names_object(std::string_view text, std::string_view name) {
  if (name.empty()) return false;
  const auto continues = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-';
  };
  for (auto at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
    const auto end = at + name.size();
    if ((at == 0 || !continues(text[at - 1])) && (end == text.size() || !continues(text[end])))
      return true;
  }
  return false;
}

Result<Platform> read_platform(kube::Api& api, const std::set<std::string>& groups,
                               const ClusterFacts& facts) {
  return PlatformReader{api, facts}.run(groups);
}

}  // namespace catflap::look
