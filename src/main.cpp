// main: real clock, real signals, real streams; the rest is app::run. The first SIGINT or SIGTERM
// asks the run to stop (it says where it stands), the second ends the process at once.
#include <fcntl.h>
#include <nss.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <iostream>
#include <string>
#include <thread>

#include "app/connect.hpp"
#include "app/exit_code.hpp"
#include "app/runtime.hpp"
#include "app/streams.hpp"
#include "net/probe.hpp"

namespace {

using namespace catflap;

/// The static binary has no use for shared objects of the machine it runs on: those that its
/// nsswitch.conf (on a systemd machine: myhostname, resolve) or its openssl.cnf name belong to
/// another glibc, which ends the program when it is loaded.
void load_nothing() {
  ::__nss_configure_lookup("hosts", "files dns");
  ::OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
}

// A handler may only touch what is lock-free, and needs to find it: the one thing of ours that is
// global.
volatile std::sig_atomic_t signals_seen = 0;
std::array<int, 2> signal_pipe{-1, -1};

void on_signal(int /*number*/) {
  if (signals_seen != 0) ::_exit(app::kExitInterrupted);
  signals_seen = 1;
  const ssize_t ignored = ::write(signal_pipe[1], "x", 1);
  static_cast<void>(ignored);
}

constexpr int kTeardownMs = 5'000;

/// Turns the first signal into a stop request, and some seconds later into a second one, which ends
/// what the first must leave alone: the requests that give a lock back. Handlers, unlike a blocked
/// mask, are not inherited by credential plugins.
class SignalWatch {
 public:
  SignalWatch() {
    if (::pipe2(signal_pipe.data(), O_CLOEXEC) != 0) return;
    thread_ = std::thread([this] {
      char byte = 0;
      if (::read(signal_pipe[0], &byte, 1) != 1 || byte != 'x') return;
      source_.request_stop();
      pollfd end_of_run{.fd = signal_pipe[0], .events = POLLIN, .revents = 0};
      if (::poll(&end_of_run, 1, kTeardownMs) == 0) teardown_source_.request_stop();
    });
    struct sigaction action{};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    for (int number : {SIGINT, SIGTERM}) ::sigaction(number, &action, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
  }
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch() {
    if (!thread_.joinable()) return;
    const ssize_t ignored = ::write(signal_pipe[1], "q", 1);
    static_cast<void>(ignored);
    thread_.join();
  }
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }
  [[nodiscard]] std::stop_token end_of_teardown() const { return teardown_source_.get_token(); }

 private:
  std::stop_source source_;
  std::stop_source teardown_source_;
  std::thread thread_;
};

std::map<std::string, std::string> environment_of(char** variables) {
  std::map<std::string, std::string> environment;
  for (char** at = variables; *at != nullptr; ++at) {
    const std::string text = *at;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos)
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

}  // namespace

int main(int argc, char** argv, char** variables) {
  app::hold_standard_descriptors();
  load_nothing();
  const RealClock clock;
  const SignalWatch signals;
  const std::stop_token stop = signals.token();
  app::LineReader lines(STDIN_FILENO);
  app::OutputBuffer output(STDOUT_FILENO, stop);
  std::ostream out(&output);
  const app::Runtime runtime{
      .io = {.out = out,
             .err = std::cerr,
             .read_line = [&lines](const std::stop_token& until) { return lines.next(until); },
             .in_is_terminal = ::isatty(STDIN_FILENO) == 1,
             .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
             .err_is_terminal = ::isatty(STDERR_FILENO) == 1},
      .environment = environment_of(variables),
      .clock = clock,
      .stop = stop,
      .connect =
          [&](const app::ConnectFlags& flags) {
            return app::connect(flags, clock, signals.end_of_teardown(), std::cerr);
          },
      .probe =
          [&](std::span<const net::Target> targets, const net::ProbeOptions& options) {
            return net::probe(targets, options, clock);
          }};
  return app::run({argv, argv + argc}, runtime);
}
