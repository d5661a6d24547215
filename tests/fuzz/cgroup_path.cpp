// /proc/PID/cgroup; who runs in a container may name cgroups below his own.
#include "sockets/cgroup_path.hpp"

#include "planted.hpp"

namespace {

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos;
}

bool is_uid(std::string_view text) {
  if (text.size() == 32) return is_hex(text);
  return text.size() == 36 && text.find_first_not_of("0123456789abcdef-") == text.npos &&
         text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-';
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = text_of(data, size);
  const auto found = catflap::sockets::read_cgroup(text);
  require(found.container.empty() || (found.container.size() == 64 && is_hex(found.container)));
  require(found.pod_uid.empty() || is_uid(found.pod_uid));
  // It stands there so, and is not put together.
  require(text.find(found.container) != text.npos);
  planted(!found.container.empty() && found.pod_uid.size() == 36 &&
          found.pod_uid != "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9");
  return 0;
}
