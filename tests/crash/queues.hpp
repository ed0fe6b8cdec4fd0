// The queues of a crash test. A queue is named by its place in the table, by the tests, the clients and the ledger
// alike.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::crash {

struct QueuePlan {
  std::string_view name;
  bool fifo = false;
  std::optional<std::size_t> dead_letters = std::nullopt;  // where what was received too often goes
};

/// The load sends to these, the dead-letter queues follow.
inline constexpr std::size_t source_count = 6;
inline constexpr std::size_t fifo_queue = 3;
inline constexpr std::size_t work_queue = 4;
inline constexpr std::size_t fifo_work_queue = 5;
inline constexpr std::array<QueuePlan, 8> queues{{{"crash-0"},
                                                  {"crash-1"},
                                                  {"crash-2"},
                                                  {"crash-3.fifo", true},
                                                  {"crash-work", false, 6},
                                                  {"crash-work.fifo", true, 7},
                                                  {"crash-dead"},
                                                  {"crash-dead.fifo", true}}};

/// Of the queues that have a dead-letter queue.
inline constexpr std::uint64_t max_receive_count = 2;

/// Few enough that a group has several messages, and so many that not all are locked.
inline std::string group_of(std::uint64_t number) { return "group-" + std::to_string(number % 8); }

inline std::string deduplication_id_of(std::uint64_t number) { return "once-" + std::to_string(number); }

/// Of the messages of a queue with dead letters, those that no worker can process.
inline bool is_poison(std::uint64_t number) { return number % 3 == 0; }

}  // namespace penstock::crash
