#include "app/target_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "app/streams.hpp"

namespace catflap::app {
namespace {

constexpr std::size_t kLongestLine = 4096;

using NextLine = std::function<Result<std::optional<std::string>>()>;

Result<void> read_lines(const NextLine& next, const std::string& name,
                        const TargetSource::Take& take) {
  for (std::size_t number = 1;; ++number) {
    auto line = next();
    if (!line) {
      line.error().subject = name;
      return std::move(line).error();
    }
    if (!*line) return {};
    const std::string& text = **line;
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string::npos || text[first] == '#') continue;
    if (text.size() > kLongestLine) {
      return Error{.kind = ErrorKind::usage,
                   .what = fmt::format("line {} has more than {} bytes", number, kLongestLine),
                   .subject = name,
                   .hint = "one target a line"};
    }
    auto spec = parse_target(text);
    if (!spec)
      return std::move(spec).error().with_context(fmt::format("{}, line {}", name, number));
    if (!take(*std::move(spec))) return {};
  }
}

}  // namespace

TargetSource::TargetSource(const Runtime& runtime, const Options& options)
    : runtime_(runtime), file_(options.probe.file), arguments_(options.arguments) {
  const bool nothing = arguments_.empty() && file_.empty();
  if (nothing) file_ = "-";
  missing_ = nothing && runtime.io.in_is_terminal;
}

Result<void> TargetSource::check() {
  if (missing_) {
    return Error{.kind = ErrorKind::usage,
                 .what = "no targets",
                 .hint = "name them, or give a list with -f FILE or on stdin"};
  }
  for (const std::string& argument : arguments_) {
    TRY_ASSIGN(auto spec, parse_target(argument));
    specs_.push_back(std::move(spec));
  }
  if (file_.empty() || file_ == "-") return {};
  TRY(open_file());
  if (!regular_) return {};
  TRY(read_file([](const TargetSpec&) { return true; }, runtime_.stop));
  ::lseek(descriptor_.get(), 0, SEEK_SET);
  return {};
}

/// Opened once: a FIFO gives what it has to one reader.
Result<void> TargetSource::open_file() {
  descriptor_.reset(::open(file_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat facts{};
  std::string problem;
  if (!descriptor_ || ::fstat(descriptor_.get(), &facts) != 0) {
    problem = std::system_category().message(errno);
  } else if (S_ISDIR(facts.st_mode)) {
    problem = std::system_category().message(EISDIR);
  }
  regular_ = S_ISREG(facts.st_mode);
  if (problem.empty()) return {};
  return Error{.kind = ErrorKind::usage,
               .what = "cannot be read: " + problem,
               .subject = file_,
               .hint = "check the path"};
}

Result<void> TargetSource::read_file(const Take& take, const std::stop_token& stop) const {
  LineReader lines(descriptor_.get());
  return read_lines([&] { return lines.next(stop); }, file_, take);
}

Result<void> TargetSource::read(const Take& take, const std::stop_token& stop) {
  for (TargetSpec& spec : specs_)
    if (!take(std::move(spec))) return {};
  if (file_.empty()) return {};
  if (file_ != "-") return read_file(take, stop);
  return read_lines([&] { return runtime_.io.read_line(stop); }, "stdin", take);
}

}  // namespace catflap::app
