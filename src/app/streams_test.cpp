// Descriptors, with pipes of this process; tests/probe/streams has whole runs.
#include "app/streams.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <ostream>
#include <thread>

#include "base/handle.hpp"

namespace catflap::app {
namespace {

using namespace std::chrono_literals;

struct Pipe {
  UniqueFd read, write;
  Pipe() {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
  void put(std::string_view text) const {
    EXPECT_EQ(::write(write.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
};

std::optional<std::string> next(LineReader& lines, const std::stop_token& stop = {}) {
  auto line = lines.next(stop);
  EXPECT_TRUE(line.has_value());
  return line ? *line : std::nullopt;
}

TEST(LineReader, CutsLinesWhateverThePieces) {
  Pipe pipe;
  LineReader lines(pipe.read.get());
  pipe.put("one\ntw");
  EXPECT_EQ(next(lines), "one");
  pipe.put(std::string_view("o\0\n\nlast", 8));
  pipe.write.reset();
  EXPECT_EQ(next(lines), std::string("two\0", 4));
  EXPECT_EQ(next(lines), "");
  EXPECT_EQ(next(lines), "last");  // without its end
  EXPECT_EQ(next(lines), std::nullopt);
}

TEST(LineReader, AStopRequestEndsTheWait) {
  Pipe pipe;
  LineReader lines(pipe.read.get());
  std::stop_source stop;
  std::thread later([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });
  EXPECT_EQ(next(lines, stop.get_token()), std::nullopt);
  later.join();
}

TEST(LineReader, AnErrorIsNotTheEnd) {
  const UniqueFd folder(::open("/", O_RDONLY | O_CLOEXEC));
  LineReader lines(folder.get());
  const auto line = lines.next({});
  ASSERT_FALSE(line.has_value());
  EXPECT_EQ(line.error().what, "cannot be read: Is a directory");
}

TEST(OutputBuffer, WritesAllOfIt) {
  Pipe pipe;
  const std::string text(300'000, 'x');
  std::string got;
  std::thread reader([&] {
    std::array<char, 5000> piece{};
    for (ssize_t count = 0; (count = ::read(pipe.read.get(), piece.data(), piece.size())) > 0;)
      got.append(piece.data(), static_cast<std::size_t>(count));
  });
  OutputBuffer buffer(pipe.write.get(), {});
  std::ostream out(&buffer);
  out << "a" << text << "b" << std::flush;
  EXPECT_TRUE(out.good());
  pipe.write.reset();
  reader.join();
  EXPECT_EQ(got, "a" + text + "b");
}

TEST(OutputBuffer, AStopRequestEndsTheWaitForAReader) {
  Pipe pipe;
  std::stop_source stop;
  stop.request_stop();
  OutputBuffer buffer(pipe.write.get(), stop.get_token());
  std::ostream out(&buffer);
  out << "before" << std::flush;
  EXPECT_TRUE(out.good());  // there is room
  out << std::string(1'000'000, 'x') << std::flush;
  EXPECT_FALSE(out.good());
}

TEST(OutputBuffer, NobodyReadsAnyMore) {
  std::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  pipe.read.reset();
  OutputBuffer buffer(pipe.write.get(), {});
  std::ostream out(&buffer);
  out << "x";
  EXPECT_TRUE(out.good());
  EXPECT_FALSE(out.flush().good());
}

}  // namespace
}  // namespace catflap::app
