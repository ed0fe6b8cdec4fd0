// Time as the engine sees it: an argument, never a call. Nothing below src/server reads a clock.
#pragma once

#include <chrono>

namespace penstock {

/// A length of time in whole milliseconds, the unit of every deadline.
using Millis = std::chrono::milliseconds;

/// A moment, in milliseconds since the Unix epoch (UTC, no leap seconds).
using Instant = std::chrono::sys_time<Millis>;

/// Milliseconds since the Unix epoch, the form in which SQS reports SentTimestamp.
constexpr std::int64_t to_epoch_ms(Instant at) { return at.time_since_epoch().count(); }

constexpr Instant from_epoch_ms(std::int64_t ms) { return Instant{Millis{ms}}; }

}  // namespace penstock
