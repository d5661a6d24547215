#include "act/apply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "act/pause.hpp"
#include "base/json_read.hpp"
#include "base/text.hpp"

namespace catflap::act {

namespace {

constexpr int kMaxAttempts = 5;
constexpr Duration kFirstRetry{std::chrono::milliseconds{500}};
constexpr Duration kLastRetry{std::chrono::seconds{8}};
// How long an API server may stay away right after a write before the run gives up: it is back
// after 2 to 9 s in practice.
constexpr Duration kPatience{std::chrono::seconds{45}};

/// Failures after which nobody knows whether the server did the write.
bool answer_lost(const Error& error) {
  return error.kind == ErrorKind::unreachable || error.kind == ErrorKind::timed_out ||
         error.kind == ErrorKind::malformed_input ||
         (error.kind == ErrorKind::internal && error.system_code >= 500);
}

bool worth_another_try(const Error& error) {
  return error.kind == ErrorKind::conflict || error.kind == ErrorKind::overloaded ||
         answer_lost(error);
}

json::array patch_for(const FieldChange& change, const FieldNow& now) {
  // `replace` and not `test` for the version: a failing test is answered with 422 and looks like a
  // bad patch.
  json::array patch{json::object{
      {"op", "replace"}, {"path", "/metadata/resourceVersion"}, {"value", now.resource_version}}};
  if (now.next.is_null()) {
    const bool with_parent = change.drop_empty_parent && now.only_field;
    patch.push_back(
        json::object{{"op", "remove"}, {"path", with_parent ? now.parent_pointer : now.pointer}});
    return patch;
  }
  if (!now.has_parent)
    patch.push_back(
        json::object{{"op", "add"}, {"path", now.parent_pointer}, {"value", json::object{}}});
  patch.push_back(json::object{{"op", "add"}, {"path", now.pointer}, {"value", now.next}});
  return patch;
}

Result<FieldNow> read_patiently(const Context& context, const FieldChange& change,
                                const ApplyOptions& options) {
  const auto give_up = context.clock.steady() + kPatience;
  Duration wait = kFirstRetry;
  while (true) {
    auto now = read_field(context.api, change);
    if (now) return now;
    if (!worth_another_try(now.error()) || context.clock.steady() + wait > give_up) return now;
    TRY(pause_for(context, options.keep_alive, wait));
    wait = std::min(wait * 2, kLastRetry);
  }
}

Error gave_up(const FieldChange& change, const Error& last) {
  Error error = last;
  error.hint =
      "Whether the last attempt was written is not known; run the same command again to go on.";
  return std::move(error).with_context(fmt::format("writing {} of {} {}, {} attempts",
                                                   change.target.field, change.target.kind,
                                                   change.target.name, kMaxAttempts));
}

}  // namespace

kube::ObjectRef object_ref(const Target& target) {
  const auto slash = target.api_version.find('/');
  kube::Resource resource;
  if (slash == std::string::npos) {
    resource.version = target.api_version;
  } else {
    resource.group = target.api_version.substr(0, slash);
    resource.version = target.api_version.substr(slash + 1);
  }
  // All kinds that catflap writes form their plural in the plain way.
  resource.plural = to_lower(target.kind) + "s";
  return {resource, target.namespace_, target.name};
}

Result<FieldNow> read_field(kube::Api& api, const FieldChange& change) {
  const auto object = api.get(object_ref(change.target));
  if (object) return judge_field(*object, change);
  if (object.error().kind == ErrorKind::not_found)
    return not_the_planned(change.target, "does not exist any more");
  return object.error();
}

Result<Applied> apply_field(const Context& context, const FieldChange& change,
                            const ApplyOptions& options) {
  Duration wait = kFirstRetry;
  std::optional<Error> last;
  bool lost = false;
  for (int attempt = 1; attempt <= kMaxAttempts; ++attempt) {
    TRY_ASSIGN(const auto now, read_patiently(context, change, options));
    if (now.match == FieldMatch::as_wanted)
      // After a lost answer it is ours, but its Audit-Id is lost with the answer.
      return Applied{.written = lost, .generation = now.generation};
    if (now.match == FieldMatch::neither) return changed_since(change, now.value);
    if (options.may_write) TRY(options.may_write());
    if (context.stop.stop_requested()) return interrupted_error();
    auto answer =
        context.api.patch(object_ref(change.target), kube::PatchType::json_patch,
                          patch_for(change, now), kube::WriteOptions{.dry_run = options.dry_run});
    if (answer)
      return Applied{
          .written = true, .audit_id = answer->audit_id, .generation = changes_of(answer->object)};
    if (!worth_another_try(answer.error())) return std::move(answer).error();
    last = answer.error();
    lost = lost || answer_lost(*last);
    if (last->kind == ErrorKind::conflict) continue;
    TRY(pause_for(context, options.keep_alive, wait));
    wait = std::min(wait * 2, kLastRetry);
  }
  // The last answer may have been lost after the write.
  TRY_ASSIGN(const auto now, read_patiently(context, change, options));
  if (now.match == FieldMatch::as_wanted)
    return Applied{.written = lost, .generation = now.generation};
  return gave_up(change, *last);
}

}  // namespace catflap::act
