#include "look/pod_script.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "look/answers.hpp"

namespace catflap::look {
namespace {

using Tool = PodOutput::Tool;

constexpr std::size_t kMostLines = 16u << 10;  // of one section
constexpr std::size_t kLongestLine = 2048;     // as the script cuts them

// m TEXT: a marker line. k: of what comes, the lines that matter; head bounds how much is read at
// all, so a body without an end costs a megabyte. Each line with felix_host comes, in whatever
// spelling: with one, nobody is positively not Felix. Calico's image has not these two by their
// names (node/clean-up-filesystem.sh). c ID URL, d ID ADDRESS PORT PATH: one section.
// curl's own words are kept apart from the body: both go to one pipe otherwise, in any order. What
// a curl of 2023 says of a refusal is "Couldn't connect", so it is asked again for the reason.
constexpr const char* kFunctions = R"(
LC_ALL=C
export LC_ALL
for f in head cut; do
command -v $f >/dev/null 2>&1 || eval "$f() { coreutils --coreutils-prog=$f \"\$@\"; }"
done
m() { printf '\n#%s %s\n' $n "$1"; }
k() { head -c 1100000 | grep -a -e "^#$n " -e '^HTTP/' -e felix_host -e '^typha_breadcrumb_size_count' | head -n 24 | cut -c 1-2048; }
c() {
m "begin $1"
{
e=$(curl -gskS --http1.1 --noproxy '*' --connect-timeout 2 --max-time 5 --max-filesize 1048576 -w '\n#'$n' info %{http_code} %{time_connect}\n' "$2" 2>&1 >&3)
x=$?
if [ $x = 7 ]; then
e=$e' '$(curl -gskv --noproxy '*' --connect-timeout 2 --max-time 2 -o /dev/null "$2" 2>&1 | grep -m 1 -i refused)
fi
m "exit $x"
printf '#%s words %.300s\n' $n "$e"
} 3>&1 | k
m "end $1"
}
d() {
m "begin $1"
{
timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2" && printf "\n#%s connected\n" "$4" && printf "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n" "$3" "$1" >&3 && cat <&3' bash "$2" "$3" "$4" $n 2>&4
m "exit $?"
} 4>&1 | sed -e 's/^bash: /#'$n' words &/' | k
m "end $1"
}
if command -v curl >/dev/null 2>&1; then
t=curl
elif command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
t=bash
else
t=none
fi
m "tool $t"
a() {
case $t in
curl) c "$1" "$2";;
bash) d "$1" "$3" "$4" "$5";;
esac
}
)";

int number(std::string_view text) {
  int value = -1;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stop == end ? value : -1;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// The words of a marker line behind the nonce.
void take_marker(PodSaid& said, std::string_view words) {
  if (words.starts_with("info ") && words.size() > 9) {
    said.http_status = std::max(number(words.substr(5, 3)), 0);
    said.connected = words.substr(9).find_first_not_of("0.") != std::string_view::npos;
  } else if (words.starts_with("exit ")) {
    said.exit_code = number(words.substr(5));
  } else if (words.starts_with("words ") && said.words.empty()) {
    said.words = printable(words.substr(6), 300);
  } else if (words == "connected") {
    said.connected = true;
  }
}

void take_line(PodSaid& said, std::string_view line) {
  if (line.starts_with("HTTP/1.") && line.size() >= 12) {
    if (said.http_status == 0) said.http_status = std::max(number(line.substr(9, 3)), 0);
  } else if (line.size() < kLongestLine && said.lines.size() + line.size() < kMostLines) {
    said.lines += line;
    said.lines += '\n';
  } else {
    said.lines_missing = true;
  }
}

Outcome outcome_before_connect(const PodSaid& said, Tool tool) {
  const auto words = to_lower(said.words);
  if (has(words, "connection refused")) return Outcome::refused;
  if (has(words, "no route to host") || has(words, "network is unreachable"))
    return Outcome::unreachable;
  const bool late =
      tool == Tool::curl ? said.exit_code == 28 : said.exit_code == 124 || said.exit_code == 143;
  return late || has(words, "timed out") ? Outcome::timeout : Outcome::error;
}

/// TLS was spoken, and ended in an alert; or the port does not speak it.
void add_tls_words(Reach& reach, const std::string& words) {
  if (has(words, "wrong version number") || has(words, "packet length too long") ||
      has(words, "http request"))
    return;
  reach.tls = TlsFacts{};
  const auto alert = words.find("alert ");
  if (alert == std::string::npos) return;
  reach.tls->alert = words.substr(alert + 6);
  if (has(words, "certificate required") || has(words, "bad certificate"))
    reach.client_cert = ClientCertAsk::demanded;
}

}  // namespace

