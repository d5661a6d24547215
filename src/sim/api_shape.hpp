// How objects are shown to a client: whole, as rows of a Table (what kubectl get asks for), or
// their metadata only. Chosen by the Accept header.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "sim/kinds.hpp"

namespace catflap::sim {

class Shape {
 public:
  enum class Form { whole, table, metadata };

  /// What the client takes first of the forms that this server has.
  [[nodiscard]] static Form form_of(std::string_view accept);

  /// `include` is the option includeObject of a table: None, Metadata (or empty) or Object.
  Shape(Kind kind, Form form, std::string include, const Clock& clock)
      : kind_(std::move(kind)), form_(form), include_(std::move(include)), clock_(&clock) {}

  [[nodiscard]] json::object one(const json::object& object) const;
  /// `metadata`: resourceVersion, continue, remainingItemCount.
  [[nodiscard]] json::object list(const std::vector<json::object>& objects,
                                  json::object metadata) const;

  [[nodiscard]] const Kind& kind() const { return kind_; }

 private:
  [[nodiscard]] json::object row(const json::object& object) const;
  [[nodiscard]] json::object table(json::array rows, json::object metadata) const;

  Kind kind_;
  Form form_;
  std::string include_;
  const Clock* clock_;
};

}  // namespace catflap::sim
