// What the API server answers, and its Status objects in the words of the real one.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "base/error.hpp"
#include "sim/kinds.hpp"

namespace catflap::sim {

struct Reply {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
};

[[nodiscard]] Reply json_reply(const json::value& value, int status = 200);
[[nodiscard]] Reply text_reply(std::string text, int status = 200);

/// A Status of `status: Failure`; without a reason if it is empty, without details if they are
/// null.
[[nodiscard]] json::object failure(int code, std::string_view reason, std::string_view message,
                                   json::value details = nullptr);
[[nodiscard]] Reply failure_reply(int code, std::string_view reason, std::string_view message,
                                  json::value details = nullptr);

[[nodiscard]] Reply bad_request(std::string_view message);
[[nodiscard]] Reply unknown_resource();
[[nodiscard]] Reply method_not_allowed();
/// Something in the history that is needed is forgotten.
[[nodiscard]] Reply expired(std::string_view message);
[[nodiscard]] Reply not_found_reply(const Kind& kind, const std::string& name);
[[nodiscard]] Reply already_exists(const Kind& kind, const std::string& name);
/// `why` ends the sentence "Operation cannot be fulfilled on …: ".
[[nodiscard]] Reply conflict_reply(const Kind& kind, const std::string& name, std::string_view why);
/// `why` is "FIELD: what is wrong with it".
[[nodiscard]] Reply invalid_reply(const Kind& kind, const std::string& name, std::string_view why);

/// Of an error of the Store, by its system_code.
[[nodiscard]] Reply error_reply(const Kind& kind, const std::string& name, const Error& error);

}  // namespace catflap::sim
