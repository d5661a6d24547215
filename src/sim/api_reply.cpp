#include "sim/api_reply.hpp"

#include <fmt/format.h>

namespace catflap::sim {

namespace {

json::object details_of(const Kind& kind, const std::string& name, const std::string& type) {
  json::object details;
  if (!name.empty()) details["name"] = name;
  if (!kind.resource.group.empty()) details["group"] = kind.resource.group;
  details["kind"] = type;
  return details;
}

std::string type_of(const Kind& kind) {
  return Store::key_of(kind.resource);
}

}  // namespace

Reply json_reply(const json::value& value, int status) {
  return {.status = status, .body = json::serialize(value) + "\n"};
}

Reply text_reply(std::string text, int status) {
  return {.status = status, .body = std::move(text), .content_type = "text/plain; charset=utf-8"};
}

json::object failure(int code, std::string_view reason, std::string_view message,
                     json::value details) {
  json::object status{{"kind", "Status"},    {"apiVersion", "v1"}, {"metadata", json::object{}},
                      {"status", "Failure"}, {"message", message}, {"reason", reason}};
  if (!details.is_null()) status["details"] = std::move(details);
  status["code"] = code;
  return status;
}

Reply failure_reply(int code, std::string_view reason, std::string_view message,
                    json::value details) {
  return json_reply(failure(code, reason, message, std::move(details)), code);
}

Reply bad_request(std::string_view message) {
  return failure_reply(400, "BadRequest", message);
}

Reply unknown_resource() {
  return failure_reply(404, "NotFound", "the server could not find the requested resource",
                       json::object{});
}

Reply method_not_allowed() {
  return failure_reply(405, "MethodNotAllowed",
                       "the server does not allow this method on the requested resource",
                       json::object{});
}

Reply expired(std::string_view message) {
  return failure_reply(410, "Expired", message);
}

Reply not_found_reply(const Kind& kind, const std::string& name) {
  return failure_reply(404, "NotFound", fmt::format("{} \"{}\" not found", type_of(kind), name),
                       details_of(kind, name, kind.resource.plural));
}

Reply already_exists(const Kind& kind, const std::string& name) {
  return failure_reply(409, "AlreadyExists",
                       fmt::format("{} \"{}\" already exists", type_of(kind), name),
                       details_of(kind, name, kind.resource.plural));
}

Reply conflict_reply(const Kind& kind, const std::string& name, std::string_view why) {
  return failure_reply(
      409, "Conflict",
      fmt::format("Operation cannot be fulfilled on {} \"{}\": {}", type_of(kind), name, why),
      details_of(kind, name, kind.resource.plural));
}

Reply invalid_reply(const Kind& kind, const std::string& name, std::string_view why) {
  const auto& group = kind.resource.group;
  const auto type = group.empty() ? kind.name : kind.name + "." + group;
  const auto colon = why.find(": ");
  auto details = details_of(kind, name, kind.name);
  if (colon != std::string_view::npos)
    details["causes"] = json::array{{{"reason", "FieldValueInvalid"},
                                     {"message", why.substr(colon + 2)},
                                     {"field", why.substr(0, colon)}}};
  return failure_reply(422, "Invalid", fmt::format("{} \"{}\" is invalid: {}", type, name, why),
                       std::move(details));
}

Reply error_reply(const Kind& kind, const std::string& name, const Error& error) {
  switch (error.system_code) {
    case 404:
      return not_found_reply(kind, name);
    case 409:
      return conflict_reply(kind, name, error.what + " and try again");
    case 410:
      return expired(error.what);
    case 422:
      return invalid_reply(kind, name, error.what);
    default:
      return failure_reply(500, "InternalError", "Internal error occurred: " + error.what);
  }
}

}  // namespace catflap::sim
