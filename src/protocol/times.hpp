// Times as people write them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::protocol {

/// Seconds since 1970, or a date with a time of day, such as 2030-01-31T12:00:00.5Z or 2030-01-31 12:00+02:00 (UTC
/// where it says nothing else). Nothing if it is neither.
std::optional<std::chrono::sys_time<std::chrono::milliseconds>> parse_time(std::string_view text);

/// Seconds as a number, or a length of time such as 12h30m, 1d, 90s, 1.5s or 500ms. Nothing if it is neither, or longer
/// than ten thousand days.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// As ISO 8601 has it, in UTC and with milliseconds: 2030-01-31T12:00:00.000Z.
std::string format_time(std::chrono::sys_time<std::chrono::milliseconds> at);

}  // namespace penstock::protocol
