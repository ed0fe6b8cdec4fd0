// The frames of `application/vnd.amazon.eventstream`, in which SubscribeToShard answers. Big-endian:
//
//     u32 size of the frame | u32 size of the headers | u32 CRC of these eight bytes
//     headers, each: u8 size of the name | name | u8 7, a string | u16 size of the value | value
//     payload | u32 CRC of all before
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace penstock::protocol {

inline constexpr std::string_view event_stream_content_type = "application/vnd.amazon.eventstream";

struct EventHeader {
  std::string_view name;   ///< at most 255 bytes
  std::string_view value;  ///< at most 65,535 bytes
};

std::string event_frame(std::span<const EventHeader> headers, std::string_view payload);

/// The first frame of every stream, without which some clients wait for ever.
std::string initial_response_frame();

/// `type` is the event's member in the model, such as SubscribeToShardEvent; `json` its payload, which is JSON whatever
/// the request was.
std::string json_event_frame(std::string_view type, std::string_view json);

/// The last frame of a stream that ends with an error. `type` is the error's name without a namespace.
std::string exception_frame(std::string_view type, std::string_view message);

}  // namespace penstock::protocol
