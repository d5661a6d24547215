#include "sim/api_body.hpp"

#include "sim/protobuf.hpp"

namespace catflap::sim {

namespace {

constexpr std::size_t kMaxDepth = 100;

}  // namespace

std::string content_type(const ApiRequest& request) {
  const auto type = request.header("content-type");
  return type.substr(0, type.find(';'));
}

Reply unsupported_type() {
  return failure_reply(415, "UnsupportedMediaType",
                       "the body of the request was in an unknown format - accepted media types "
                       "include: application/json",
                       json::object{});
}

Body read_body(const std::string& text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::error_code error;
  auto value = json::parse(text, error, {}, options);
  if (error) return bad_request("the body is not JSON: " + error.message());
  return value;
}

Body read_object(const ApiRequest& request) {
  const auto type = content_type(request);
  if (type == kProtobuf) {
    auto object = object_of_protobuf(request.body);
    if (!object) return unsupported_type();
    return json::value(*std::move(object));
  }
  if (!type.empty() && type != "application/json") return unsupported_type();
  auto body = read_body(request.body);
  if (const auto* value = std::get_if<json::value>(&body); value && !value->is_object())
    return bad_request("the body is not an object");
  return body;
}

}  // namespace catflap::sim
