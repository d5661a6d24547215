#include "render/probe_line.hpp"

#include <fmt/format.h>

#include <array>

#include "base/text.hpp"
#include "render/document.hpp"

namespace catflap::render {
namespace {

constexpr std::size_t kEndpointWidth = 24;
constexpr std::size_t kOutcomeWidth = 12;
constexpr std::size_t kMostKeys = 20;  // of a line

/// Null if there was nothing to measure.
json::value microseconds(std::chrono::microseconds time) {
  return time.count() == 0 ? json::value(nullptr) : json::value(time.count());
}

json::value certificate_json(const TlsFacts& tls) {
  if (tls.sha256.empty()) return nullptr;
  json::array names;
  for (const auto& name : tls.names) names.emplace_back(name);
  return {{"subject", tls.subject},
          {"issuer", tls.issuer},
          {"names", std::move(names)},
          {"namesOmitted", tls.names_omitted},
          {"selfSigned", tls.self_signed},
          {"notBefore", text_or_null(tls.not_before)},
          {"notAfter", text_or_null(tls.not_after)},
          {"key", text_or_null(tls.key)},
          {"sha256", tls.sha256}};
}

json::value tls_json(const std::optional<TlsFacts>& tls) {
  if (!tls) return nullptr;
  return {{"version", text_or_null(tls->version)},
          {"cipher", text_or_null(tls->cipher)},
          {"alert", text_or_null(tls->alert)},
          {"certificate", certificate_json(*tls)}};
}

}  // namespace

std::string probe_json_line(const Probed& probed, const Reach& reach) {
  json::value status = nullptr;
  if (reach.http_status != 0) status = reach.http_status;
  // There are as many lines as endpoints: what is in one is given back together.
  std::array<unsigned char, 4096> room;
  json::monotonic_resource memory(room.data(), room.size());
  json::object line(&memory);
  line.reserve(kMostKeys);
  line["apiVersion"] = kApiVersion;
  line["kind"] = "Probe";
  line["target"] = probed.target;
  line["address"] = reach.endpoint.port == 0 ? json::value(nullptr)
                                             : json::value(reach.endpoint.address.to_string());
  line["port"] = reach.endpoint.port == 0 ? json::value(nullptr) : json::value(reach.endpoint.port);
  line["outcome"] = to_string(reach.outcome);
  line["detail"] = text_or_null(reach.detail);
  line["identity"] = to_string(reach.product);
  line["felixHost"] = text_or_null(reach.felix_host);
  line["mark"] = text_or_null(printable(reach.product_mark, 256));
  line["tls"] = tls_json(reach.tls);
  line["clientCert"] = to_string(reach.client_cert);
  line["throwaway"] = to_string(reach.throwaway);
  line["httpStatus"] = std::move(status);
  line["bytes"] = reach.bytes;
  line["at"] = to_rfc3339(reach.at);
  line["tookMs"] = reach.took.count();
  line["us"] = {{"connect", microseconds(reach.phases.connect)},
                {"handshake", microseconds(reach.phases.handshake)},
                {"firstByte", microseconds(reach.phases.first_byte)}};
  std::string text = json::serialize(line);
  if (probed.id) text.insert(text.size() - 1, ",\"id\":" + *probed.id);
  return text + "\n";
}

std::string probe_text_line(const Probed& probed, const Reach& reach) {
  const bool asked = reach.endpoint.port != 0;
  std::string line =
      pad_right(asked ? reach.endpoint.to_string() : printable(probed.target, 80), kEndpointWidth) +
      "  " + pad_right(to_string(reach.outcome), kOutcomeWidth);
  if (reach.outcome != Outcome::open) return line + printable(reach.detail) + "\n";
  line += to_string(reach.product);
  if (!reach.felix_host.empty()) line += " of " + reach.felix_host;
  if (reach.tls && !reach.tls->version.empty()) line += ", " + reach.tls->version;
  if (reach.client_cert != ClientCertAsk::none)
    line += fmt::format(", client certificate {}", to_string(reach.client_cert));
  if (reach.http_status != 0) line += fmt::format(", HTTP {}", reach.http_status);
  return line + "\n";
}

}  // namespace catflap::render
