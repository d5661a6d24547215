// A node's clock stamps its files and its containers' starts, so a file's time is put into our
// clock's frame as those starts are: less the API server's skew.
#include "look/import.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/text.hpp"
#include "look/observation_file.hpp"

namespace catflap::look {
namespace {

namespace fs = std::filesystem;

constexpr const char* kName = "import";
constexpr std::size_t kMaxFiles = 20'000;
constexpr std::size_t kMaxFile = 8u << 20;
constexpr Duration kMaxAge = std::chrono::minutes(15);
constexpr Duration kMaxAhead = std::chrono::minutes(1);
// A Felix that takes up a changed configuration listens 2 s more, restarts, and listens last.
constexpr Duration kAfterChange = std::chrono::minutes(1);

Error unusable(const fs::path& path, std::string what) {
  return {.kind = ErrorKind::usage, .what = std::move(what), .subject = path.string()};
}

Result<std::string> read_bounded(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxFile + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) return unusable(path, "cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxFile) return unusable(path, "is larger than 8 MiB");
  return text;
}

/// The node that this machine, in this boot, is; else the finding that says why not.
struct Binding {
  const NodeFacts* node = nullptr;
  Message finding;
};

Binding bind(const ImportedFile& file, const ClusterFacts& facts) {
  const std::map<std::string, std::string> params{{"file", file.name}};
  std::vector<const NodeFacts*> same_machine;
  std::vector<const NodeFacts*> same_boot;
  for (const auto& node : facts.nodes) {
    if (file.host.machine_id.empty() || node.machine_id != file.host.machine_id) continue;
    same_machine.push_back(&node);
    if (!file.host.boot_id.empty() && node.boot_id == file.host.boot_id) same_boot.push_back(&node);
  }
  if (same_boot.size() == 1) return {same_boot.front(), {}};
  if (same_machine.empty()) return {nullptr, {"CF0090", params}};
  Message finding{same_boot.empty() ? "CF0091" : "CF0092", params};
  finding.params["node"] = same_machine.front()->name;
  return {nullptr, std::move(finding)};
}

class Import {
 public:
  Import(std::vector<Look>& looks, const ImportInput& input) : looks_(looks), input_(input) {}
  std::vector<Message> run() &&;

 private:
  using Files = std::vector<const ImportedFile*>;
  /// By our clock.
  [[nodiscard]] TimePoint time_of(const ImportedFile& file) const {
    return file.host.at - input_.facts.clock_skew;
  }
  [[nodiscard]] std::optional<Message> refuse(const ImportedFile& file,
                                              const NodeFacts& node) const;
  void place(const NodeFacts& node, const Files& files);
  void add(Look& look, const NodeFacts& node, const InsideLook& inside) const;

