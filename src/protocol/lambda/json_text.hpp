// JSON that is written by hand, in the order and with the bytes that functions are used to: what events are made of.
#pragma once

#include <string>
#include <string_view>

#include "penstock/time.hpp"

namespace penstock::protocol::lambda {

/// Appends a string with its quotes. Only what JSON has no other form for is escaped, so that other characters go
/// through as they came. REQUIRES: UTF-8.
void append_quoted(std::string& out, std::string_view text);

/// Appends the base64 of bytes with quotes.
void append_base64(std::string& out, std::string_view bytes);

/// 2026-01-31T12:00:00.000Z
std::string iso_millis(Instant at);
/// 2026-01-31T12:00:00Z
std::string iso_seconds(Instant at);
/// 2026-01-31T12:00:00.000+0000, as functions' LastModified is written.
std::string iso_millis_offset(Instant at);

}  // namespace penstock::protocol::lambda
