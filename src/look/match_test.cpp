#include "look/match.hpp"

#include <gtest/gtest.h>

#include "support/look_cluster.hpp"

namespace catflap::look {
namespace {

TEST(Match, NodeImages) {
  for (const auto* image :
       {"calico/node", "docker.io/calico/node:v3.30.1", "quay.io/calico/node@sha256:00ff",
        "registry:5000/calico/node:v3.30.1@sha256:00ff", "mcr.microsoft.com/oss/v2/calico/node:v3",
        "registry.alauda.cn:60080/tkestack/calico-node:v3.26",
        "rancher/hardened-calico:v3.30.1-build2", "rancher/mirrored-calico-node:v3.30.1",
        "quay.io/tigera/cnx-node:v3.20", "calico/node-windows:v3.30.1", "calico-node",
        "gcr.io/projectcalico-org/node:v3.30.1", "calico/felix/calico-felix:2",
        "quay.io/calico/node-arm64:v3.30.1", "calico/node-ppc64le"}) {
    EXPECT_TRUE(is_node_image(image)) << image;
  }
}

TEST(Match, OtherImages) {
  for (const auto* image :
       {"node:20", "docker.io/library/node:20-alpine", "localhost:5000/node", "calico/cni:v3.30.1",
        "calico/typha:v3", "calico/kube-controllers:v3", "bitnami/node-exporter", "",
        "prom/node-exporter:v1", "example.com/not-calico-node-exporter:v1", "mycalico-nodes:1",
        "calico/csi:v3", "@", ":", "/"}) {
    EXPECT_FALSE(is_node_image(image)) << image;
  }
}

TEST(Match, Tags) {
  EXPECT_EQ(image_tag("registry:5000/calico/node"), "");
  EXPECT_EQ(image_tag("registry:5000/calico/node:v3.30.1@sha256:00"), "v3.30.1");
  EXPECT_EQ(image_tag("calico-node:v3.30.1-rancher1"), "v3.30.1-rancher1");
}

std::string match(std::string_view spec) {
  return felix_container(parse_object(spec)).value_or("-");
}

TEST(Match, Containers) {
  EXPECT_EQ(match(R"({"containers":[{"name":"kube-flannel","image":"flannel"},
                                    {"name":"calico-node","image":"private/x@sha256:0"}]})"),
            "calico-node");
  // The Windows DaemonSet: three containers of one image, one of them Felix.
  EXPECT_EQ(match(R"({"containers":[{"name":"node","image":"calico/node-windows:v3"},
                                    {"name":"felix","image":"calico/node-windows:v3"},
                                    {"name":"confd","image":"calico/node-windows:v3"}]})"),
            "felix");
  EXPECT_EQ(match(R"({"containers":[{"name":"agent","image":"calico/node:v3"}]})"), "agent");
  EXPECT_EQ(match(R"({"containers":[{"name":"x","image":"vendor/all:1","command":["calico"],
                                     "args":["component","felix"]}]})"),
            "x");
  EXPECT_EQ(match(R"({"containers":[{"name":"x","image":"vendor/all:1",
                                     "args":["component","typha"]}]})"),
            "-");
  EXPECT_EQ(match(R"({"initContainers":[{"name":"calico-node","image":"calico/node:v3"}],
                      "containers":[{"name":"web","image":"nginx"}]})"),
            "-");
  EXPECT_EQ(match(R"({"containers":"calico-node"})"), "-");
  // A mirror below any organisation, told by what it is given.
  EXPECT_EQ(match(R"({"containers":[{"name":"x","image":"reg.example/mirror/node:v3.30.1",
                                     "env":[{"name":"felix_loglevel","value":"x"}]}]})"),
            "x");
  EXPECT_EQ(match(R"({"containers":[{"name":"x","image":"reg.example/mirror/node-arm64:v3.30.1",
                                     "volumeMounts":[{"name":"v","mountPath":"/var/lib/calico"}]}]})"),
            "x");
  EXPECT_EQ(match(R"({"containers":[{"name":"x","image":"reg.example/mirror/node:20",
                                     "env":[{"name":"NODE_ENV","value":"x"}]}]})"),
            "-");
}

TEST(Match, Selectors) {
  const auto query = [](std::string_view text) { return selector_query(parse_object(text)); };
  EXPECT_EQ(query(R"({"matchLabels":{"a":"1","b":""}})"), "a=1,b=");
  EXPECT_EQ(query(R"({"matchLabels":{"a":"1"},"matchExpressions":[
                        {"key":"b","operator":"In","values":["x","y"]},
                        {"key":"c","operator":"NotIn","values":["z"]},
                        {"key":"d","operator":"Exists"},{"key":"e","operator":"DoesNotExist"}]})"),
            "a=1,b in (x,y),c notin (z),d,!e");
  EXPECT_EQ(query("{}"), "");
  // Dropping what is not understood would select more pods than the DaemonSet does.
  EXPECT_EQ(query(R"({"matchLabels":{"a":"1"},"matchExpressions":[{"key":"b","operator":"Gt"}]})"),
            "");
}

}  // namespace
}  // namespace catflap::look
