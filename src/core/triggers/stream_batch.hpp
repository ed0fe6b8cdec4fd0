// A batch of a stream's records, and what becomes of it: the rules by which it is tried again, split, or given up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/mappings.hpp"
#include "penstock/time.hpp"
#include "penstock/trigger_commands.hpp"
#include "penstock/triggers.hpp"

namespace penstock::core {

inline constexpr std::string_view retries_exhausted = "RetryAttemptsExhausted";
inline constexpr std::string_view record_age_exceeded = "RecordAgeExceeded";

struct StreamBatch {
  std::vector<SourceItem> items;  ///< in their order; none: only ends a tumbling window
  bool is_final = false;          ///< ends its tumbling window
  bool in_window = false;         ///< of the latest try: in a tumbling window, so that it has to answer with a state
  int failures = 0;               ///< of those that count: MaximumRetryAttempts allows one more than it says
  int in_vain = 0;                ///< tries since the latest progress, with which the delay grows
  std::string request_id;         ///< of the latest try
  std::string function_error;     ///< which that answered; empty if it was no error
  std::string condition;          ///< why it is given up; empty: it is not
};

/// What comes next for a batch.
enum class Verdict : std::uint8_t {
  done,
  again,      ///< it has failed, and is tried again after a delay
  unreached,  ///< the function was not reached, which counts for nothing: after a delay, too
  split,      ///< its first `split_at` items go on their own, and then the others
  given_up,
};
struct Judgement {
  Verdict verdict{};
  std::size_t succeeded = 0;  ///< so many items at the front are done; the verdict is of the others
  std::size_t split_at = 0;   ///< counts from behind those
  bool malformed = false;     ///< the function did answer, and what it answered is no use
};

/// What an invocation's end means for its batch. A plain error with bisecting halves the batch; an item that is named
/// as failed ends what has succeeded. Neither kind of split consumes a retry.
Judgement judge(const MappingConfig& config, const StreamBatch& batch, const InvocationOver& over);

/// How long to wait after the `in_vain`-th try that came to nothing, counted from 0.
Millis retry_delay(const TriggerLimits& limits, int in_vain);

}  // namespace penstock::core
