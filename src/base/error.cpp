#include "base/error.hpp"

#include <utility>

namespace catflap {

Error Error::with_context(std::string line) && {
  context.push_back(std::move(line));
  return std::move(*this);
}

const char* to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return "usage";
    case ErrorKind::not_permitted:
      return "not_permitted";
    case ErrorKind::unauthenticated:
      return "unauthenticated";
    case ErrorKind::not_found:
      return "not_found";
    case ErrorKind::unreachable:
      return "unreachable";
    case ErrorKind::timed_out:
      return "timed_out";
    case ErrorKind::overloaded:
      return "overloaded";
    case ErrorKind::conflict:
      return "conflict";
    case ErrorKind::refused:
      return "refused";
    case ErrorKind::unsupported:
      return "unsupported";
    case ErrorKind::malformed_input:
      return "malformed_input";
    case ErrorKind::interrupted:
      return "interrupted";
    case ErrorKind::internal:
      return "internal";
  }
  return "internal";
}

std::string to_string(const Error& error) {
  std::string line;
  for (auto it = error.context.rbegin(); it != error.context.rend(); ++it) line += *it + ": ";
  if (!error.subject.empty()) line += error.subject + ": ";
  return line + error.what;
}

}  // namespace catflap
