#include "kube/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>

#include "base/json_read.hpp"
#include "base/text.hpp"

namespace catflap::kube {

namespace {

constexpr std::size_t kMaxMessage = 1024;

/// The text after `before` up to `after`, and the rest of `text` behind it; nullopt if either is
/// not there.
std::optional<std::string> cut(std::string_view& text, std::string_view before,
                               std::string_view after) {
  auto start = text.find(before);
  if (start == std::string_view::npos) return std::nullopt;
  auto end = text.find(after, start + before.size());
  if (end == std::string_view::npos) return std::nullopt;
  std::string out(text.substr(start + before.size(), end - start - before.size()));
  text = text.substr(end + after.size());
  return out;
}

struct Status {
  std::string message;
  std::string reason;
  int code = 0;
};

std::optional<Status> parse_status(std::string_view body) {
  json::error_code error;
  json::value value = json::parse(json::string_view(body.data(), body.size()), error);
  if (error || !value.is_object()) return std::nullopt;
  const json::object& object = value.get_object();
  return Status{
      .message = text_at(object, {"message"}),
      .reason = text_at(object, {"reason"}),
      .code = static_cast<int>(std::clamp<std::int64_t>(number_at(object, {"code"}), 0, 999))};
}

ErrorKind kind_of(int status, const std::string& reason) {
  if (reason == "Timeout" || reason == "ServerTimeout") return ErrorKind::timed_out;
  switch (status) {
    case 401:
      return ErrorKind::unauthenticated;
    case 403:
      return ErrorKind::not_permitted;
    case 404:
      return ErrorKind::not_found;
    case 405:
    case 406:
    case 415:
    case 501:
      return ErrorKind::unsupported;
    case 408:
    case 504:
      return ErrorKind::timed_out;
    case 409:
      return ErrorKind::conflict;
    case 429:
      return ErrorKind::overloaded;
    case 502:
    case 503:
      return ErrorKind::unreachable;
    default:
      return status >= 300 && status < 400 ? ErrorKind::unsupported : ErrorKind::internal;
  }
}

std::string can_i(const Right& right) {
  if (!right.path.empty()) return fmt::format("kubectl auth can-i {} {}", right.verb, right.path);
  std::string_view resource = right.resource;
  auto slash = resource.find('/');
  std::string out = fmt::format("kubectl auth can-i {} {}", right.verb, resource.substr(0, slash));
  if (!right.group.empty()) out += "." + right.group;
  if (slash != std::string_view::npos)
    out += fmt::format(" --subresource={}", resource.substr(slash + 1));
  out += right.namespace_.empty() ? " -A" : " -n " + right.namespace_;
  return out;
}

std::string hint_of(int status, const std::string& message) {
  if (status == 403) {
    if (auto right = parse_missing_right(message)) {
      return fmt::format("this user needs the right to {}; \"{}\" says whether it has it",
                         right->to_string(), can_i(*right));
    }
    return "this was refused by admission or by a proxy, not for a missing right: its own message "
           "says why";
  }
  switch (status) {
    case 401:
      return "log in again or renew the credentials of this context";
    case 404:
      return "check the name, the namespace and the context";
    case 409:
      return "somebody else created or changed it meanwhile: look again, then decide again";
    case 429:
      return "the server is overloaded: try again later";
    case 502:
    case 503:
    case 504:
      return "the API server or something behind it is not ready: try again, and look at its "
             "health";
    default:
      return status >= 300 && status < 400 ? "give the server's own URL: redirects are not followed"
                                           : "";
  }
}

Error make_error(int status, const Status& parsed, const std::string& subject) {
  // Go's TLS server says this, and only this, to plain HTTP.
  if (parsed.message.find("HTTP request to an HTTPS server") != std::string::npos) {
    return Error{.kind = ErrorKind::unreachable,
                 .what = "the server speaks HTTPS, the request was plain HTTP",
                 .subject = subject,
                 .hint = "write the server's URL with https://",
                 .system_code = status};
  }
  return Error{.kind = kind_of(status, parsed.reason),
               .what = printable(parsed.message, kMaxMessage),
               .subject = subject,
               .hint = hint_of(status, parsed.message),
               .system_code = status};
}

int month_of(std::string_view name) {
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  auto found = std::find(kMonths.begin(), kMonths.end(), name);
  return found == kMonths.end() ? 0 : static_cast<int>(found - kMonths.begin()) + 1;
}

std::optional<int> number(std::string_view text) {
  int out = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size() || out < 0) return std::nullopt;
  return out;
}

}  // namespace

