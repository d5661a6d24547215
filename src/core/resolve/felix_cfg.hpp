// /etc/calico/felix.cfg as Felix reads it: an INI file whose sections mean nothing, since Felix
// merges them all.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace catflap {

/// Every key with its value; names that differ in case stay apart (Felix then takes one at random).
/// A key that stands in two sections has the value of the section that appears later in the file
/// for the first time. malformed_input for a text that Felix's INI library refuses: Felix does not
/// start with it. Source: felix/config/file_loader.go, github.com/go-ini/ini v1.67.0 with default
/// options.
[[nodiscard]] Result<std::map<std::string, std::string>> parse_felix_cfg(std::string_view text);

}  // namespace catflap
