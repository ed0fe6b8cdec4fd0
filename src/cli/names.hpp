// What the server has, by name: all pages of its lists.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "cli/server.hpp"

namespace penstock::cli {

/// As many as there are.
inline constexpr std::size_t all_names = std::numeric_limits<std::size_t>::max();

/// The URLs of queues whose names begin so. No page is asked for once there are so many.
std::vector<std::string> queue_urls(Server& server, const std::string& prefix, std::size_t enough = all_names);
std::vector<std::string> stream_names(Server& server, std::size_t enough = all_names);

}  // namespace penstock::cli
