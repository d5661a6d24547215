// ApiHandler::Call, for the files that make up ApiHandler.
#pragma once

#include "sim/api_handler.hpp"

namespace catflap::sim {

struct ApiHandler::Call {
  const User& user;
  const ApiRequest& request;
  ApiTarget target;
  std::string verb;
  Kind kind;
  Shape shape;

  [[nodiscard]] ObjectRef ref() const {
    return {kind.resource, kind.scope == Kind::Scope::cluster ? "" : target.namespace_,
            target.name};
  }
  [[nodiscard]] ListQuery query() const {
    return {.resource = kind.resource,
            .namespace_ = kind.scope == Kind::Scope::cluster ? "" : target.namespace_,
            .label_selector = request.option("labelSelector"),
            .field_selector = request.option("fieldSelector")};
  }
  [[nodiscard]] bool is_dry_run() const { return request.option("dryRun") == "All"; }
};

/// A resourceVersion or a number of an option; `otherwise` if it is not there, nothing if it is no
/// number.
[[nodiscard]] std::optional<std::uint64_t> read_number(const std::string& text,
                                                       std::uint64_t otherwise);

}  // namespace catflap::sim
