// Headers that nearly every file uses, parsed once per preset. Nothing of ours: a change here rebuilds all.
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>
