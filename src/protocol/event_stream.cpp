#include "protocol/event_stream.hpp"

#include <zlib.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "protocol/json.hpp"

namespace penstock::protocol {
namespace {

constexpr char string_header = 7;
constexpr std::string_view json_content_type = "application/json";
/// Two sizes and their CRC.
constexpr std::size_t prelude_size = 12;
constexpr std::size_t crc_size = 4;

void append_u16(std::string& out, std::size_t value) {
  out.push_back(static_cast<char>(value >> 8U));
  out.push_back(static_cast<char>(value));
}

void append_u32(std::string& out, std::size_t value) {
  append_u16(out, value >> 16U);
  append_u16(out, value);
}

/// Of all that was written so far.
void append_crc(std::string& out) {
  append_u32(out, ::crc32_z(0, reinterpret_cast<const unsigned char*>(out.data()), out.size()));
}

std::size_t size_of(const EventHeader& header) { return 1 + header.name.size() + 1 + 2 + header.value.size(); }

}  // namespace

std::string event_frame(std::span<const EventHeader> headers, std::string_view payload) {
  std::size_t headers_size = 0;
  for (const EventHeader& header : headers) headers_size += size_of(header);
  const std::size_t size = prelude_size + headers_size + payload.size() + crc_size;
  std::string frame;
  frame.reserve(size);
  append_u32(frame, size);
  append_u32(frame, headers_size);
  append_crc(frame);
  for (const EventHeader& header : headers) {
    frame.push_back(static_cast<char>(header.name.size()));
    frame.append(header.name);
    frame.push_back(string_header);
    append_u16(frame, header.value.size());
    frame.append(header.value);
  }
  frame.append(payload);
  append_crc(frame);
  return frame;
}

std::string json_event_frame(std::string_view type, std::string_view json) {
  const std::array<EventHeader, 3> headers{{
      {":event-type", type},
      {":content-type", json_content_type},
      {":message-type", "event"},
  }};
  return event_frame(headers, json);
}

std::string initial_response_frame() { return json_event_frame("initial-response", "{}"); }

std::string exception_frame(std::string_view type, std::string_view message) {
  const std::array<EventHeader, 3> headers{{
      {":exception-type", type},
      {":content-type", json_content_type},
      {":message-type", "exception"},
  }};
  JsonSink sink;
  sink.open();
  sink.key("message");
  sink.value(message);
  sink.close();
  return event_frame(headers, sink.take());
}

}  // namespace penstock::protocol
