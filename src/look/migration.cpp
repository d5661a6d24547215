#include "look/migration.hpp"

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "look/calico.hpp"

namespace catflap::look {
namespace {

const kube::Resource kMigrations{"migration.projectcalico.org", "v1", "datastoremigrations"};

}  // namespace

Result<std::optional<DatastoreMigration>> read_migration(kube::Api& api) {
  using Found = std::optional<DatastoreMigration>;
  const auto object = api.get({.resource = kMigrations, .name = "v1-to-v3"});
  if (object.has_value()) {
    const auto phase = text_at(*object, {"status", "phase"});
    if (phase == "Complete") return Found{};
    return Found{
        DatastoreMigration{.state = {},
                           .phase = printable(phase, 40),
                           .message = printable(text_at(*object, {"status", "message"}), 300)}};
  }
  if (ends_the_run(object.error())) return object.error();
  if (object.error().kind == ErrorKind::not_found) return Found{};
  // A right is asked for before there is something to read.
  const auto group = api.get_raw("/apis/" + kMigrations.group);
  if (!group.has_value() && group.error().kind == ErrorKind::not_found) return Found{};
  return Found{DatastoreMigration{
      .state = {.readable = false, .why = to_string(object.error())}, .phase = "", .message = ""}};
}

}  // namespace catflap::look
