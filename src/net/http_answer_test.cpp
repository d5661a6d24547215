#include "net/http_answer.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "net/metrics_scan.hpp"

namespace catflap::net {
namespace {

constexpr std::size_t kMax = 1u << 20;
constexpr std::string_view kFelixLine = "felix_host{host=\"node-1\"} 1\n";

std::string sized(std::string_view body, std::string_view status = "200 OK",
                  std::string_view headers = "") {
  return fmt::format("HTTP/1.1 {}\r\n{}Content-Length: {}\r\n\r\n{}", status, headers, body.size(),
                     body);
}

std::string chunked(std::string_view body, std::size_t piece = 7) {
  std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (; !body.empty(); body.remove_prefix(std::min(piece, body.size()))) {
    const std::string_view part = body.substr(0, piece);
    text += fmt::format("{:x}\r\n{}\r\n", part.size(), part);
  }
  return text + "0\r\n\r\n";
}

const char* name(HttpAnswer::State state) {
  switch (state) {
    case HttpAnswer::State::reading:
      return "reading";
    case HttpAnswer::State::done:
      return "done";
    case HttpAnswer::State::cut:
      return "cut";
    case HttpAnswer::State::malformed:
      return "malformed";
  }
  return "";
}

/// "done 200 felix node-1"
std::string dump(const HttpAnswer& answer) {
  std::string line =
      fmt::format("{} {} {}", name(answer.state()), answer.status(), to_string(answer.identity()));
  if (!answer.felix_host().empty()) line += " " + answer.felix_host();
  return line;
}

enum class Then { open, close };

std::string parse(std::string_view bytes, Then then = Then::open, std::size_t max_bytes = kMax) {
  HttpAnswer answer(max_bytes);
  answer.feed(bytes);
  if (then == Then::close) answer.end_of_stream();
  return dump(answer);
}

TEST(HttpAnswer, FelixHostIsFoundHoweverTheBodyIsFramed) {
  const std::string body = std::string(5512, '#') + "\n" + std::string(kFelixLine) + "rest 1\n";
  EXPECT_EQ(parse(sized(body)), "done 200 felix node-1");
  EXPECT_EQ(parse(chunked(body)), "done 200 felix node-1");
  EXPECT_EQ(parse("HTTP/1.0 200 OK\r\n\r\n" + body), "done 200 felix node-1");
  EXPECT_EQ(parse("HTTP/1.1 200 OK\n\n" + body), "done 200 felix node-1");
  EXPECT_EQ(parse("HTTP/1.1 100 Continue\r\n\r\n" + sized(body)), "done 200 felix node-1");
  // No line feed behind it: only the end of the body ends the line.
  EXPECT_EQ(parse(sized("felix_host{host=\"node-1\"} 1")), "done 200 felix node-1");
}

TEST(HttpAnswer, NothingElseIsFelix) {
  for (const std::string_view body :
       {"# HELP felix_host x\n# TYPE felix_host gauge\n", "felix_hostname{host=\"n\"} 1\n",
        "xfelix_host{host=\"n\"} 1\n", "# felix_host{host=\"n\"} 1\n",
        "felix_resync_state 3\nfelix_log_errors 0\n", "x", "<html>felix host</html>\n",
        "scrape{job=\"felix_host\"} 3 1700000000000\n", "{\"x_felix_host\"} 1\n",
        "# HELP felix_host x\r\nx 1\r\n"})
    EXPECT_EQ(parse(sized(body)), "done 200 other") << body;
}

TEST(HttpAnswer, AGarbledFelixHostIsNeitherFelixNorPositivelyNot) {
  using namespace std::string_view_literals;
  const std::string_view bodies[] = {
      "felix_host 1\n",
      "felix_host{} 1\n",
      "felix_host{host=\"n\n",
      "felix_host{host=n} 1\n",
      "felix_host{host=\"n\"}\n",
      "felix_host{node=\"n\"} 1\n",
      "felix_host{host=\"n\\\n",
      "felix_host{host=\"n\" 1\n",
      "felix_host{host=\"n\"} x\n",
      "felix_host{host=\"n\"} 1 x\n",
      // Read, and not as Felix writes it.
      "felix_host{host=\"n\"} 0\n",
      "felix_host{host=\"n\"} 1 1700000000000\n",
      "felix_host{host=\"n\",job=\"x\"} 1\n",
      "felix_host{host=\"n\",host=\"n\"} 1\n",
      // Twice, and not the same.
      "felix_host{host=\"n\"} 1\nfelix_host{host=\"m\"} 1\n",
      "felix_host 1\nfelix_host{host=\"n\"} 1\n",
      "felix_host{host=\"n\"} 1\nfelix_host{host=\"n\",job=\"x\"} 1\n",
      // In a byte order mark, a page, a JSON text, a Protocol Buffer, UTF-16; lines that CR ends.
      "\xef\xbb\xbf"
      "felix_host{host=\"n\"} 1\n",
      "<pre>felix_host{host=\"n\"} 1</pre>\n",
      "{\"metric\":\"felix_host\",\"host\":\"n\"}\n",
      "\x2b\x0a\x0a"
      "felix_host\x12\x01x\x18\x01",
      "f\0e\0l\0i\0x\0_\0h\0o\0s\0t\0"sv,
      "go_x 1\rfelix_host{host=\"n\"} 1\r",
      "# TYPE felix_host gauge\rfelix_host{host=\"n\"} 1\r",
      // Compressed, without a word.
      "\x1f\x8b\x08\0\0\0\0\0"sv,
  };
  for (const auto body : bodies) EXPECT_EQ(parse(sized(body)), "done 200 unidentified") << body;
  for (const auto body : bodies)
    EXPECT_EQ(parse(chunked(std::string("# HELP x\ntypha_breadcrumb_size_count 1\n").append(body))),
              "done 200 unidentified")
        << body;
  EXPECT_EQ(parse(sized("felix_host{host=\"" + std::string(5000, 'n') + "\"} 1\n")),
            "done 200 unidentified");
}

TEST(HttpAnswer, FelixHostFarBehindInALineIsNotOverlooked) {
  for (const std::size_t before : {1u, 2030u, 2038u, 2040u, 2045u, 2048u, 2050u, 9000u}) {
    const std::string far = std::string(before, 'x') + "\rfelix_host{host=\"n\"} 1\r";
    EXPECT_EQ(parse(sized(far)), "done 200 unidentified") << before;
    EXPECT_EQ(parse(chunked(far, 3)), "done 200 unidentified") << before;
    EXPECT_EQ(parse(sized("#" + far)), "done 200 unidentified") << before;
    EXPECT_EQ(parse(sized(std::string(before, 'x') + "\rfelix host\r\ny 1\n")), "done 200 other");
  }
}

TEST(HttpAnswer, WhatOthersGatheredOfFelixIsPositivelyNotFelixOnlyWhereSuchIsKept) {
  const std::string pushed = "felix_host{host=\"n9\",instance=\"\",job=\"x\"} 1\n";
  const std::string two = pushed + "felix_host{host=\"n8\",instance=\"\",job=\"x\"} 1\n";
  EXPECT_EQ(parse(sized(two)), "done 200 unidentified");
  EXPECT_EQ(parse(sized(two + "go_x 1\n")), "done 200 unidentified");
  EXPECT_EQ(parse(sized(two + "pushgateway_build_info{} 1\n")), "done 200 other");
  EXPECT_EQ(parse(sized(two + "node_exporter_build_info{} 1\n")), "done 200 other");
  EXPECT_EQ(parse(sized(two + "typha_breadcrumb_size_count 1\n")), "done 200 unidentified");
  // Not if it is not whole, or something in it was not understood.
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\n\r\n" + two + "pushgateway_build_info{} 1\n", Then::close),
            "done 200 unidentified");
  EXPECT_EQ(parse(sized(two + "felix_host{\npushgateway_build_info{} 1\n")),
            "done 200 unidentified");
}

TEST(HttpAnswer, ReadsTheHostLabel) {
  const struct {
    std::string_view line;
    std::string host;
  } rows[] = {
      {R"(felix_host{host="a.b-c"} 1)", "a.b-c"},
      {R"(felix_host{host="a\"b\\c\nd"} 1)", "a\"b\\c\\x0ad"},
      {R"(felix_host{host="x=\"},"} 1)", "x=\"},"},
      {R"(felix_host{host="n",} 1)", "n"},
      {"\t felix_host { host\t= \"n\" , } \t1.0e0 \t", "n"},
      {R"({"felix_host",host="n"} 1)", "n"},
      {R"(felix_host{"host"="n"}1)", "n"},
      {"felix_host{host=\"n\"} 1\nfelix_host{host=\"n\"} +1", "n"},
      {"felix_host{host=\"n\"} 1\r", "n"},
      {"felix_host{host=\"\x1b[2J\"} 1", "\\x1b[2J"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(parse(sized(std::string(row.line) + "\n")), "done 200 felix " + row.host);
  EXPECT_EQ(parse(sized("felix_host{host=\"" + std::string(300, 'n') + "\"} 1\n")),
            "done 200 felix " + std::string(253, 'n'));
}

