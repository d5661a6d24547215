#include "app/evidence_file.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/handle.hpp"

namespace catflap::app {
namespace {

namespace fs = std::filesystem;

Error file_error(const std::string& path, const char* what, int code) {
  return Error{.kind = ErrorKind::usage,
               .what = fmt::format("{}: {}", what, std::strerror(code)),
               .subject = path,
               .hint = "choose another place with --evidence FILE",
               .system_code = code};
}

std::string state_folder(const Runtime& runtime) {
  const std::string state = runtime.variable("XDG_STATE_HOME");
  if (state.starts_with('/')) return state + "/catflap";
  const std::string home = runtime.variable("HOME");
  return home.empty() ? "" : home + "/.local/state/catflap";
}

class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_, EVP_sha256(), nullptr); }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  ~Digest() { EVP_MD_CTX_free(context_); }
  void add(std::string_view bytes) { EVP_DigestUpdate(context_, bytes.data(), bytes.size()); }
  [[nodiscard]] std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
    unsigned length = 0;
    EVP_DigestFinal_ex(context_, sum.data(), &length);
    std::string text;
    for (unsigned i = 0; i < length; ++i) text += fmt::format("{:02x}", sum[i]);
    return text;
  }

 private:
  EVP_MD_CTX* context_;
};

/// Of the running program; "" if it cannot be read.
std::string own_sha256() {
  UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  if (!file) return "";
  Digest digest;
  std::array<char, 65536> chunk{};
  for (;;) {
    const ssize_t got = ::read(file.get(), chunk.data(), chunk.size());
    if (got < 0) return "";
    if (got == 0) return digest.hex();
    digest.add({chunk.data(), static_cast<std::size_t>(got)});
  }
}

Result<void> write_all(int file, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t done = ::write(file, text.data(), text.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return file_error(path, "evidence cannot be written", errno);
    text.remove_prefix(static_cast<std::size_t>(done));
  }
  return {};
}

Result<void> write_whole(const std::string& path, std::string_view text) {
  std::string temporary = path + ".XXXXXX";
  UniqueFd file(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
  if (!file) return file_error(path, "evidence cannot be written", errno);
  auto written = write_all(file.get(), text, path);
  if (written && ::fsync(file.get()) != 0)
    written = file_error(path, "evidence cannot be stored", errno);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0) {
    written = file_error(path, "evidence cannot be stored", errno);
  }
  if (!written) ::unlink(temporary.c_str());
  return written;
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  Digest digest;
  digest.add(bytes);
  return digest.hex();
}

Result<std::string> evidence_path(const Runtime& runtime, const Options& options) {
  std::string path = options.evidence_file;
  if (path.empty()) {
    const std::string folder = state_folder(runtime);
    if (folder.empty()) {
      return Error{.kind = ErrorKind::usage,
                   .what = "there is no place for the evidence: HOME is not set",
                   .hint = "name a file with --evidence FILE"};
    }
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (failed) return file_error(folder, "the folder for evidence cannot be made", failed.value());
    std::string time = to_rfc3339(runtime.clock.now());
    std::replace(time.begin(), time.end(), ':', '-');
    path = fmt::format("{}/evidence-{}.json", folder, time);
  }
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    return file_error(path, "evidence cannot be written", EISDIR);
  const fs::path parent = fs::absolute(path).parent_path();
  if (::access(parent.c_str(), W_OK) != 0)
    return file_error(parent.string(), "evidence cannot be written", errno);
  return path;
}

Result<void> keep_document(const boost::json::value& document, const std::string& file) {
  auto written = write_whole(file, render::to_json_text(document));
  if (written) return written;
  Error error = std::move(written).error();
  error.kind = ErrorKind::internal;  // not the command line's fault any more
  error.hint =
      "what was seen is on stdout only; run catflap verify --evidence FILE for a new proof";
  return error;
}

Result<void> keep_evidence(const render::EvidenceInput& input, const render::RunInfo& run) {
  return keep_document(render::evidence_bundle(input, run, sha256_hex, own_sha256()), input.file);
}

}  // namespace catflap::app
