// import: files that somebody collected on the nodes, as looks inside. Nothing is asked of the
// nodes. docs/listeners.md says what such a file can prove.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "core/model/cluster.hpp"
#include "core/model/host_listeners.hpp"
#include "core/model/observation.hpp"
#include "core/model/verdict.hpp"

namespace catflap::look {

struct ImportedFile {
  std::string name;  // in the folder
  HostListeners host;
};

/// Reads every file of the folder but hidden ones, in the order of their names. Fails with usage
/// and the file's name for a folder or file that cannot be read or parsed, for more than 20,000
/// files, and for a file of more than 8 MiB: a folder of which a part is unusable is not used.
[[nodiscard]] Result<std::vector<ImportedFile>> read_observations(const std::string& folder);

/// What a host tells of itself, as a look inside; whatever keeps it from proving anything is its
/// problem (import-incomplete), with `name` for whom it is from. vantage, node, pod_uid and at are
/// the caller's.
[[nodiscard]] InsideLook inside_of(const std::string& name, const HostListeners& host);

struct ImportInput {
  const std::vector<ImportedFile>& files;
  const ClusterFacts& facts;        // as read last
  TimePoint now{};                  // by our clock
  std::optional<Duration> max_age;  // none: 15 minutes
  Duration settle{std::chrono::seconds{10}};
};

/// Puts each file that is of one node, of its present boot and recent into `looks` (at least one):
/// one look inside each Felix pod of that node, in the place of what an earlier call put there. The
/// newest file of a node goes into the last look, the others into the first; a node whose files do
/// not span `settle` has one look. Returns a finding for each file that is not used.
[[nodiscard]] std::vector<Message> import_into(std::vector<Look>& looks, const ImportInput& input);

}  // namespace catflap::look
