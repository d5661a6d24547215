// Observations: what was seen, when and from where. They carry no verdict; core/prove decides.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"

namespace catflap {

/// What became of one connection.
enum class Outcome {
  open,         // the handshake completed
  refused,      // RST: nothing listens, and nothing hides it
  rejected,     // ICMP: a firewall or router said no; says nothing about a listener
  reset,        // closed after it had been opened, before an answer
  timeout,      // no answer within the bound
  unreachable,  // no route from here
  error,        // everything else, e.g. the local machine ran out of descriptors
};

/// Who answered. Only felix_host (registered by Felix when it serves its own metrics) proves Felix.
enum class Identity {
  none,          // nobody answered
  felix,         // felix_host seen
  typha,         // a series that only Typha makes, and no felix_host
  other,         // a complete answer that is positively something else (HTTP, another exporter)
  unidentified,  // open, but no complete answer, or one cut before felix_host could have come
};

/// Which program it shows itself to be; finer than Identity, which is all that a verdict rests on.
enum class Product {
  unknown,
  felix,
  typha,
  kube_controllers,
  pushgateway,
  node_exporter,
  prometheus,  // metrics of somebody else
  http,        // HTTP, but no metrics
  tls,         // TLS, but nothing readable behind it
};

enum class ClientCertAsk { none, requested, demanded };

/// The answer to a throw-away (self-made) client certificate.
enum class ThrowawayResult { not_tried, accepted, refused };

struct TlsFacts {
  std::string version;  // TLSv1.3
  std::string cipher;
  std::string subject;
  std::string issuer;
  std::vector<std::string> names;  // its subjectAltName: DNS:…, IP:…, URI:…, email:…; at most 16
  std::size_t names_omitted = 0;   // what else stands there
  std::string not_before;          // RFC 3339
  std::string not_after;           // RFC 3339
  std::string key;                 // "EC P-256", "RSA 2048"
  std::string sha256;              // of the leaf, hex
  bool self_signed = false;
  std::string alert;  // the alert that ended it, e.g. "certificate required"
  friend bool operator==(const TlsFacts&, const TlsFacts&) = default;
};

/// How long the parts of the telling connection took; 0: it did not come to that.
struct PhaseTimes {
  std::chrono::microseconds connect{};     // until it was open
  std::chrono::microseconds handshake{};   // TLS's
  std::chrono::microseconds first_byte{};  // from the request to the first byte of its answer
  friend bool operator==(const PhaseTimes&, const PhaseTimes&) = default;
};

/// One endpoint asked from one vantage point, all tries of that visit folded into one record.
struct Reach {
  std::string vantage;  // direct, exec, …
  std::string node;     // the node whose address was asked
  HostPort endpoint;
  Outcome outcome = Outcome::error;
  std::string detail;  // the system's own word: "Connection refused", "alert certificate required"
  std::optional<TlsFacts> tls;
  ClientCertAsk client_cert = ClientCertAsk::none;
  ThrowawayResult throwaway = ThrowawayResult::not_tried;
  Identity identity = Identity::none;
  std::string felix_host;  // the label's value, if seen
  Product product = Product::unknown;
  std::string product_mark;  // the bytes that say so, at most 256
  int http_status = 0;       // 0: no HTTP answer
  std::uint64_t bytes = 0;   // received in all
  std::string excerpt;       // raw bytes, at most 512, and the felix_host line
  TimePoint at{};
  Duration took{};
  PhaseTimes phases;
  /// Told by Go or curl at the other end of something (apiserver, portforward, pod), and not seen
  /// here. Their "connection refused" is the same for a reset, which shows that nothing listens,
  /// and for a firewall's ICMP port-unreachable, which shows nothing.
  [[nodiscard]] bool retold() const;
  /// Asked on the node's own loopback (portforward): no outsider gets there.
  [[nodiscard]] bool inside_the_node() const;
  friend bool operator==(const Reach&, const Reach&) = default;
};

/// A connection to another port of the same address that must answer for "refused" to mean
/// anything.
struct Control {
  std::string vantage;
  IpAddress address;
  Port port = 10250;
  Outcome outcome = Outcome::error;
  TimePoint at{};
  [[nodiscard]] bool passed() const { return outcome == Outcome::open; }
  friend bool operator==(const Control&, const Control&) = default;
};

/// A socket in LISTEN state, read from /proc/net/tcp{,6} of the node's network namespace.
struct Listener {
  HostPort endpoint;  // the unspecified address means every address (of both families for ::,
                      // unless v6only, which is not visible)
  std::uint64_t inode = 0;
  std::uint32_t uid = 0;
  std::optional<int> pid;  // none: the owner could not be seen from there
  std::string comm;        // process name
  std::string command;     // arguments, blank-separated, at most 256 bytes
  std::string container;   // if known
  bool felix = false;      // owned by Felix's process
  friend bool operator==(const Listener&, const Listener&) = default;
};

/// Felix as seen from inside its container.
struct FelixProcess {
  int pid = 0;
  std::optional<TimePoint>
      started;  // from its age, by the API server's clock; never earlier than the truth
  std::vector<std::pair<std::string, std::string>>
      environment;  // FELIX_*, CALICO_DISABLE_FELIX, NODENAME only
  friend bool operator==(const FelixProcess&, const FelixProcess&) = default;
};

/// What one inside look at one node returned.
struct InsideLook {
  std::string vantage;  // exec, import
  std::string node;
  std::string pod_uid;
  TimePoint at{};
  bool complete = false;            // both socket tables and Felix's process were read whole
  std::string problem;              // why not complete
  std::string problem_code;         // exec-forbidden, exec-timeout, exec-failed, table-cut,
                                    // felix-process-not-seen …
  bool table_only = false;          // the sockets and who owns them; nothing of Felix's process
  std::vector<Listener> listeners;  // LISTEN sockets only
  std::vector<FelixProcess>
      felix;  // running Felix processes; empty and complete: Felix is not running
  std::optional<std::string> config_file;  // text of /etc/calico/felix.cfg; none: does not exist
  bool config_file_readable = true;
  std::string raw;  // bounded excerpt for the evidence
  friend bool operator==(const InsideLook&, const InsideLook&) = default;
};

/// Everything seen of the cluster's nodes in one pass.
struct Look {
  TimePoint started{};
  TimePoint finished{};
  std::vector<Reach> reached;
  std::vector<Control> controls;
  std::vector<InsideLook> inside;
  struct SkippedVantage {
    std::string vantage;
    std::string code;  // forbidden, blind, …
    std::string detail;
    friend bool operator==(const SkippedVantage&, const SkippedVantage&) = default;
  };
  std::vector<SkippedVantage> skipped;  // said once, not per node
};

[[nodiscard]] const char* to_string(Outcome outcome);
[[nodiscard]] const char* to_string(Identity identity);  // none, felix, typha, other, unidentified
[[nodiscard]] const char* to_string(Product product);    // felix, kube-controllers …
[[nodiscard]] const char* to_string(ClientCertAsk ask);
[[nodiscard]] const char* to_string(ThrowawayResult result);  // not-tried, accepted, refused

}  // namespace catflap