TEST(HttpAnswer, TyphaOnlyWhenTheWholeBodyLacksFelixHost) {
  const std::string typha = "felix_log_errors 0\ntypha_breadcrumb_size_count 3\n";
  EXPECT_EQ(parse(sized(typha)), "done 200 typha");
  EXPECT_EQ(parse(sized("typha_breadcrumb_size_count{syncer=\"felix\"} 3\n")), "done 200 typha");
  EXPECT_EQ(parse(sized(typha + std::string(kFelixLine))), "done 200 felix node-1");
  std::string cut = sized(typha);
  cut.pop_back();
  EXPECT_EQ(parse(cut), "reading 200 unidentified");
  EXPECT_EQ(parse(cut, Then::close), "cut 200 unidentified");
  EXPECT_EQ(parse(sized("typha_breadcrumb_size_count_total 3\n")), "done 200 other");
}

/// "typha: typha_breadcrumb_size_count 3"
std::string product_of(std::string_view bytes, Then then = Then::open, std::size_t max = kMax) {
  HttpAnswer answer(max);
  answer.feed(bytes);
  if (then == Then::close) answer.end_of_stream();
  return fmt::format("{}: {}", to_string(answer.product()), answer.product_mark());
}

TEST(HttpAnswer, ShowsWhichProgramAnsweredAndByWhichBytes) {
  const std::pair<std::string, const char*> rows[] = {
      {sized("# HELP x\nfelix_host{host=\"n1\"} 1\n"), "felix: felix_host{host=\"n1\"} 1"},
      {sized("typha_breadcrumb_size_count 3\n"), "typha: typha_breadcrumb_size_count 3"},
      {sized("ipam_allocations_in_use{node=\"n1\"} 4\nipam_ippool_size 9\n"),
       "kube-controllers: ipam_allocations_in_use{node=\"n1\"} 4"},
      {sized("ipam_ippool_size 9\n"), "kube-controllers: ipam_ippool_size 9"},
      {sized("pushgateway_build_info{version=\"1\"} 1\n"),
       "pushgateway: pushgateway_build_info{version=\"1\"} 1"},
      {sized("node_exporter_build_info{version=\"1\"} 1\n"),
       "node-exporter: node_exporter_build_info{version=\"1\"} 1"},
      {sized("# TYPE go_goroutines gauge\ngo_goroutines 8\n"),
       "prometheus: # TYPE go_goroutines gauge"},
      {sized("<html>"), "http: HTTP/1.1 200 OK"},
      {sized("no", "404 Not Found"), "http: HTTP/1.1 404 Not Found"},
      {"SSH-2.0-x\r\n", "unknown: "},
      {"", "unknown: "},
  };
  for (const auto& [bytes, wanted] : rows) EXPECT_EQ(product_of(bytes), wanted) << bytes;
}

