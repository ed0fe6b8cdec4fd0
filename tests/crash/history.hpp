// What the parts of the ledger have in common: when something happened, and how a message is called.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace penstock::crash {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

/// When a request was begun and when its answer was complete; what the server did lies between the two.
struct Span {
  Time begun;
  Time answered;
};

inline std::string name_of(std::uint64_t number) { return "message " + std::to_string(number); }

}  // namespace penstock::crash
