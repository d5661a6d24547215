#include "kube/subprocess.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/handle.hpp"

namespace catflap::kube {

namespace {

constexpr int kPollMilliseconds = 50;  // how long a stop request may wait

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Result<Pipe> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0)
    return Error{.what = "no pipe could be made", .system_code = errno};
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const auto& text : texts)
    out.push_back(const_cast<char*>(text.c_str()));  // posix_spawn does not write
  out.push_back(nullptr);
  return out;
}

/// The attributes and actions of posix_spawn, freed together.
struct SpawnSetup {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  SpawnSetup() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
};

Result<pid_t> spawn(const Program& program, const Pipe& out, const Pipe& err) {
  SpawnSetup setup;
  posix_spawn_file_actions_adddup2(&setup.actions, out.write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&setup.actions, err.write.get(), STDERR_FILENO);
  sigset_t none;
  sigemptyset(&none);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigmask(&setup.attributes, &none);  // ours may be blocked for a signal thread
  posix_spawnattr_setsigdefault(&setup.attributes, &defaults);
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (program.input == Program::Input::none) {
    posix_spawn_file_actions_addopen(&setup.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    // A group of its own can be killed with its children; one that reads the terminal must stay in
    // ours.
    flags |= POSIX_SPAWN_SETPGROUP;
    posix_spawnattr_setpgroup(&setup.attributes, 0);
  }
  posix_spawnattr_setflags(&setup.attributes, flags);
  std::vector<std::string> arguments{program.command};
  arguments.insert(arguments.end(), program.arguments.begin(), program.arguments.end());
  pid_t pid = 0;
  int code = ::posix_spawnp(&pid, program.command.c_str(), &setup.actions, &setup.attributes,
                            pointers(arguments).data(), pointers(program.environment).data());
  if (code != 0) {
    return Error{.kind = code == ENOENT ? ErrorKind::not_found : ErrorKind::internal,
                 .what = fmt::format("the program cannot be started: {}", std::strerror(code)),
                 .subject = program.command,
                 .system_code = code};
  }
  return pid;
}

/// The child; killed and waited for if it is still there.
class Child {
 public:
  Child(pid_t pid, Program::Input input)
      : pid_(pid), target_(input == Program::Input::none ? -pid : pid) {}
  ~Child() {
    if (pid_ == 0) return;
    ::kill(target_, SIGKILL);
    (void)wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  [[nodiscard]] bool ended() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
  }

 private:
  pid_t pid_;
  pid_t target_;
};

/// Hands on what is there; false at the end.
bool drain(int fd, const std::function<void(std::string_view)>& take) {
  char buffer[4096];
  ssize_t n = ::read(fd, buffer, sizeof buffer);
  if (n < 0) return errno == EINTR || errno == EAGAIN;
  if (n == 0) return false;
  if (take) take({buffer, static_cast<std::size_t>(n)});
  return true;
}

}  // namespace

Result<ProgramOutput> run_program(const Program& program, const std::stop_token& stop) {
  TRY_ASSIGN(Pipe out, make_pipe());
  TRY_ASSIGN(Pipe err, make_pipe());
  TRY_ASSIGN(pid_t pid, spawn(program, out, err));
  out.write.reset();
  err.write.reset();
  Child child(pid, program.input);
  ProgramOutput result;
  auto deadline = std::chrono::steady_clock::now() + program.timeout;
  std::array<pollfd, 2> fds{pollfd{out.read.get(), POLLIN, 0}, pollfd{err.read.get(), POLLIN, 0}};
  bool child_ended = false;
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    if (stop.stop_requested())
      return Error{.kind = ErrorKind::interrupted, .what = "stopped", .subject = program.command};
    if (std::chrono::steady_clock::now() >= deadline) {
      return Error{
          .kind = ErrorKind::timed_out,
          .what = fmt::format("the program did not end within {}", to_string(program.timeout)),
          .subject = program.command};
    }
    int ready = ::poll(fds.data(), fds.size(), kPollMilliseconds);
    // A grandchild may hold the pipes open for ever: the child's own end and silence are the end.
    if (ready <= 0 && child_ended) break;
    if (ready <= 0) child_ended = child.ended();
    auto keep = [&](std::string_view bytes) { result.stdout_ += bytes; };
    if (fds[0].revents != 0 && !drain(fds[0].fd, keep)) fds[0].fd = -1;
    if (fds[1].revents != 0 && !drain(fds[1].fd, program.on_stderr)) fds[1].fd = -1;
    if (result.stdout_.size() > program.max_stdout) {
      return Error{.kind = ErrorKind::malformed_input,
                   .what = "the program wrote too much",
                   .subject = program.command};
    }
  }
  while (!child.ended()) {
    if (stop.stop_requested() || std::chrono::steady_clock::now() >= deadline) {
      return Error{.kind = stop.stop_requested() ? ErrorKind::interrupted : ErrorKind::timed_out,
                   .what = "the program closed its output but did not end",
                   .subject = program.command};
    }
    ::usleep(1000);
  }
  result.exit_code = child.wait();
  return result;
}

}  // namespace catflap::kube
