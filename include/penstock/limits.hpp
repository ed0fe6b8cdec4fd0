// Every limit has a name and stands here. The service's own numbers are constants; what an operator or a test may
// tighten is a value of type Limits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "penstock/time.hpp"

namespace penstock {

namespace sqs_limits {
inline constexpr std::size_t message_bytes_max = 1'048'576;  ///< also the cap of a batch's total
inline constexpr std::size_t message_bytes_min = 1'024;      ///< smallest MaximumMessageSize
inline constexpr std::size_t batch_entries_max = 10;
inline constexpr std::size_t batch_id_chars_max = 80;
inline constexpr std::size_t queue_name_chars_max = 80;
inline constexpr std::size_t message_attributes_max = 10;
inline constexpr std::size_t attribute_name_chars_max = 256;
inline constexpr int receive_messages_max = 10;
inline constexpr int wait_seconds_max = 20;
inline constexpr int delay_seconds_max = 900;
inline constexpr int visibility_seconds_max = 43'200;
inline constexpr int retention_seconds_min = 60;
inline constexpr int retention_seconds_max = 1'209'600;
inline constexpr int retention_seconds_default = 345'600;
inline constexpr int visibility_seconds_default = 30;
inline constexpr int list_results_max = 1'000;
inline constexpr Millis purge_interval{60'000};
inline constexpr Millis recreate_interval{60'000};
}  // namespace sqs_limits

/// What the engine enforces and how much it keeps in memory, per queue unless stated. The defaults are the
/// service's; the simulation shrinks them so that every edge is met.
struct Limits {
  bool strict = false;                       ///< the 60 s rules of PurgeQueue and of creating a deleted queue again
  std::size_t in_flight_max = 120'000;       ///< beyond it a short poll answers OverLimit, a long one waits
  std::size_t fresh_window_max = 4'096;      ///< never-received messages known in memory; the rest stay on disk
  std::size_t fresh_load_count_max = 1'024;  ///< entries of one load of the window
  std::size_t fresh_load_bytes_max = 4U << 20U;
  std::size_t resident_idle_max = 65'536;    ///< delayed and returned messages in memory; the rest stay on disk
  std::size_t state_load_count_max = 1'024;  ///< state records looked at by one load
  std::size_t expire_batch_max = 1'000;      ///< messages that retention drops in one step
  std::size_t parked_receives_max = 10'000;  ///< long polls waiting at one queue; one more is throttled
};

}  // namespace penstock
