#include "sockets/felix_process.hpp"

namespace catflap::sockets {

bool is_felix(const std::vector<std::string_view>& arguments) {
  if (arguments.empty()) return false;
  const auto program = arguments[0].substr(arguments[0].rfind('/') + 1);
  if (program == "calico-felix") return true;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const auto word = arguments[i];
    if (word == "-felix" || word == "--felix" || word == "-felix=true" || word == "--felix=true") {
      return true;
    }
    if (word == "felix" && arguments[i - 1] == "component") return true;
  }
  return false;
}

std::vector<std::string_view> arguments_of(std::string_view cmdline) {
  std::vector<std::string_view> arguments;
  while (!cmdline.empty()) {
    const auto end = cmdline.find('\0');
    arguments.push_back(cmdline.substr(0, end));
    cmdline = end == std::string_view::npos ? std::string_view() : cmdline.substr(end + 1);
  }
  return arguments;
}

bool may_be_felix(std::string_view comm) {
  return comm.find("calico") != std::string_view::npos ||
         comm.find("felix") != std::string_view::npos ||
         comm.find("cnx-node") != std::string_view::npos;
}

}  // namespace catflap::sockets
