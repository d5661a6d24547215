// Who answers, on the texts that real programs wrote (tests/metrics/README.md).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>

#include "net/http_answer.hpp"

namespace catflap::net {
namespace {

std::string recorded(std::string_view name) {
  std::ifstream file(fmt::format("{}/tests/metrics/{}.txt", CATFLAP_SOURCE_DIR, name));
  std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_FALSE(text.empty()) << name;
  return text;
}

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\n";

std::string sized(std::string_view body) {
  return fmt::format("{}Content-Length: {}\r\n\r\n{}", kOk, body.size(), body);
}

/// As Go sends it: pieces of 2 KiB.
std::string chunked(std::string_view body) {
  std::string text = fmt::format("{}Transfer-Encoding: chunked\r\n\r\n", kOk);
  for (; !body.empty(); body.remove_prefix(std::min<std::size_t>(2048, body.size()))) {
    const auto piece = body.substr(0, 2048);
    text += fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
  }
  return text + "0\r\n\r\n";
}

std::string until_closed(std::string_view body) {
  return fmt::format("{}\r\n{}", kOk, body);
}

/// "kube-controllers other"; of Felix also which.
std::string said(const HttpAnswer& answer) {
  return fmt::format("{} {}{}", to_string(answer.product()), to_string(answer.identity()),
                     answer.felix_host().empty() ? "" : " " + answer.felix_host());
}

std::string said_of(std::string_view bytes) {
  HttpAnswer answer(1u << 20);
  answer.feed(bytes);
  answer.end_of_stream();
  return said(answer);
}

/// The lines that `wanted` takes.
std::string lines_of(std::string_view text, const std::function<bool(std::string_view)>& wanted) {
  std::istringstream lines{std::string(text)};
  std::string taken;
  for (std::string line; std::getline(lines, line);)
    if (wanted(line)) taken += line + "\n";
  return taken;
}

bool names(std::string_view line, std::string_view name) {
  return line.find(name) < sizeof "# HELP ";
}

const struct Row {
  std::string_view file;
  std::string_view said;
} kRows[] = {
    {"felix", "felix felix n1"},
    {"typha", "typha typha"},
    {"kube-controllers", "kube-controllers other"},
    {"kube-controllers-starting", "kube-controllers other"},
    {"pushgateway", "pushgateway other"},
    {"node-exporter", "node-exporter other"},
    {"prometheus", "prometheus other"},
};

TEST(RecordedMetrics, TellWhoWroteThem) {
  for (const auto& [file, wanted] : kRows) {
    EXPECT_EQ(said_of(sized(recorded(file))), wanted) << file;
    EXPECT_EQ(said_of(chunked(recorded(file))), wanted) << file;
  }
}

// From 3.33 on all parts of Calico are one program: what is made when code is loaded stands in
// everybody's text, at 0 and in the alphabet's place.
TEST(RecordedMetrics, TellItWithTheSeriesOfOtherPartsOfCalicoToo) {
  const auto felix = lines_of(recorded("felix"), [](std::string_view line) {
    return names(line, "felix_") && !names(line, "felix_host");
  });
  const auto typha = lines_of(recorded("typha"), [](std::string_view line) {
    return names(line, "typha_c") && !names(line, "typha_client");
  });
  EXPECT_NE(felix.find("\nfelix_resync_state 3\n"), std::string::npos);
  EXPECT_NE(typha.find("\ntypha_connections_active 6\n"), std::string::npos);
  for (const auto& [file, wanted] : kRows) {
    EXPECT_EQ(said_of(sized(felix + recorded(file))), wanted) << file;
    EXPECT_EQ(said_of(sized(felix + recorded(file) + typha)), wanted) << file;
  }
  // One that knows of no pool yet has nothing of its own.
  const auto idle = lines_of(recorded("kube-controllers"),
                             [](std::string_view line) { return !names(line, "ipam_"); });
  EXPECT_EQ(said_of(sized(idle)), "prometheus other");
  EXPECT_EQ(said_of(sized(felix + idle + typha)), "prometheus other");
}

TEST(RecordedMetrics, OnlyAWholeFelixHostMakesItFelix) {
  const auto felix = recorded("felix");
  const auto without =
      lines_of(felix, [](std::string_view line) { return !line.starts_with("felix_host{"); });
  EXPECT_EQ(said_of(sized(without)), "prometheus other");
  EXPECT_EQ(said_of(until_closed(without)), "prometheus unidentified");
}

/// What may be said of a body that was cut: nothing but Felix, once its line has come.
std::string wrong_if_cut(const HttpAnswer& answer, bool may_be_typha) {
  const auto who = said(answer);
  for (const auto* right : {"unknown none", "unknown unidentified", "http unidentified",
                            "prometheus unidentified", "felix felix n1"})
    if (who == right) return {};
  return who == "prometheus typha" && may_be_typha ? std::string{} : who;
}

TEST(RecordedMetrics, CutAtAnyLengthTheyTellNothingElse) {
  using Framing = std::string (*)(std::string_view);
  const std::pair<Framing, bool> framings[] = {
      {sized, false}, {chunked, false}, {until_closed, true}};
  for (const auto& [file, wanted] : kRows) {
    for (const auto& [framing, ends_by_close] : framings) {
      const auto bytes = framing(recorded(file));
      HttpAnswer coming(1u << 20);
      for (std::size_t length = 0; length < bytes.size(); ++length) {
        // Typha: where the alphabet has no felix_host any more, nothing need end the body.
        const bool may_be_typha = ends_by_close && file == "typha";
        HttpAnswer cut = coming;
        cut.end_of_stream();
        ASSERT_EQ(wrong_if_cut(coming, false), "") << file << " " << length;
        ASSERT_EQ(wrong_if_cut(cut, may_be_typha), "") << file << " " << length;
        coming.feed(std::string_view(bytes).substr(length, 1));
      }
      coming.end_of_stream();
      if (!ends_by_close) {
        EXPECT_EQ(said(coming), wanted) << file;
      }
    }
  }
}

TEST(RecordedMetrics, OfFelixOneByteBeforeItsLineEndsIsNotEnough) {
  const auto felix = recorded("felix");
  const std::string_view line = "felix_host{host=\"n1\"} 1";
  const auto at = felix.find(line);
  ASSERT_NE(at, std::string::npos);
  const auto cut = [&](std::size_t length) {
    return said_of(until_closed(std::string_view(felix).substr(0, at + length)));
  };
  EXPECT_EQ(cut(line.size() - 1), "prometheus unidentified");
  EXPECT_EQ(cut(line.size()), "felix felix n1");
}

}  // namespace
}  // namespace catflap::net