TEST(HttpAnswer, ASeriesThatAnotherPartOfCalicoCanCarryTellsNoProgram) {
  // One binary from 3.33 on: what is made when Typha's code is loaded stands in others' texts.
  const std::string linked = sized("# HELP t\ntypha_connections_active 0\n");
  EXPECT_EQ(product_of(linked), "prometheus: # HELP t");
  EXPECT_EQ(parse(linked), "done 200 other");
  EXPECT_EQ(product_of(sized("felix_x 0\ntypha_breadcrumb_size_count 3\n")),
            "typha: typha_breadcrumb_size_count 3");
  // Only the name of a series counts, not what begins like it or stands in a comment.
  EXPECT_EQ(product_of(sized("# HELP typha_breadcrumb_size_count\n")),
            "prometheus: # HELP typha_breadcrumb_size_count");
  EXPECT_EQ(product_of(sized("typha_breadcrumb_size_count_total 3\n")), "http: HTTP/1.1 200 OK");
}

TEST(HttpAnswer, ABodyThatIsNotWholeTellsNoProgramButFelix) {
  const std::string typha = "HTTP/1.1 200 OK\r\n\r\n# HELP t\ntypha_breadcrumb_size_count 3\n";
  EXPECT_EQ(product_of(typha), "prometheus: # HELP t");
  EXPECT_EQ(product_of(typha, Then::close), "prometheus: # HELP t");
  EXPECT_EQ(product_of("HTTP/1.1 200 OK\r\n\r\nfelix_host{host=\"a\"} 1\n"),
            "felix: felix_host{host=\"a\"} 1");
  const std::string packed =
      sized("typha_breadcrumb_size_count 3\n", "200 OK", "Content-Encoding: gzip\r\n");
  EXPECT_EQ(product_of(packed), "http: HTTP/1.1 200 OK");
}

