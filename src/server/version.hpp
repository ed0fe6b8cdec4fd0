#pragma once

#include <string_view>

namespace penstock::server {

/// As in CMakeLists.txt's project().
inline constexpr std::string_view version = "0.1.0";

}  // namespace penstock::server