  std::vector<Look>& looks_;
  const ImportInput& input_;
};

/// Why a file of this node says nothing about now.
std::optional<Message> Import::refuse(const ImportedFile& file, const NodeFacts& node) const {
  const std::map<std::string, std::string> params{{"file", file.name}, {"node", node.name}};
  const auto at = time_of(file);
  const auto& changed = input_.facts.felix_configurations_changed;
  const bool before_start = std::ranges::any_of(input_.facts.pods, [&](const PodFacts& pod) {
    return pod.node == node.name && pod.felix_started && file.host.at < *pod.felix_started;
  });
  if (at > input_.now + kMaxAhead) return Message{"CF0093", params};
  if (at + input_.max_age.value_or(kMaxAge) < input_.now) return Message{"CF0094", params};
  if (before_start || (changed && file.host.at < *changed + kAfterChange))
    return Message{"CF0095", params};
  return std::nullopt;
}

void Import::add(Look& look, const NodeFacts& node, const InsideLook& inside) const {
  for (const auto& pod : input_.facts.pods) {
    if (pod.node != node.name) continue;
    look.inside.push_back(inside);
    look.inside.back().node = node.name;
    look.inside.back().pod_uid = pod.uid;
  }
}

/// `files`: all of one node, oldest first.
void Import::place(const NodeFacts& node, const Files& files) {
  const auto span = files.back()->host.at - files.front()->host.at;
  const bool two = looks_.size() > 1 && files.size() > 1 && span >= input_.settle;
  for (const auto* file : files) {
    const bool last = two && file == files.back();
    auto inside = inside_of(file->name, file->host);
    inside.vantage = kName;
    inside.at = time_of(*file);
    add(last ? looks_.back() : looks_.front(), node, inside);
  }
  if (two || looks_.size() == 1) return;
  add(looks_.back(), node,
      {.vantage = kName,
       .at = looks_.back().started,
       .problem = fmt::format("{} is one look; the second has to be {} later", files.back()->name,
                              to_string(input_.settle)),
       .problem_code = "import-one-look",
       .table_only = true,
       .config_file_readable = false});
}

std::vector<Message> Import::run() && {
  for (auto& look : looks_) {
    std::erase_if(look.inside, [](const InsideLook& inside) { return inside.vantage == kName; });
  }
  std::vector<Message> findings;
  std::map<const NodeFacts*, Files> by_node;
  for (const auto& file : input_.files) {
    auto binding = bind(file, input_.facts);
    if (binding.node == nullptr) {
      findings.push_back(std::move(binding.finding));
    } else if (auto finding = refuse(file, *binding.node)) {
      findings.push_back(std::move(*finding));
    } else {
      by_node[binding.node].push_back(&file);
    }
  }
  for (auto& [node, files] : by_node) {
    std::ranges::stable_sort(files, {}, [](const ImportedFile* file) { return file->host.at; });
    place(*node, files);
  }
  return findings;
}

}  // namespace

InsideLook inside_of(const std::string& name, const HostListeners& host) {
  InsideLook inside{.table_only = true, .config_file_readable = false};
  bool owners_known = true;
  for (const auto& socket : host.sockets) {
    owners_known = owners_known && (socket.owner_state == OwnerState::named ||
                                    socket.owner_state == OwnerState::not_found);
    Listener listener{.endpoint = socket.endpoint, .inode = socket.inode, .uid = socket.uid};
    for (const auto& owner : socket.owners) {
      const bool first = !listener.pid;
      if (!first && !owner.felix) continue;
      listener.pid = owner.pid;
      listener.comm = owner.comm;
      listener.container = owner.container;
      listener.felix = listener.felix || owner.felix;
    }
    inside.listeners.push_back(std::move(listener));
  }
  const auto doubt = [&](const char* why) {
    if (inside.problem.empty()) inside.problem = fmt::format("{}: {}", name, why);
  };
  if (!host.complete)
    doubt(host.problem.empty() ? "the table is not complete" : host.problem.c_str());
  if (!host.ports.empty()) doubt("only some ports were listed");
  if (host.network != HostListeners::Network::node)
    doubt("it does not show that it is of the node's own network, made as root");
  if (!owners_known) doubt("it was not made as root: owners are missing");
  if (host.sockets.empty()) doubt("not one listening socket, which no node is without");
  inside.complete = inside.problem.empty();
  if (!inside.complete) inside.problem_code = "import-incomplete";
  inside.raw = fmt::format("{}\nmachine {} boot {} at {}", name, host.machine_id, host.boot_id,
                           to_rfc3339(host.at));
  return inside;
}

Result<std::vector<ImportedFile>> read_observations(const std::string& folder) {
  std::error_code failed;
  std::vector<fs::path> paths;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
    if (it->path().filename().string().starts_with('.')) continue;
    paths.push_back(it->path());
    if (paths.size() > kMaxFiles) return unusable(folder, "has more than 20,000 files");
  }
  if (failed) return unusable(folder, fmt::format("cannot be read: {}", failed.message()));
  if (paths.empty()) return unusable(folder, "has no files");
  std::ranges::sort(paths);
  std::vector<ImportedFile> files;
  for (const auto& path : paths) {
    TRY_ASSIGN(const std::string text, read_bounded(path));
    auto host = parse_observation(text);
    if (!host) {
      auto error = std::move(host).error();
      error.subject = path.string();
      return error;
    }
    files.push_back({printable(path.filename().string(), 128), std::move(*host)});
  }
  return files;
}

std::vector<Message> import_into(std::vector<Look>& looks, const ImportInput& input) {
  return Import(looks, input).run();
}

}  // namespace catflap::look
