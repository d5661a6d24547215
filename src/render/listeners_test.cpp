#include "render/listeners.hpp"

#include <gtest/gtest.h>

#include "render/samples_test.hpp"
#include "support/golden.hpp"

namespace catflap::render {
namespace {

using namespace catflap::test;

HostListeners sample_host() {
  const auto at = [](std::string_view text) { return *HostPort::parse(text); };
  const SocketOwner felix{.pid = 4711,
                          .fd = 12,
                          .comm = "calico-node",
                          .felix = true,
                          .container = std::string(64, 'c'),
                          .pod_uid = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"};
  HostListeners host{.machine_id = "3d1219c7c4c5404aaa1f6d2a48adfda4",
                     .boot_id = "400cf104-537c-4537-8762-36f1bbcae267",
                     .hostname = "n1",
                     .at = kNow,
                     .network = HostListeners::Network::node,
                     .ports = {9091}};
  host.sockets = {{.endpoint = at("0.0.0.0:22"),
                   .inode = 1,
                   .backlog = 128,
                   .owner_state = OwnerState::not_permitted},
                  {.endpoint = at("127.0.0.53:53"),
                   .interface = "lo",
                   .inode = 2,
                   .uid = 101,
                   .backlog = 4096,
                   .owner_state = OwnerState::named,
                   .owners = {{.pid = 300, .fd = 14, .comm = "systemd-resolve"}}},
                  {.endpoint = at("[::]:9091"),
                   .v6_socket = true,
                   .v6only = false,
                   .inode = 3,
                   .cgroup_id = 4242,
                   .queued = 1,
                   .backlog = 4096,
                   .owner_state = OwnerState::named,
                   .owners = {felix}},
                  {.endpoint = at("[fe80::1]:80"),
                   .v6_socket = true,
                   .v6only = true,
                   .interface = "eth0",
                   .inode = 4,
                   .owner_state = OwnerState::not_found}};
  return host;
}

TEST(Listeners, ReadsLikeSs) {
  expect_golden("listeners.txt", listeners_text(sample_host()));
  EXPECT_EQ(listener_names(sample_host()),
            "0.0.0.0:22\n127.0.0.53%lo:53\n*:9091\n[fe80::1]%eth0:80\n");
}

TEST(Listeners, Document) {
  auto document = listeners_document(sample_host(), {.started = kNow, .finished = kNow});
  document["metadata"].as_object()["catflap"] = "0.0.0";
  expect_golden("listeners.json", to_json_text(document));
}

TEST(Listeners, WhatTheTextTablesDoNotTellIsNull) {
  auto host = sample_host();
  host.method = HostListeners::Method::proc_net;
  const auto text = to_json_text(listeners_document(host, {}));
  EXPECT_NE(text.find("\"queued\": null"), std::string::npos);
  EXPECT_EQ(text.find("\"queued\": 1"), std::string::npos);
}

}  // namespace
}  // namespace catflap::render
