// Error: a recoverable failure, written for the person who must act on it.
// Outcomes that a run expects (refused, forbidden, unknown) are data in core/model, never an Error.
#pragma once

#include <string>
#include <vector>

namespace catflap {

/// What the caller may do about a failure. Retry decisions read only this.
enum class ErrorKind {
  usage,            // the command line or an input file is wrong: exit 2
  not_permitted,    // authenticated, but the right is missing (HTTP 403)
  unauthenticated,  // no, wrong or expired credentials (HTTP 401)
  not_found,        // the object or the resource type does not exist (HTTP 404)
  unreachable,      // no connection to the other end
  timed_out,        // a bound of ours was reached
  overloaded,       // the other end asked us to slow down (HTTP 429)
  conflict,         // somebody changed the object first (HTTP 409)
  refused,          // catflap itself declines: exit 5
  unsupported,      // the other end cannot do this
  malformed_input,  // bytes from outside that do not parse, or are larger than allowed
  interrupted,      // a signal stopped the run: exit 130
  internal,         // everything else
};

struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string what;                  // what happened, one sentence without a final stop
  std::string subject;               // which object, file or endpoint; may be empty
  std::string hint;                  // the next action; may be empty
  int system_code = 0;               // errno or HTTP status, 0 if there is none
  std::vector<std::string> context;  // added on the way up, innermost first

  /// This error with one more line of context ("reading the DaemonSets").
  [[nodiscard]] Error with_context(std::string line) &&;

  friend bool operator==(const Error&, const Error&) = default;
};

/// "not_permitted" and so on: the stable name, also in JSON.
[[nodiscard]] const char* to_string(ErrorKind kind);

/// One line: context, subject, what; without the hint.
[[nodiscard]] std::string to_string(const Error& error);

}  // namespace catflap
