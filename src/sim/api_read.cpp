// ApiHandler: get, list, watch and the beginning of an exec.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/json_read.hpp"
#include "kube/base64.hpp"
#include "sim/api_call.hpp"

namespace catflap::sim {

namespace {

constexpr std::uint64_t kWatchSeconds = 1800;  // if the client does not say
constexpr std::uint64_t kMaxWatchSeconds = 86400;

/// A page's end, as the continue token says it: after which object, at which revision.
struct Place {
  std::uint64_t revision = 0;
  std::pair<std::string, std::string> after;
};

using Name = std::pair<std::string, std::string>;

Name name_of(const json::object& object) {
  return {text_at(object, {"metadata", "namespace"}), text_at(object, {"metadata", "name"})};
}

std::string token_of(const Place& place) {
  return kube::encode_base64(json::serialize(json::object{{"v", "meta.k8s.io/v1"},
                                                          {"rv", place.revision},
                                                          {"namespace", place.after.first},
                                                          {"name", place.after.second}}));
}

std::optional<Place> read_token(const std::string& token) {
  const auto text = kube::decode_base64(token);
  if (!text) return std::nullopt;
  json::error_code error;
  const auto value = json::parse(*text, error);
  if (error || !value.is_object()) return std::nullopt;
  const auto& object = value.as_object();
  const auto revision = number_at(object, {"rv"});
  if (revision <= 0) return std::nullopt;
  return Place{.revision = static_cast<std::uint64_t>(revision),
               .after = {text_at(object, {"namespace"}), text_at(object, {"name"})}};
}

Reply too_large(std::uint64_t wanted, std::uint64_t current) {
  return failure_reply(
      504, "Timeout",
      fmt::format("Timeout: Too large resource version: {}, current: {}", wanted, current),
      json::object{{"causes", json::array{json::object{{"reason", "ResourceVersionTooLarge"},
                                                       {"message", "Too large resource version"}}}},
                   {"retryAfterSeconds", 1}});
}

constexpr const char* kContinueExpired =
    "The provided continue parameter is too old to display a consistent list result. You can start "
    "a new list without the continue parameter.";

/// The container that is meant, of a pod that has a node.
Result<std::string> chosen_container(const json::object& pod, const std::string& wanted) {
  const auto refuse = [](std::string what) {
    return Error{.kind = ErrorKind::usage, .what = std::move(what)};
  };
  const auto name = text_at(pod, {"metadata", "name"});
  auto containers = objects_at(pod, {"spec", "containers"});
  if (wanted.empty() && containers.size() != 1)
    return refuse(fmt::format("a container name must be specified for pod {}", name));
  const auto chosen = wanted.empty() ? text_at(*containers[0], {"name"}) : wanted;
  for (const auto* one : objects_at(pod, {"spec", "initContainers"})) containers.push_back(one);
  const bool known = std::ranges::any_of(
      containers, [&](const auto* one) { return text_at(*one, {"name"}) == chosen; });
  if (!known) return refuse(fmt::format("container {} is not valid for pod {}", wanted, name));
  if (text_at(pod, {"spec", "nodeName"}).empty())
    return refuse(fmt::format("pod {} does not have a host assigned", name));
  return chosen;
}

}  // namespace

std::optional<std::uint64_t> read_number(const std::string& text, std::uint64_t otherwise) {
  if (text.empty()) return otherwise;
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [at, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc{} || at != end) return std::nullopt;
  return number;
}

Reply ApiHandler::get(const Call& call) const {
  const auto* object = store_.find(call.ref());
  if (object == nullptr) return not_found_reply(call.kind, call.target.name);
  return json_reply(call.shape.one(*object));
}

Reply ApiHandler::list(const Call& call) const {
  const auto limit = read_number(call.request.option("limit"), 0);
  const auto wanted = read_number(call.request.option("resourceVersion"), 0);
  if (!limit || !wanted) return bad_request("limit and resourceVersion must be numbers");
  if (*wanted > store_.revision()) return too_large(*wanted, store_.revision());
  Place place{.revision = store_.revision()};
  const auto token = call.request.option("continue");
  if (!token.empty()) {
    const auto read = read_token(token);
    if (!read) return bad_request("invalid continue token: continue key is not valid");
    place = *read;
  } else if (call.request.option("resourceVersionMatch") == "Exact") {
    place.revision = *wanted;
  }
  auto found = store_.select_at(call.query(), place.revision);
  if (!found) return token.empty() ? expired(found.error().what) : expired(kContinueExpired);
  auto& objects = *found;
  if (!token.empty())
    std::erase_if(objects, [&](const auto& object) { return name_of(object) <= place.after; });
  json::object metadata{{"resourceVersion", std::to_string(place.revision)}};
  if (*limit > 0 && objects.size() > *limit) {
    const auto left = objects.size() - *limit;
    objects.resize(*limit);
    place.after = name_of(objects.back());
    metadata["continue"] = token_of(place);
    if (call.query().label_selector.empty() && call.query().field_selector.empty())
      metadata["remainingItemCount"] = left;
  }
  return json_reply(call.shape.list(objects, std::move(metadata)));
}

ApiHandler::Answer ApiHandler::watch(const Call& call) const {
  const auto& request = call.request;
  const auto after = read_number(request.option("resourceVersion"), 0);
  const auto seconds = read_number(request.option("timeoutSeconds"), 0);
  if (!after || !seconds) return bad_request("resourceVersion and timeoutSeconds must be numbers");
  const bool initial = request.is_set("sendInitialEvents");
  return WatchFeed(store_, call.shape,
                   {.query = call.query(),
                    .after = *after,
                    .tell_what_is = *after == 0 || initial,
                    .mark_initial = initial,
                    .bookmarks = request.is_set("allowWatchBookmarks"),
                    .timeout = std::chrono::seconds{
                        *seconds == 0 ? kWatchSeconds : std::min(*seconds, kMaxWatchSeconds)}});
}

ApiHandler::Answer ApiHandler::exec(const Call& call) const {
  const auto* pod = store_.find(call.ref());
  if (pod == nullptr) return not_found_reply(call.kind, call.target.name);
  const auto& name = call.target.name;
  const auto container = chosen_container(*pod, call.request.option("container"));
  if (!container) return bad_request(container.error().what);
  ExecRequest exec{.namespace_ = call.target.namespace_, .pod = name, .container = *container};
  for (const auto& [key, value] : call.request.query)
    if (key == "command") exec.command.push_back(value);
  if (exec.command.empty()) return bad_request("you must specify at least 1 command");
  return exec;
}

ApiHandler::Answer ApiHandler::log(const Call& call) const {
  if (call.verb != "get") return method_not_allowed();
  const auto* pod = store_.find(call.ref());
  if (pod == nullptr) return not_found_reply(call.kind, call.target.name);
  const auto container = chosen_container(*pod, call.request.option("container"));
  if (!container) return bad_request(container.error().what);
  LogRequest log{.namespace_ = call.target.namespace_,
                 .pod = call.target.name,
                 .container = *container,
                 .timestamps = call.request.is_set("timestamps"),
                 .previous = call.request.is_set("previous")};
  const auto number = [&](const char* option) -> std::optional<std::uint64_t> {
    const auto text = call.request.option(option);
    return text.empty() ? std::nullopt : read_number(text, 0);
  };
  log.tail = number("tailLines");
  log.bytes = number("limitBytes");
  constexpr std::uint64_t kMost = 1'000'000'000;
  if (const auto seconds = number("sinceSeconds"))
    log.since = store_.clock().now() -
                std::chrono::seconds{static_cast<std::int64_t>(std::min(*seconds, kMost))};
  return log;
}

/// kubernetes, pkg/registry/core/pod/strategy.go: ResourceLocation.
ApiHandler::Answer ApiHandler::proxy(const Call& call) const {
  const auto name = parse_proxy_name(call.target.name);
  if (!name) return bad_request(fmt::format("invalid pod request \"{}\"", call.target.name));
  const auto* pod = store_.find({call.kind.resource, call.target.namespace_, name->pod});
  if (pod == nullptr) return not_found_reply(call.kind, name->pod);
  const auto address = IpAddress::parse(text_at(*pod, {"status", "podIP"}));
  if (!address || address->is_loopback()) return bad_request("address not allowed");
  return ProxyRequest{.endpoint = {*address, name->port},
                      .tls = name->tls,
                      .path = call.target.rest.empty() ? "/" : call.target.rest};
}

ApiHandler::Answer ApiHandler::forward(const Call& call) const {
  const auto* pod = store_.find(call.ref());
  if (pod == nullptr) return not_found_reply(call.kind, call.target.name);
  if (call.request.header("sec-websocket-protocol").starts_with("SPDY/") ||
      call.request.header("upgrade").starts_with("SPDY/"))
    return bad_request(
        "the embedded cluster does not serve SPDY, kubectl's way to forward a port; catflap's own "
        "(--from portforward) works");
  const auto port = read_number(call.request.option("ports"), 0);
  if (!port || *port == 0 || *port > 65535)
    return bad_request("query parameter \"port\" is required");
  return ForwardRequest{.namespace_ = call.target.namespace_,
                        .pod = call.target.name,
                        .port = static_cast<Port>(*port)};
}

}  // namespace catflap::sim
