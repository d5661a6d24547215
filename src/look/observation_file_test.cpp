// The two forms of a file from a node, and what must not pass for one.
#include "look/observation_file.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace catflap::look {
namespace {

const std::string kHeader =
    "3d1219c7c4c5404aaa1f6d2a48adfda4\n400cf104-537c-4537-8762-36f1bbcae267\n";
const std::string kAsRoot = "pid:[4026531836]\nnet:[4026531840]\nnet:[4026531840]\n";
const std::string kTime = "2026-11-21T19:00:00Z\n";

std::string dump(const Result<HostListeners>& host) {
  if (!host) return std::string(to_string(host.error().kind)) + ": " + host.error().what;
  std::string text = fmt::format("{}{}", to_string(host->network),
                                 host->complete ? "" : ", not complete: " + host->problem);
  for (const auto& socket : host->sockets) {
    text += fmt::format("; {}{}{} {}", socket.endpoint.to_string(),
                        socket.v6only ? (*socket.v6only ? " v6only" : " both") : "",
                        socket.interface.empty() ? "" : " on " + socket.interface,
                        to_string(socket.owner_state));
    for (const auto& owner : socket.owners)
      text += fmt::format(" {}/{}{}", owner.comm, owner.pid, owner.felix ? "/felix" : "");
  }
  return text;
}

TEST(SsText, ReadsWhatSsPrints) {
  const std::string rows =
      "LISTEN 0      128          0.0.0.0:22         0.0.0.0:*    "
      "users:((\"sshd\",pid=12,fd=3),(\"sshd\",pid=13,fd=3))\n"
      "LISTEN 0      4096   127.0.0.53%lo:53         0.0.0.0:*    users:((\"a b)\",pid=5,fd=14))\n"
      "LISTEN 0      4096               *:9091             *:*    "
      "users:((\"calico-node\",pid=99,fd=8)) \n"
      "LISTEN 0      64              [::]:2049          [::]:*          \n"
      "LISTEN 0      128  [fe80::1]%eth0:80            [::]:*\n";
  EXPECT_EQ(dump(parse_ss(kHeader + kAsRoot + kTime + rows + "complete\n")),
            "node; 0.0.0.0:22 named sshd/12 sshd/13; 127.0.0.53:53 on lo named a b)/5; [::]:9091 "
            "both named calico-node/99/felix; [::]:2049 v6only not-found; [fe80::1]:80 on eth0 "
            "not-found");
}

TEST(SsText, WithoutRootAMissingOwnerIsNotNobody) {
  const std::string row = "LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\ncomplete\n";
  EXPECT_EQ(dump(parse_ss(kHeader + kTime + row)), "not-known; 0.0.0.0:22 not-permitted");
  // readlink of process 1's network fails without root.
  const std::string one = "pid:[4026531836]\nnet:[4026531840]\n";
  EXPECT_EQ(dump(parse_ss(kHeader + one + kTime + row)), "not-known; 0.0.0.0:22 not-permitted");
  const std::string container = "pid:[4026532000]\nnet:[4026531840]\nnet:[4026531840]\n";
  EXPECT_EQ(dump(parse_ss(kHeader + container + kTime + row)),
            "not-known; 0.0.0.0:22 not-permitted");
  const std::string other = "pid:[4026531836]\nnet:[4026532111]\nnet:[4026531840]\n";
  EXPECT_EQ(dump(parse_ss(kHeader + other + kTime + row)), "other; 0.0.0.0:22 not-found");
}

TEST(SsText, WithoutItsEndAFileIsNotWhole) {
  EXPECT_EQ(dump(parse_ss(kHeader + kAsRoot + kTime)),
            "node, not complete: the last line does not say that ss ended well")
      << "ss is not there";
  EXPECT_EQ(dump(parse_ss(kHeader + kAsRoot + kTime + "complete\n")), "node");
}

TEST(SsText, RefusesWhatItIsNot) {
  const auto refuses = [](const std::string& text, const std::string& what) {
    const auto told = dump(parse_ss(text));
    EXPECT_NE(told.find("usage: " + what), std::string::npos) << text << "\n" << told;
  };
  const std::string no_binding = "does not say of which machine and boot it is";
  refuses("", no_binding);
  refuses(kTime + "complete\n", no_binding);
  refuses(kHeader + "complete\n", no_binding);
  refuses(kHeader + kHeader + kTime, "line 3: neither of the header");
  refuses(kHeader + kTime + "LISTEN 0 128 0.0.0.0:ssh 0.0.0.0:*\n", "line 4: not a row");
  refuses(kHeader + kTime + "LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:((\"x\",pid=1))\n",
          "line 4: not a row");
  refuses(kHeader + kTime + "LISTEN 0 128 0.0.0.0:22 0.0.0.0:* surprise\n", "line 4: not a row");
  refuses(kHeader + kTime + "ESTAB 0 128 0.0.0.0:22 0.0.0.0:*\n", "line 4: neither");
  refuses(kHeader + kTime + "LISTEN 0 128 0.0.0.0:22 0.0.0.0:*", "line 4: the file is cut");
  refuses(kHeader + kTime + "complete\nLISTEN 0 128 0.0.0.0:22 0.0.0.0:*\n",
          "line 5: something stands after the end");
  refuses(kHeader + kTime + "ss: command not found\n", "line 4: neither of the header");
}

const std::string kDocument = R"({
  "apiVersion": "catflap/v1alpha1", "kind": "Listeners",
  "metadata": {"startedAt": "2026-11-21T19:00:00.000Z"},
  "host": {"machineId": "m", "bootId": "b", "hostname": "n1", "network": "node"},
  "at": "2026-11-21T19:00:00.000Z", "method": "sock-diag", "complete": true, "problem": null,
  "ports": [],
  "listeners": [{"address": "::", "port": 9091, "family": "ipv6", "v6only": false,
    "interface": null, "inode": 7, "uid": 0, "cgroupId": null, "queued": 0, "backlog": 1,
    "ownerState": "named",
    "owners": [{"pid": 99, "fd": 8, "comm": "calico-node", "felix": true, "container": null,
                "podUid": null}]}]})";

