// demo: the embedded cluster, for people who want to see or try catflap, and for the scenarios.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <ostream>
#include <sstream>

#include "app/commands.hpp"
#include "app/demo_story.hpp"
#include "base/handle.hpp"
#include "sim/cluster.hpp"

namespace catflap::app {
namespace {

constexpr const char* kKubeconfig = "catflap-demo.kubeconfig";

Result<std::string> read_scenario(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return Error{.kind = ErrorKind::usage, .what = "cannot be read", .subject = path};
  return text.str();
}

/// For its owner only: there are tokens in it.
Result<void> write_kubeconfig(const std::string& path, const std::string& text) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return Error{.kind = ErrorKind::usage,
                 .what = std::string{"cannot be written: "} + std::strerror(errno),
                 .subject = path,
                 .hint = "choose another place with --kubeconfig FILE",
                 .system_code = errno};
  return {};
}

/// Until somebody asks for the end, or the cluster does not serve any more.
Result<int> serve(const sim::Cluster& cluster, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    changed.wait_for(lock, stop, std::chrono::milliseconds{200}, [] { return false; });
    if (const auto why = cluster.failure())
      return Error{.kind = ErrorKind::internal, .what = "the embedded cluster ended: " + *why};
  }
  return 0;
}

/// A folder that goes with everything in it.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::error_code ignored;
    const auto place = std::filesystem::temp_directory_path(ignored);
    std::string pattern = (ignored ? "/tmp" : place.string()) + "/catflap-demo-XXXXXX";
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }  // "" if it cannot be made

 private:
  std::string path_;
};

Result<int> tell(const Runtime& runtime, const Options& options) {
  if (!options.scenario_file.empty() || !options.connect.kubeconfig.empty())
    return Error{.kind = ErrorKind::usage,
                 .what = "--scenario and --kubeconfig go with --serve",
                 .hint = "add --serve"};
  const ScratchFolder folder;
  if (folder.path().empty())
    return Error{.kind = ErrorKind::usage,
                 .what = "no temporary folder can be made",
                 .hint = "set TMPDIR to a folder that you may write to"};
  TRY_ASSIGN(const auto cluster, sim::Cluster::open({.scenario = kDemoScenario}));
  const auto kubeconfig = folder.path() + "/kubeconfig";
  TRY(write_kubeconfig(kubeconfig, cluster->kubeconfig()));
  return tell_demo(runtime, options, kubeconfig, folder.path());
}

}  // namespace

Result<int> run_demo(const Runtime& runtime, const Options& options) {
  if (!options.serve) return tell(runtime, options);
  sim::Cluster::Options wanted;
  if (!options.scenario_file.empty()) {
    TRY_ASSIGN(wanted.scenario, read_scenario(options.scenario_file));
    wanted.file = options.scenario_file;
  }
  TRY_ASSIGN(const auto cluster, sim::Cluster::open(wanted));
  const auto path = options.connect.kubeconfig.empty() ? kKubeconfig : options.connect.kubeconfig;
  TRY(write_kubeconfig(path, cluster->kubeconfig()));
  if (!options.quiet)
    runtime.io.err << "kubeconfig: " << path << "\n"
                   << "try: " << options.program << " diagnose --kubeconfig " << path
                   << ", or kubectl --kubeconfig " << path << " --context admin get pods -A\n"
                   << "Ctrl-C ends it\n";
  runtime.io.out << "serving" << std::endl;
  return serve(*cluster, runtime.stop);
}

}  // namespace catflap::app
