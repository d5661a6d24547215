#include "sim/protobuf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace catflap::sim {
namespace {

using namespace std::string_literals;

std::string field(unsigned number, const std::string& bytes) {
  return std::string{static_cast<char>(number << 3u | 2u), static_cast<char>(bytes.size())} + bytes;
}

std::string body(const std::string& version, const std::string& kind, const std::string& raw) {
  return "k8s\0"s + field(1, field(1, version) + field(2, kind)) + field(2, raw) + field(3, "") +
         field(4, "");
}

std::string read(const std::string& bytes) {
  const auto object = object_of_protobuf(bytes);
  return object ? boost::json::serialize(*object) : "none";
}

/// As Go writes it: with the fields that are empty.
const std::string kMetadata = field(1, field(1, "x") + field(2, "") + field(3, "default") +
                                           field(4, "") + field(5, "") + field(6, "") + "\x38\0"s +
                                           field(8, "") + field(11, field(1, "l") + field(2, "v")));

TEST(Protobuf, WhatKubectlCreates) {
  const auto entry = [](const std::string& key, const std::string& value) {
    return field(1, key) + field(2, value);
  };
  EXPECT_EQ(
      read(body("v1", "ConfigMap",
                kMetadata + field(2, entry("a", "b")) + field(2, entry("c", "")) + "\x20\x01")),
      R"({"metadata":{"name":"x","namespace":"default","labels":{"l":"v"}},)"
      R"("data":{"a":"b","c":""},"immutable":true,"apiVersion":"v1","kind":"ConfigMap"})");
  EXPECT_EQ(read(body("v1", "Secret", field(2, entry("p", "secret")) + field(3, "Opaque"))),
            R"({"data":{"p":"c2VjcmV0"},"type":"Opaque","apiVersion":"v1","kind":"Secret"})");
  const auto may = field(2, field(1, field(1, "ns") + field(2, "get") + field(5, "pods")));
  EXPECT_EQ(
      read(body("authorization.k8s.io/v1", "SelfSubjectAccessReview", may + field(3, "\x08\0"s))),
      R"({"spec":{"resourceAttributes":{"namespace":"ns","verb":"get","resource":"pods"}},)"
      R"("apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview"})");
}

TEST(Protobuf, NothingIsLostSilently) {
  const auto good = body("v1", "ConfigMap", kMetadata);
  ASSERT_NE(read(good), "none");
  EXPECT_EQ(read(body("v1", "Pod", kMetadata)), "none") << "a type that is not known here";
  EXPECT_EQ(read(body("v1", "ConfigMap", field(1, field(13, "owner")))), "none");
  EXPECT_EQ(read(body("v1", "ConfigMap", "\x10\x05")), "none") << "a number for a map";
  EXPECT_EQ(read(body("v1", "ConfigMap", "\x1d....")), "none") << "a wire type that is not used";
  EXPECT_EQ(read(""), "none");
  EXPECT_EQ(read("{}"), "none");
  EXPECT_EQ(read("k8s\0"s), "none");
  EXPECT_EQ(read("k8s\0"s + std::string(20, '\xff')), "none");
  for (std::size_t size = 0; size + 4 < good.size(); ++size)
    EXPECT_EQ(read(good.substr(0, size)), "none") << size;
}

}  // namespace
}  // namespace catflap::sim
