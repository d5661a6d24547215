// What render/listeners writes, read back. The file may have been made by anybody: a field that is
// missing or of another type makes it unusable.
#include <fmt/format.h>

#include "base/json_read.hpp"
#include "base/text.hpp"
#include "look/observation_file.hpp"

namespace catflap::look {
namespace {

constexpr std::size_t kMaxSockets = 65'536;

/// Collects the first thing that is wrong; what is read after it does not matter.
class Reader {
 public:
  [[nodiscard]] std::string text(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr || !value->is_string()) return fail(key), "";
    return printable(std::string_view(value->get_string()), 256);
  }
  [[nodiscard]] std::string text_or_null(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_null() ? "" : text(object, key);
  }
  [[nodiscard]] bool flag(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr || !value->is_bool()) return fail(key), false;
    return value->get_bool();
  }
  /// 0 to `most`.
  [[nodiscard]] std::uint64_t number(const json::object& object, std::string_view key,
                                     std::uint64_t most) {
    const auto* value = object.if_contains(key);
    boost::system::error_code wrong;
    const auto number = value == nullptr ? 0 : value->to_number<std::uint64_t>(wrong);
    if (value == nullptr || wrong || number > most) return fail(key), 0;
    return number;
  }
  [[nodiscard]] const json::object& object(const json::object& from, std::string_view key) {
    static const json::object kEmpty;
    const auto* value = from.if_contains(key);
    if (value == nullptr || !value->is_object()) return fail(key), kEmpty;
    return value->get_object();
  }
  [[nodiscard]] const json::array& list(const json::object& from, std::string_view key) {
    static const json::array kEmpty;
    const auto* value = from.if_contains(key);
    if (value == nullptr || !value->is_array()) return fail(key), kEmpty;
    return value->get_array();
  }
  template <class Value>
  [[nodiscard]] Value choice(const json::object& from, std::string_view key,
                             std::initializer_list<Value> values) {
    const auto word = text(from, key);
    for (const Value value : values) {
      if (word == to_string(value)) return value;
    }
    fail(key);
    return *values.begin();
  }
  void fail(std::string_view key) {
    if (wrong_.empty()) wrong_ = key;
  }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  std::string wrong_;  // the first field that is missing or not as it should be
};

SocketOwner read_owner(Reader& reader, const json::object& from) {
  return {.pid = static_cast<int>(reader.number(from, "pid", 1u << 30)),
          .fd = static_cast<int>(reader.number(from, "fd", 1u << 30)),
          .comm = reader.text(from, "comm"),
          .felix = reader.flag(from, "felix"),
          .container = reader.text_or_null(from, "container"),
          .pod_uid = reader.text_or_null(from, "podUid")};
}

HostSocket read_socket(Reader& reader, const json::object& from) {
  HostSocket socket{.v6_socket = reader.text(from, "family") == "ipv6",
                    .inode = reader.number(from, "inode", UINT32_MAX),
                    .uid = static_cast<std::uint32_t>(reader.number(from, "uid", UINT32_MAX))};
  const auto address = IpAddress::parse(reader.text(from, "address"));
  if (!address) reader.fail("address");
  socket.endpoint = {address.value_or(IpAddress()),
                     static_cast<Port>(reader.number(from, "port", 65535))};
  const auto* v6only = from.if_contains("v6only");
  if (v6only != nullptr && !v6only->is_null()) socket.v6only = reader.flag(from, "v6only");
  socket.interface = reader.text_or_null(from, "interface");
  using enum OwnerState;
  socket.owner_state =
      reader.choice(from, "ownerState", {not_looked, named, not_permitted, not_found});
  for (const auto& owner : reader.list(from, "owners")) {
    if (!owner.is_object()) return reader.fail("owners"), socket;
    socket.owners.push_back(read_owner(reader, owner.get_object()));
  }
  if (socket.owners.empty() == (socket.owner_state == named)) reader.fail("ownerState");
  return socket;
}

HostListeners read_host(Reader& reader, const json::object& document) {
  using Method = HostListeners::Method;
  using Network = HostListeners::Network;
  const auto& host = reader.object(document, "host");
  HostListeners read{
      .machine_id = reader.text_or_null(host, "machineId"),
      .boot_id = reader.text_or_null(host, "bootId"),
      .hostname = reader.text_or_null(host, "hostname"),
      .method = reader.choice(document, "method", {Method::sock_diag, Method::proc_net}),
      .network =
          reader.choice(host, "network", {Network::not_known, Network::node, Network::other}),
      .complete = reader.flag(document, "complete"),
      .problem = reader.text_or_null(document, "problem")};
  const auto at = parse_rfc3339(reader.text(document, "at"));
  if (!at) reader.fail("at");
  read.at = at.value_or(TimePoint{});
  for (const auto& port : reader.list(document, "ports")) {
    boost::system::error_code wrong;
    read.ports.push_back(static_cast<Port>(port.to_number<std::uint16_t>(wrong)));
    if (wrong) reader.fail("ports");
  }
  const auto& sockets = reader.list(document, "listeners");
  if (sockets.size() > kMaxSockets) reader.fail("listeners");
  for (const auto& socket : sockets) {
    if (!reader.wrong().empty()) break;
    if (!socket.is_object()) return reader.fail("listeners"), read;
    read.sockets.push_back(read_socket(reader, socket.get_object()));
  }
  return read;
}

}  // namespace

Result<HostListeners> parse_listeners_json(std::string_view text) {
  boost::system::error_code broken;
  const json::value parsed = json::parse(text, broken);
  if (broken || !parsed.is_object()) {
    return Error{.kind = ErrorKind::usage,
                 .what = "is not whole JSON",
                 .hint = "make it again with catflap listeners -o json"};
  }
  const auto& document = parsed.get_object();
  if (text_at(document, {"apiVersion"}) != "catflap/v1alpha1" ||
      text_at(document, {"kind"}) != "Listeners") {
    return Error{.kind = ErrorKind::usage,
                 .what = "is not what catflap listeners -o json prints",
                 .hint = "only such files and those of ss may be in the folder"};
  }
  Reader reader;
  auto host = read_host(reader, document);
  if (!reader.wrong().empty()) {
    return Error{.kind = ErrorKind::usage,
                 .what = fmt::format("{}: missing or not as catflap writes it", reader.wrong()),
                 .hint = "make it again with catflap listeners -o json"};
  }
  return host;
}

Result<HostListeners> parse_observation(std::string_view text) {
  const auto start = text.find_first_not_of(" \t\r\n");
  const bool is_json = start != std::string_view::npos && text[start] == '{';
  return is_json ? parse_listeners_json(text) : parse_ss(text);
}

}  // namespace catflap::look