std::string changed(const std::string& from, const std::string& to) {
  std::string text = kDocument;
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ListenersJson, ReadsWhatCatflapPrints) {
  EXPECT_EQ(dump(parse_observation(kDocument)), "node; [::]:9091 both named calico-node/99/felix");
  EXPECT_EQ(dump(parse_observation("\n " + changed("\"complete\": true", "\"complete\": false"))),
            "node, not complete: ; [::]:9091 both named calico-node/99/felix");
}

TEST(ListenersJson, RefusesWhatIsMissingOrOfAnotherType) {
  const struct {
    const char *from, *to, *what;
  } rows[] = {{"\"Listeners\"", "\"Version\"", "is not what catflap listeners"},
              {"v1alpha1", "v2", "is not what catflap listeners"},
              {"\"complete\": true", "\"complete\": 1", "complete: missing"},
              {"\"complete\": true, ", "", "complete: missing"},
              {"\"node\"", "\"mine\"", "network: missing"},
              {"2026-11-21T19:00:00.000Z\", \"method\"", "today\", \"method\"", "at: missing"},
              {"\"port\": 9091", "\"port\": 99091", "port: missing"},
              {"\"port\": 9091", "\"port\": -1", "port: missing"},
              {"\"::\"", "\"everywhere\"", "address: missing"},
              {"\"felix\": true", "\"felix\": \"no\"", "felix: missing"},
              {"\"ports\": []", "\"ports\": [\"all\"]", "ports: missing"},
              {"\"ownerState\": \"named\"", "\"ownerState\": \"not-found\"", "ownerState: missing"},
              {"\"listeners\": [{", "\"others\": [{", "listeners: missing"}};
  for (const auto& row : rows) {
    const auto told = dump(parse_observation(changed(row.from, row.to)));
    EXPECT_TRUE(told.starts_with(std::string("usage: ") + row.what)) << row.to << ": " << told;
  }
  for (std::size_t size = 1; size < kDocument.size(); ++size)
    EXPECT_FALSE(parse_observation(std::string_view(kDocument).substr(0, size))) << size;
}

}  // namespace
}  // namespace catflap::look
