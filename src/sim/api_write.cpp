// ApiHandler: create, update, patch and delete.
#include <fmt/format.h>

#include "base/json_read.hpp"
#include "sim/api_body.hpp"
#include "sim/api_call.hpp"
#include "sim/edits.hpp"
#include "sim/field_owners.hpp"
#include "sim/json_patch.hpp"
#include "sim/object_form.hpp"
#include "sim/strategic_patch.hpp"

namespace catflap::sim {

namespace {

Reply rejected() {
  return failure_reply(422, "Invalid",
                       "the server rejected our request due to an error in our request",
                       json::object{});
}

bool is_wellformed(const json::value& patch) {
  if (!patch.is_array()) return false;
  for (const auto& one : patch.as_array()) {
    const auto* operation = one.if_object();
    if (operation == nullptr || text_at(*operation, {"op"}).empty() ||
        value_at(*operation, {"path"}) == nullptr || !operation->at("path").is_string())
      return false;
    const auto op = text_at(*operation, {"op"});
    if (op != "remove" && !operation->contains("value")) return false;
  }
  return true;
}

Body patched(const Kind& kind, const json::object& old, const ApiRequest& request) {
  const auto type = content_type(request);
  auto body = read_body(request.body);
  if (std::holds_alternative<Reply>(body)) return body;
  const auto& patch = std::get<json::value>(body);
  if (type == "application/json-patch+json") {
    if (!is_wellformed(patch)) return bad_request("error decoding patch: not a JSON patch");
    auto applied = apply_json_patch(old, patch);
    if (!applied) return rejected();
    return *std::move(applied);
  }
  if (!patch.is_object()) return bad_request("error decoding patch: not an object");
  if (type == "application/merge-patch+json") return apply_merge_patch(old, patch);
  const bool strategic = type == "application/strategic-merge-patch+json";
  if (!strategic || !kind.is_built_in()) return unsupported_type();
  auto applied = apply_strategic_patch(old, patch.as_object());
  if (!applied) return failure_reply(500, "", applied.error().what);
  return json::value(*std::move(applied));
}

/// A write of the object does not touch its status, one of the status nothing else.
json::object kept_apart(const Kind& kind, const json::object& old, json::object next,
                        bool of_status) {
  if (!kind.has_status) return next;
  if (!of_status) {
    if (const auto* status = old.if_contains("status"))
      next["status"] = *status;
    else
      next.erase("status");
    return next;
  }
  json::object result = old;
  if (const auto* status = next.if_contains("status")) result["status"] = *status;
  const auto version = text_at(next, {"metadata", "resourceVersion"});
  if (!version.empty()) object_in(result, "metadata")["resourceVersion"] = version;
  return result;
}

Writer writer_of(const ApiRequest& request, const Kind& kind, const std::string& subresource,
                 TimePoint now) {
  auto manager = request.option("fieldManager");
  if (manager.empty()) {
    const auto agent = request.header("user-agent");
    manager = agent.substr(0, agent.find('/'));
  }
  return {.manager = manager.empty() ? "unknown" : manager,
          .api_version = kind.resource.api_version(),
          .subresource = subresource,
          .now = now};
}

/// Five characters that no other generated name has.
std::string suffix(std::uint64_t number) {
  constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  std::string out;
  for (int i = 0; i < 5; ++i, number /= kLetters.size()) out += kLetters[number % kLetters.size()];
  return out;
}

/// The name that an object says, or one made of its generateName; "": neither.
std::string wanted_name(const json::object& object, std::uint64_t number) {
  auto name = text_at(object, {"metadata", "name"});
  const auto prefix = text_at(object, {"metadata", "generateName"});
  return name.empty() && !prefix.empty() ? prefix + suffix(number) : name;
}

void set_type(const Kind& kind, json::object& object) {
  object["apiVersion"] = kind.resource.api_version();
  object["kind"] = kind.name;
}

/// Why a delete's preconditions do not hold; nothing: they do.
std::optional<Reply> unmet_precondition(const Kind& kind, const json::object& object,
                                        const json::object& options) {
  struct Row {
    std::string_view field, label, guess;
  };
  for (const auto& [field, label, guess] :
       {Row{"uid", "UID", "The object might have been deleted and then recreated"},
        Row{"resourceVersion", "ResourceVersion", "The object might have been modified"}}) {
    const auto wanted = text_at(options, {"preconditions", field});
    const auto found = text_at(object, {"metadata", field});
    if (wanted.empty() || wanted == found) continue;
    return conflict_reply(
        kind, text_at(object, {"metadata", "name"}),
        fmt::format("the {0} in the precondition ({1}) does not match the {0} in record ({2}). {3}",
                    label, wanted, found, guess));
  }
  return std::nullopt;
}

/// How long a pod on a node may take to end, in seconds; 0: it is removed at once, as all else is.
std::int64_t grace_of(const Kind& kind, const json::object& object, const json::object& options,
                      const std::string& option) {
  if (kind.resource != kube::kPods || text_at(object, {"spec", "nodeName"}).empty()) return 0;
  if (!option.empty()) return static_cast<std::int64_t>(read_number(option, 0).value_or(0));
  if (options.contains("gracePeriodSeconds")) return number_at(options, {"gracePeriodSeconds"});
  return own_grace(object);
}

Reply removed(const Kind& kind, const json::object& last) {
  json::object details{{"name", text_at(last, {"metadata", "name"})}};
  if (!kind.resource.group.empty()) details["group"] = kind.resource.group;
  details["kind"] = kind.resource.plural;
  details["uid"] = text_at(last, {"metadata", "uid"});
  return json_reply(json::object{{"kind", "Status"},
                                 {"apiVersion", "v1"},
                                 {"metadata", json::object{}},
                                 {"status", "Success"},
                                 {"details", std::move(details)}});
}

}  // namespace

Reply ApiHandler::create(const Call& call) {
  if (!call.target.name.empty()) return method_not_allowed();
  auto body = read_object(call.request);
  if (auto* reply = std::get_if<Reply>(&body)) return std::move(*reply);
  auto& object = std::get<json::value>(body).as_object();
  auto ref = call.ref();
  ref.name = wanted_name(object, store_.revision());
  if (ref.name.empty())
    return invalid_reply(call.kind, "",
                         "metadata.name: Required value: name or generateName is required");
  if (call.kind.scope == Kind::Scope::namespaced) {
    const auto said = text_at(object, {"metadata", "namespace"});
    if (ref.namespace_.empty()) return method_not_allowed();
    if (!said.empty() && said != ref.namespace_)
      return bad_request(
          "the namespace of the provided object does not match the namespace sent on the request");
    if (store_.find({kube::kNamespaces, "", ref.namespace_}) == nullptr)
      return failure_reply(404, "NotFound",
                           fmt::format("namespaces \"{}\" not found", ref.namespace_),
                           json::object{{"name", ref.namespace_}, {"kind", "namespaces"}});
  }
  if (store_.find(ref) != nullptr) return already_exists(call.kind, ref.name);
  if (const auto why = malformed_member(call.kind, object)) return bad_request(*why);
  set_type(call.kind, object);
  auto& metadata = object_in(object, "metadata");
  metadata["name"] = ref.name;
  for (const auto* key : {"namespace", "managedFields", "deletionTimestamp"}) metadata.erase(key);
  if (call.kind.resource == kube::kPods) object["status"] = json::object{{"phase", "Pending"}};
  record_writer({}, object, writer_of(call.request, call.kind, "", store_.clock().now()));
  const auto made = store_.create(call.kind.resource, ref.namespace_, object, call.is_dry_run());
  if (!made) return error_reply(call.kind, ref.name, made.error());
  return json_reply(call.shape.one(*made), 201);
}

Reply ApiHandler::change(const Call& call) {
  if (content_type(call.request) == "application/apply-patch+yaml")
    return failure_reply(415, "UnsupportedMediaType",
                         "the embedded cluster does not serve server-side apply; kubectl apply "
                         "without --server-side works",
                         json::object{});
  const auto ref = call.ref();
  const auto* old = store_.find(ref);
  if (old == nullptr) return not_found_reply(call.kind, ref.name);
  auto body =
      call.verb == "patch" ? patched(call.kind, *old, call.request) : read_object(call.request);
  if (auto* reply = std::get_if<Reply>(&body)) return std::move(*reply);
  auto& value = std::get<json::value>(body);
  if (!value.is_object() || object_at(value.as_object(), {"metadata"}) == nullptr)
    return bad_request("the object has no metadata");
  auto& object = value.as_object();
  const auto name = text_at(object, {"metadata", "name"});
  if (name != ref.name)
    return bad_request(fmt::format(
        "the name of the object ({}) does not match the name on the URL ({})", name, ref.name));
  if (const auto why = malformed_member(call.kind, object)) return bad_request(*why);
  auto next = kept_apart(call.kind, *old, std::move(object), call.target.subresource == "status");
  set_type(call.kind, next);
  auto& metadata = object_in(next, "metadata");
  for (const auto* key : {"namespace", "managedFields", "deletionTimestamp"}) {
    metadata.erase(key);
    if (const auto* kept = value_at(*old, {"metadata", key})) metadata[key] = *kept;
  }
  record_writer(*old, next,
                writer_of(call.request, call.kind, call.target.subresource, store_.clock().now()));
  const auto stored = store_.update(ref, std::move(next), call.is_dry_run());
  if (!stored) return error_reply(call.kind, ref.name, stored.error());
  return json_reply(call.shape.one(*stored));
}

Reply ApiHandler::remove(const Call& call) {
  const auto ref = call.ref();
  const auto* found = store_.find(ref);
  if (found == nullptr) return not_found_reply(call.kind, ref.name);
  json::object options;
  if (!call.request.body.empty()) {
    auto body = read_object(call.request);
    if (auto* reply = std::get_if<Reply>(&body)) return std::move(*reply);
    options = std::move(std::get<json::value>(body).as_object());
  }
  if (auto unmet = unmet_precondition(call.kind, *found, options)) return *std::move(unmet);
  const bool dry_run = call.is_dry_run() || !array_at(options, {"dryRun"}).empty();
  const auto grace =
      grace_of(call.kind, *found, options, call.request.option("gracePeriodSeconds"));
  if (grace > 0 && !dry_run) {
    // The kubelet takes it away when its containers have ended.
    store_.edit(ref, [&](json::object& pod) { set_deletion(pod, store_.clock().now(), grace); });
    return json_reply(call.shape.one(*store_.find(ref)));
  }
  const auto last = store_.remove(ref, "", "", dry_run);
  if (!last) return error_reply(call.kind, ref.name, last.error());
  if (call.kind.resource == kube::kPods) return json_reply(call.shape.one(*last));
  return removed(call.kind, *last);
}

}  // namespace catflap::sim