TEST(HttpAnswer, StatusDecidesWhetherACompleteAnswerIsPositivelySomethingElse) {
  const struct {
    int status;
    std::string_view identity;
  } rows[] = {
      {200, "other"},        {202, "other"},        {206, "unidentified"}, {301, "other"},
      {302, "other"},        {308, "other"},        {400, "unidentified"}, {401, "unidentified"},
      {403, "unidentified"}, {404, "other"},        {405, "other"},        {407, "unidentified"},
      {410, "other"},        {418, "unidentified"}, {429, "unidentified"}, {500, "unidentified"},
      {502, "unidentified"}, {503, "unidentified"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(parse(sized("x", fmt::format("{} X", row.status))),
              fmt::format("done {} {}", row.status, row.identity));
  EXPECT_EQ(parse("HTTP/1.1 204 No Content\r\n\r\n"), "done 204 other");
  EXPECT_EQ(parse("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"), "done 304 other");
  EXPECT_EQ(parse(sized("")), "done 200 other");
  EXPECT_EQ(parse("HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n"), "done 404 other");
}

TEST(HttpAnswer, AnIncompleteAnswerIsUnidentified) {
  const std::string whole = sized("go_goroutines 8\n");
  for (std::size_t length = 1; length < whole.size(); ++length) {
    HttpAnswer answer(kMax);
    answer.feed(std::string_view(whole).substr(0, length));
    EXPECT_EQ(answer.identity(), Identity::unidentified) << length;
    EXPECT_EQ(answer.end_of_stream(), HttpAnswer::State::cut) << length;
    EXPECT_EQ(answer.identity(), Identity::unidentified) << length;
  }
  EXPECT_EQ(parse(whole), "done 200 other");
  EXPECT_EQ(parse(""), "reading 0 none");
  EXPECT_EQ(parse("", Then::close), "cut 0 none");

  std::string pieces = chunked("go_goroutines 8\n");
  pieces.resize(pieces.size() - 2);  // the empty trailer is missing
  EXPECT_EQ(parse(pieces, Then::close), "cut 200 unidentified");
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\n\r\nhello"), "reading 200 unidentified");
}

TEST(HttpAnswer, TheEndOfTheStreamDoesNotShowThatABodyIsWhole) {
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\n\r\nhello", Then::close), "done 200 unidentified");
  // felix_host would have come before typha_: the series are sorted.
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\n\r\ntypha_breadcrumb_size_count 3\n", Then::close),
            "done 200 typha");
  // Here the status has said it already.
  EXPECT_EQ(parse("HTTP/1.0 404 Not Found\r\n\r\nhello", Then::close), "done 404 other");
  EXPECT_EQ(parse("HTTP/1.0 302 Found\r\n\r\nhello", Then::close), "done 302 other");
}

TEST(HttpAnswer, ABodyCutByTheBoundIsNeverNotFelix) {
  const std::string body = std::string(5512, '#') + "\n" + std::string(kFelixLine);
  EXPECT_EQ(parse(sized(body), Then::close, 4096), "cut 200 unidentified");
  EXPECT_EQ(parse(sized(std::string(2 * kMax, 'x')), Then::close), "cut 200 unidentified");
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\n\r\n" + std::string(kMax, 'x'), Then::close),
            "cut 200 unidentified");
  const std::string exact = sized("hello");
  EXPECT_EQ(parse(exact, Then::open, exact.size()), "done 200 other");
  EXPECT_EQ(parse(exact, Then::open, exact.size() - 1), "cut 200 unidentified");
}

