#include "core/model/cluster.hpp"

#include <gtest/gtest.h>

namespace catflap {
namespace {

TEST(ParseVersion, ReadsReleasesAndVendorTags) {
  const struct {
    const char* text;
    Version version;
  } rows[] = {
      {"v3.30.1", {3, 30, 1}},          {"3.30.1", {3, 30, 1}},
      {"v3.30.1-rancher1", {3, 30, 1}}, {"v3.31.0-0.dev-12-gabc", {3, 31, 0}},
      {"v10.0.100", {10, 0, 100}},      {"v1.33.13+k3s1", {1, 33, 13}},
  };
  for (const auto& row : rows) {
    const auto version = parse_version(row.text);
    ASSERT_TRUE(version.has_value()) << row.text;
    EXPECT_EQ(*version, row.version) << row.text;
  }
}

TEST(ParseVersion, GivesNothingForWhatDoesNotStartLikeOne) {
  for (const char* text : {"", "v", "master", "v3", "v3.30", "v3.30.", "v3.x.1", "vv3.30.1",
                           "-3.30.1", "v3.-1.0", "v99999999999.0.0", "sha256:abc"}) {
    EXPECT_FALSE(parse_version(text).has_value()) << text;
  }
}

TEST(Version, ComparesByNumberNotByText) {
  EXPECT_LT((Version{3, 9, 0}), (Version{3, 30, 0}));
  EXPECT_LT((Version{3, 31, 9}), (Version{3, 32, 0}));
}

}  // namespace
}  // namespace catflap
