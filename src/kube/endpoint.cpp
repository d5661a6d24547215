#include "kube/endpoint.hpp"

#include <fmt/format.h>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>

#include "base/text.hpp"

namespace catflap::kube {

namespace {

/// A proxy's URL may hold a password, and one that does not parse cannot say where it ends: all up
/// to the last @.
std::string without_password(std::string_view url) {
  auto scheme = url.find("://");
  std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  auto at = url.rfind('@');
  if (at == std::string_view::npos || at < begin) return std::string(url);
  return fmt::format("{}***{}", url.substr(0, begin), url.substr(at));
}

Error bad_url(const std::string& subject, std::string_view url, std::string_view why) {
  return Error{.kind = ErrorKind::usage,
               .what = fmt::format("\"{}\" is not a usable URL: {}",
                                   printable(without_password(url), 200), why),
               .subject = subject,
               .hint = "write it as https://HOST:PORT, an IPv6 address in brackets"};
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Splits "name:8080" and "[::1]:8080"; a bare IPv6 address has no port.
std::pair<std::string_view, std::optional<Port>> split_port(std::string_view entry) {
  auto colon = entry.rfind(':');
  bool bracketed = !entry.empty() && entry.front() == '[';
  bool has_port = colon != std::string_view::npos &&
                  (bracketed ? colon > 0 && entry[colon - 1] == ']' : entry.find(':') == colon);
  std::optional<Port> port;
  if (has_port) {
    auto digits = entry.substr(colon + 1);
    Port value = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error == std::errc{} && end == digits.data() + digits.size()) port = value;
    entry = entry.substr(0, colon);
  }
  if (entry.size() >= 2 && entry.front() == '[' && entry.back() == ']') {
    entry = entry.substr(1, entry.size() - 2);
  }
  return {entry, port};
}

bool name_matches(std::string_view pattern, std::string_view host) {
  if (pattern.starts_with("*.")) pattern.remove_prefix(1);
  bool only_below = pattern.starts_with(".");
  std::string_view name = only_below ? pattern.substr(1) : pattern;
  if (name.empty()) return false;
  if (equal_ignoring_case(host, name)) return !only_below;
  return host.size() > name.size() + 1 && host[host.size() - name.size() - 1] == '.' &&
         equal_ignoring_case(host.substr(host.size() - name.size()), name);
}

bool entry_matches(std::string_view entry, const std::string& host,
                   const std::optional<IpAddress>& address, Port port) {
  if (entry == "*") return true;
  if (auto cidr = Cidr::parse(entry)) return address && cidr->contains(*address);
  auto [name, wanted_port] = split_port(entry);
  if (wanted_port && *wanted_port != port) return false;
  if (auto wanted = IpAddress::parse(name)) return address && *address == *wanted;
  return name_matches(name, host);
}

}  // namespace

std::string Endpoint::authority() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

std::string Endpoint::to_string() const {
  return fmt::format("{}://{}{}", scheme == Scheme::https ? "https" : "http", authority(),
                     base_path);
}

Result<Endpoint> parse_endpoint(std::string_view url, const std::string& subject) {
  auto parsed = boost::urls::parse_uri(boost::core::string_view(url.data(), url.size()));
  if (!parsed) {
    bool no_scheme = url.find("://") == std::string_view::npos;
    return bad_url(subject, url, no_scheme ? "it has no scheme" : "it does not parse");
  }
  const auto& view = *parsed;
  Endpoint out;
  std::string scheme = to_lower(std::string_view(view.scheme().data(), view.scheme().size()));
  if (scheme.starts_with("socks")) {
    return Error{.kind = ErrorKind::unsupported,
                 .what = "SOCKS proxies are not supported",
                 .subject = subject,
                 .hint = "use an HTTP proxy, or a local forwarder in front of the SOCKS proxy"};
  }
  if (scheme != "http" && scheme != "https")
    return bad_url(subject, url, "only http and https work");
  out.scheme = scheme == "https" ? Scheme::https : Scheme::http;
  out.host = view.host_address();
  if (out.host.empty()) return bad_url(subject, url, "it has no host");
  out.port = out.scheme == Scheme::https ? 443 : 80;
  if (view.has_port() && !view.port().empty()) {
    if (view.port_number() == 0)
      return bad_url(subject, url, "the port is not between 1 and 65535");
    out.port = view.port_number();
  }
  out.base_path.assign(view.encoded_path().data(), view.encoded_path().size());
  // Boost 1.81 takes "host:port" for host, an empty port and the path "port".
  if (!out.base_path.empty() && !out.base_path.starts_with('/'))
    return bad_url(subject, url, "the port is not a number");
  while (out.base_path.ends_with('/')) out.base_path.pop_back();
  if (view.has_userinfo()) {
    out.user = view.user();
    out.password = Secret(view.password());
  }
  return out;
}

bool passes_by_proxy(std::string_view no_proxy, const std::string& host, Port port) {
  auto address = IpAddress::parse(host);
  if (equal_ignoring_case(host, "localhost") || (address && address->is_loopback())) return true;
  while (!no_proxy.empty()) {
    auto comma = no_proxy.find(',');
    auto entry = trim(no_proxy.substr(0, comma));
    if (!entry.empty() && entry_matches(entry, host, address, port)) return true;
    no_proxy = comma == std::string_view::npos ? "" : no_proxy.substr(comma + 1);
  }
  return false;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (char c : text) {
    bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace catflap::kube