std::string Right::to_string() const {
  if (!path.empty()) return fmt::format("{} {}", verb, path);
  std::string out = fmt::format("{} {}", verb, resource);
  if (!group.empty()) out += "." + group;
  out += namespace_.empty() ? " at the cluster scope" : " in namespace " + namespace_;
  return out;
}

std::optional<Right> parse_missing_right(std::string_view message) {
  auto path_message = message;
  auto verb = cut(message, " cannot ", " resource \"");
  if (!verb || verb->find(' ') != std::string::npos) {
    auto path_verb = cut(path_message, " cannot ", " path \"");
    if (!path_verb || path_verb->find(' ') != std::string::npos) return std::nullopt;
    auto quote = path_message.find('"');
    if (quote == std::string_view::npos) return std::nullopt;
    return Right{.verb = *path_verb, .path = std::string(path_message.substr(0, quote))};
  }
  Right out{.verb = *verb};
  auto quote = message.find('"');
  if (quote == std::string_view::npos) return std::nullopt;
  out.resource = std::string(message.substr(0, quote));
  message = message.substr(quote + 1);
  out.group = cut(message, " in API group \"", "\"").value_or("");
  out.namespace_ = cut(message, " in the namespace \"", "\"").value_or("");
  return out;
}

Error error_of(const HttpAnswer& answer) {
  Status status;
  if (auto parsed = parse_status(answer.body); parsed && !parsed->message.empty()) {
    status = *std::move(parsed);
  } else if (!answer.body.empty()) {
    auto end = answer.body.find_last_not_of(" \r\n\t");
    status.message =
        fmt::format("HTTP {}: {}", answer.status, printable(answer.body.substr(0, end + 1), 256));
  } else {
    status.message = fmt::format("the server answered HTTP {}", answer.status);
  }
  return make_error(answer.status, status, answer.subject);
}

Error error_of_status(std::string_view status_json, const std::string& subject) {
  auto parsed = parse_status(status_json);
  if (!parsed) {
    return Error{.kind = ErrorKind::malformed_input,
                 .what = "the server sent a status that does not parse",
                 .subject = subject};
  }
  if (parsed->message.empty())
    parsed->message = fmt::format("the server sent status {}", parsed->code);
  return make_error(parsed->code, *parsed, subject);
}

std::optional<TimePoint> parse_http_date(std::string_view value) {
  // "Sun, 06 Nov 1994 08:49:37 GMT": the one form that RFC 9110 lets a server send.
  if (value.size() != 29 || value.substr(25) != " GMT") return std::nullopt;
  auto day = number(value.substr(5, 2));
  int month = month_of(value.substr(8, 3));
  auto year = number(value.substr(12, 4));
  auto hour = number(value.substr(17, 2));
  auto minute = number(value.substr(20, 2));
  auto second = number(value.substr(23, 2));
  if (!day || month == 0 || !year || !hour || !minute || !second) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year{*year},
                                   std::chrono::month{static_cast<unsigned>(month)},
                                   std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return TimePoint{std::chrono::sys_days{date} + std::chrono::hours{*hour} +
                   std::chrono::minutes{*minute} + std::chrono::seconds{*second}};
}

std::optional<Duration> parse_retry_after(std::string_view value, TimePoint now) {
  constexpr Duration kMost = std::chrono::hours{1};
  if (auto seconds = number(value))
    return std::min<Duration>(std::chrono::seconds{*seconds}, kMost);
  if (auto date = parse_http_date(value))
    return std::clamp<Duration>(*date - now, Duration{0}, kMost);
  return std::nullopt;
}

}  // namespace catflap::kube
