// Times as people write them.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace penstock::config {

/// Seconds since 1970, or a date with a time of day, such as 2030-01-31T12:00:00.5Z or 2030-01-31 12:00+02:00 (UTC
/// where it says nothing else). Nothing if it is neither.
std::optional<std::chrono::sys_time<std::chrono::milliseconds>> parse_time(std::string_view text);

}  // namespace penstock::config
