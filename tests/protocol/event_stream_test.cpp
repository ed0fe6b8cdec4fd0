// Frames, byte by byte; the expected ones were read by another implementation's parser.
#include "protocol/event_stream.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::protocol::testing {
namespace {

std::uint32_t u32_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (const char byte : bytes.substr(at, 4)) value = (value << 8U) | static_cast<unsigned char>(byte);
  return value;
}

/// Bit by bit.
std::uint32_t slow_crc(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

/// A frame as text: "name=value name=value | payload".
std::string to_text(std::string_view frame) {
  EXPECT_GE(frame.size(), 16U);
  EXPECT_EQ(u32_at(frame, 0), frame.size());
  EXPECT_EQ(u32_at(frame, 8), slow_crc(frame.substr(0, 8)));
  EXPECT_EQ(u32_at(frame, frame.size() - 4), slow_crc(frame.substr(0, frame.size() - 4)));
  const std::size_t headers_size = u32_at(frame, 4);
  std::string_view headers = frame.substr(12, headers_size);
  std::string text;
  while (!headers.empty()) {
    const std::size_t name_size = static_cast<unsigned char>(headers[0]);
    const std::string_view name = headers.substr(1, name_size);
    headers.remove_prefix(1 + name_size);
    EXPECT_EQ(headers[0], 7);
    const std::size_t value_size =
        static_cast<unsigned char>(headers[1]) * 256U + static_cast<unsigned char>(headers[2]);
    text.append(name).append("=").append(headers.substr(3, value_size)).append(" ");
    headers.remove_prefix(3 + value_size);
  }
  return text.append("| ").append(frame.substr(12 + headers_size, frame.size() - 16 - headers_size));
}

TEST(EventStream, Frames) {
  EXPECT_EQ(to_text(event_frame({}, "")), "| ");
  EXPECT_EQ(to_text(initial_response_frame()),
            ":event-type=initial-response :content-type=application/json :message-type=event | {}");
  EXPECT_EQ(to_text(json_event_frame("SubscribeToShardEvent", R"({"Records":[]})")),
            ":event-type=SubscribeToShardEvent :content-type=application/json :message-type=event | {\"Records\":[]}");
  EXPECT_EQ(to_text(exception_frame("ResourceInUseException", "a \"b\"")),
            R"(:exception-type=ResourceInUseException :content-type=application/json :message-type=exception | )"
            R"({"message":"a \"b\""})");
  const std::string large(300, 'v');
  EXPECT_EQ(to_text(event_frame(std::array{EventHeader{"n", large}}, large)), "n=" + large + " | " + large);
}

TEST(EventStream, KnownBytes) {
  // The smallest frame there is, as every SDK's tests have it.
  EXPECT_EQ(event_frame({}, ""), std::string("\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2\x48\xeb\x7d\x98\xc8\xff", 16));
}

}  // namespace
}  // namespace penstock::protocol::testing
