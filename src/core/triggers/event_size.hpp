// How large an event is, of which the records are known as they are rendered: what a mapping may put into one is
// limited with all that is around them.
#pragma once

#include <cstddef>
#include <string_view>

namespace penstock::core {

/// `{"Records":[` and `]}`.
inline constexpr std::size_t event_frame_bytes = 14;

/// What a tumbling window adds at most, without its state and the stream's ARN: the members' names, two moments, the
/// name of the shard and two flags.
inline constexpr std::size_t window_frame_bytes = 256;

/// Of an event with so many records, which have so many bytes together, and a comma between each two.
constexpr std::size_t event_bytes(std::size_t records, std::size_t record_bytes) {
  return event_frame_bytes + record_bytes + (records > 1 ? records - 1 : 0);
}

}  // namespace penstock::core