TEST(HttpAnswer, ACompressedBodyHidesItsSeries) {
  EXPECT_EQ(parse(sized("\x1f\x8b", "200 OK", "Content-Encoding: gzip\r\n")),
            "done 200 unidentified");
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
            "done 200 unidentified");
  EXPECT_EQ(parse(sized("x", "200 OK", "content-ENCODING: Identity\r\n")), "done 200 other");
}

TEST(HttpAnswer, WhatIsNotHttpIsKnownEarly) {
  for (const std::string_view bytes :
       {"SSH-2.0-OpenSSH_9.2\r\n", "X", "\x15\x03\x01\x00\x02\x02\x46", "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1\r\n", "\r\n", "HTTP/1.1 20 OK\r\n", "HTTP/1.1 2000 OK\r\n", "HTTP/1.1 abc OK\r\n",
        "HTTP/1.1 099 OK\r\n", "HTTP/1.1 600 OK\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 -12 OK\r\n"}) {
    const std::string state = parse(bytes);
    EXPECT_TRUE(state.starts_with("malformed ") && state.ends_with(" unidentified"))
        << bytes << " " << state;
  }
  EXPECT_EQ(parse("HTTP/1."), "reading 0 unidentified");
}

TEST(HttpAnswer, RefusesFramingThatCanBeReadTwoWays) {
  const std::string start = "HTTP/1.1 200 OK\r\n";
  EXPECT_EQ(parse(start + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
            "malformed 200 unidentified");
  EXPECT_EQ(parse(start + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx"), "done 200 other");
  for (const std::string_view length :
       {"-1", "+1", "1x", "", "0x1", "99999999999999999999999", "1, 1"})
    EXPECT_EQ(parse(start + fmt::format("Content-Length: {}\r\n\r\nx", length)),
              "malformed 200 unidentified")
        << length;
  for (const std::string_view size : {"", "g", "-1", "fffffffffffffffff", " ", "0x1"})
    EXPECT_EQ(parse(start + fmt::format("Transfer-Encoding: chunked\r\n\r\n{}\r\nx\r\n", size)),
              "malformed 200 unidentified")
        << size;
  EXPECT_EQ(parse(start + "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n"),
            "malformed 200 unidentified");
  EXPECT_EQ(
      parse(start + "Transfer-Encoding: Chunked\r\n\r\n1;ext=1\r\nx\r\n0\r\nTrailer: x\r\n\r\n"),
      "done 200 other");
}

TEST(HttpAnswer, HeadersAreBounded) {
  const std::string start = "HTTP/1.1 200 OK\r\n";
  EXPECT_EQ(parse(start + "X: " + std::string(33 * 1024, 'x')), "malformed 200 unidentified");
  std::string many = start;
  while (many.size() < 33 * 1024) many += "X: y\r\n";
  EXPECT_EQ(parse(many), "malformed 200 unidentified");
  std::string interim;
  while (interim.size() < 33 * 1024) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_TRUE(parse(interim).starts_with("malformed "));
  std::string trailer = start + "Transfer-Encoding: chunked\r\n\r\n0\r\n";
  while (trailer.size() < 33 * 1024) trailer += "X: y\r\n";
  EXPECT_EQ(parse(trailer), "malformed 200 unidentified");
  EXPECT_EQ(parse(start + "X: " + std::string(30 * 1024, 'x') + "\r\nContent-Length: 0\r\n\r\n"),
            "done 200 other");
}

TEST(HttpAnswer, TheExcerptIsTheHeadAndTheFelixHostLine) {
  HttpAnswer answer(kMax);
  answer.feed(sized(std::string(5512, '#') + "\n" + std::string(kFelixLine)));
  EXPECT_EQ(answer.excerpt().size(), 512 + kFelixLine.size());
  EXPECT_TRUE(answer.excerpt().starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(answer.excerpt().ends_with("#\nfelix_host{host=\"node-1\"} 1"));

  HttpAnswer near(kMax);
  near.feed(sized(kFelixLine));
  EXPECT_EQ(near.excerpt(), sized(kFelixLine));  // not twice
}

std::string arbitrary_answer() {
  const auto lines = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
      "felix_host{host=\"n\"} 1", "felix_host 1", "typha_breadcrumb_size_count 1",
      "go_goroutines 8", "", "x\ry", "# HELP"));
  std::string body;
  for (const std::string& line : lines) body += line + "\n";
  return *rc::gen::element(sized(body), chunked(body, 1), chunked(body, 5),
                           "HTTP/1.0 200 OK\r\n\r\n" + body, sized(body, "404 X"),
                           "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + sized(body), body);
}

RC_GTEST_PROP(HttpAnswer, WhereTheStreamIsCutIntoPiecesDoesNotMatter, (bool closes)) {
  const std::string bytes = arbitrary_answer();
  HttpAnswer pieces(kMax);
  for (std::string_view rest = bytes; !rest.empty();) {
    const auto length = *rc::gen::inRange<std::size_t>(1, rest.size() + 1);
    pieces.feed(rest.substr(0, length));
    rest.remove_prefix(length);
  }
  if (closes) pieces.end_of_stream();
  RC_ASSERT(dump(pieces) == parse(bytes, closes ? Then::close : Then::open));
}

RC_GTEST_PROP(HttpAnswer, AnyBytesEndInOneOfFourStates, (const std::vector<std::uint8_t>& noise)) {
  std::string bytes = arbitrary_answer();
  for (std::size_t i = 0; i + 1 < noise.size() && !bytes.empty(); i += 2)
    bytes[noise[i] % bytes.size()] = static_cast<char>(noise[i + 1]);
  HttpAnswer answer(200);
  answer.feed(bytes);
  answer.end_of_stream();
  RC_ASSERT(answer.state() != HttpAnswer::State::reading);
  const bool felix = answer.identity() == Identity::felix;  // its line says all, cut or not
  RC_ASSERT(felix || answer.state() == HttpAnswer::State::done ||
            answer.identity() == Identity::unidentified || answer.identity() == Identity::none);
}

TEST(MetricsScan, KeepsAtMostOneBoundedLine) {
  MetricsScan scan;
  for (int i = 0; i < 1000; ++i) scan.feed(std::string(1000, 'x'));
  scan.feed("\nfelix_host{host=\"n\"} 1\n");
  EXPECT_EQ(scan.felix_host(), MetricsScan::FelixHost::seen);
  EXPECT_EQ(scan.line(), "felix_host{host=\"n\"} 1");
}

}  // namespace
}  // namespace catflap::net
