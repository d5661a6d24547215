#include "core/plan/env_touch.hpp"

#include <gtest/gtest.h>

namespace catflap {
namespace {

// "F=true A f=x" is a list of three; "-" is no list.
json::value env_of(std::string text) {
  if (text == "-") return nullptr;
  json::array list;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    const std::size_t equals = word.find('=');
    json::object entry{{"name", word.substr(0, equals)}};
    if (equals != std::string::npos) entry["value"] = word.substr(equals + 1);
    list.push_back(std::move(entry));
    at = end + 1;
  }
  return list;
}

struct PutBackRow {
  const char *before, *after, *now, *back;
};

TEST(EnvTouch, PutsBackWhereItStood) {
  const PutBackRow rows[] = {
      {"A F=true B", "A F=false B", "A F=false B", "A F=true B"},
      {"-", "F=false", "F=false", "-"},
      {"", "F=false", "F=false", ""},
      {"A", "A F=false", "A F=false", "A"},
      {"F=1 A f=2 F=3", "F=false A", "F=false A", "F=1 A f=2 F=3"},
      {"A F=1 A F=2", "A F=false A", "A F=false A", "A F=1 A F=2"},
      // What others did since stays.
      {"A F=true B", "A F=false B", "A F=false B NEW=1", "A F=true B NEW=1"},
      {"A F=true B", "A F=false B", "NEW=1 A=2 F=false B", "NEW=1 A=2 F=true B"},
      {"A F=true B", "A F=false B", "F=false B", "F=true B"},
      {"F=true B", "F=false B", "NEW=1 F=false B", "F=true NEW=1 B"},
      {"-", "F=false", "F=false NEW=1", "NEW=1"},
      {"A B F=true", "A B F=false", "F=false B", "B F=true"},
  };
  for (const PutBackRow& row : rows) {
    const json::value before = env_of(row.before);
    const auto names = touched_names(before, env_of(row.after));
    EXPECT_EQ(with_entries_of(env_of(row.now), before, names), env_of(row.back))
        << row.before << " | " << row.now;
  }
}

TEST(EnvTouch, CaseVariantsOfATouchedNameAreTouched) {
  const auto names = touched_names(env_of("F=false f=true A"), env_of("F=false A"));
  EXPECT_EQ(names, std::set<std::string>{"f"});
  EXPECT_EQ(entries_of(env_of("F=true A"), names), env_of("F=true").as_array());
  EXPECT_TRUE(touched_names(env_of("A"), env_of("A")).empty());
}

}  // namespace
}  // namespace catflap