std::string pod_script(std::string_view nonce, std::span<const PodAsk> asks) {
  auto script = fmt::format("n={}{}", nonce, kFunctions);
  for (std::size_t i = 0; i < asks.size(); ++i) {
    const auto& ask = asks[i];
    script += fmt::format("a {} '{}://{}{}' {} {} {}\n", i, ask.tls ? "https" : "http",
                          ask.endpoint.to_string(), ask.path, ask.endpoint.address.to_string(),
                          ask.endpoint.port, ask.path);
  }
  return script;
}

PodOutput parse_pod_output(std::string_view output, std::string_view nonce, std::size_t count) {
  PodOutput result;
  result.said.resize(count);
  const auto mark = fmt::format("#{} ", nonce);
  PodSaid* current = nullptr;
  while (!output.empty()) {
    const auto end = output.find('\n');
    auto line = output.substr(0, end);
    output.remove_prefix(end == std::string_view::npos ? output.size() : end + 1);
    if (!line.starts_with(mark)) {
      if (current != nullptr && !line.empty()) take_line(*current, line);
      continue;
    }
    line.remove_prefix(mark.size());
    if (line.starts_with("tool ")) {
      if (line == "tool curl") result.tool = Tool::curl;
      if (line == "tool bash") result.tool = Tool::bash;
    } else if (line.starts_with("begin ")) {
      const int id = number(line.substr(6));
      const bool known = id >= 0 && static_cast<std::size_t>(id) < count;
      current = known ? &result.said[static_cast<std::size_t>(id)] : nullptr;
      if (current != nullptr) {
        *current = PodSaid{};
        current->exit_code = -1;  // until it says so
      }
    } else if (current != nullptr && line.starts_with("end ")) {
      current->complete = current->exit_code >= 0;
      current = nullptr;
    } else if (current != nullptr) {
      take_marker(*current, line);
    }
  }
  return result;
}

void add_said(Reach& reach, const PodSaid& said, Tool tool, bool tls) {
  constexpr int kTlsFailed = 35;  // curl's; it forgets then that it was connected
  const bool connected = said.connected || (tool == Tool::curl && said.exit_code == kTlsFailed);
  const bool took_one = reach.outcome == Outcome::open || reach.outcome == Outcome::reset;
  reach.detail += said.words.empty() ? fmt::format("exit code {}", said.exit_code) : said.words;
  if (!connected && said.http_status == 0) {
    if (!took_one) reach.outcome = outcome_before_connect(said, tool);
    return;
  }
  if (tls && tool == Tool::curl) add_tls_words(reach, said.words);
  if (said.http_status != 0) {
    // 18, 23, 28, 56, 63: the answer has no end, or is larger than is read.
    const bool whole = said.complete && said.exit_code == 0 && !said.lines_missing;
    add_http(reach, {.status = said.http_status, .body = said.lines, .whole = whole});
    return;
  }
  constexpr int kEmptyReply = 52;
  const bool mute = said.exit_code == kEmptyReply || has(said.words, "reset by peer") ||
                    (tool == Tool::bash && said.exit_code == 0);
  if (took_one && mute) return;
  reach.outcome = mute ? Outcome::reset : Outcome::open;
  if (!mute) reach.identity = Identity::unidentified;
}

}  // namespace catflap::look
