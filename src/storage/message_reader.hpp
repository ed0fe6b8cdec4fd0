// Reads the messages that a shard delivers. Most are asked for in the order in which they were sent, and reading a run
// of them at once costs a fraction of what looking each up does; so where a queue's are asked for in order, what comes
// next is read ahead. What a queue has to look at anyway, to know what it has, is kept for when it is asked for.
#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <memory>

#include "penstock/ids.hpp"
#include "penstock/records.hpp"
#include "penstock/store.hpp"

namespace penstock::storage {

namespace message_reader_limits {
inline constexpr std::size_t queues_max = 16;  ///< of which something is read ahead; those asked for longest ago go
inline constexpr std::size_t ahead_max = 64;   ///< messages at a time
inline constexpr std::size_t ahead_bytes_max = 256U << 10U;  ///< of their records
inline constexpr std::size_t kept_bytes_max = 1U << 20U;     ///< of all records in memory, before more are kept
inline constexpr std::size_t in_order_min = 4;               ///< reads in order before one goes ahead
inline constexpr std::uint64_t gap_max = 16;                 ///< between two sequences that are in order still
inline constexpr std::size_t worthwhile_min = 8;             ///< messages: where fewer lie ahead, each is looked up
inline constexpr std::size_t pause_reads = 64;               ///< looked up then, before it is tried again
}  // namespace message_reader_limits

/// For one thread. What a message's record says never changes, so that what was read ahead is never out of date.
class MessageReader {
 public:
  /// The store must outlive it.
  explicit MessageReader(const Store& store) : store_(store) {}

  /// not_found if the message was dropped meanwhile, unless it was read before that.
  StoreError read(QueueId queue, Sequence sequence, std::shared_ptr<const StoredMessage>& message);

  /// Whether a message may be kept whose record is so long; queues that were asked for longer ago make way for it.
  bool make_room(QueueId queue, std::size_t bytes);
  /// Keeps a message that was read by others, unless those of its queue that come behind it are kept already.
  void keep(QueueId queue, Sequence sequence, std::shared_ptr<const StoredMessage> message, std::size_t bytes);

 private:
  struct Ahead {
    Sequence sequence;
    std::shared_ptr<const StoredMessage> message;
    std::size_t bytes = 0;  ///< of its record
  };
  struct Line {
    QueueId queue;
    Sequence last{};            ///< asked for
    std::size_t in_order = 0;   ///< reads in a row
    std::size_t pause = 0;      ///< reads until it may go ahead again
    std::deque<Ahead> ahead{};  ///< ascending
  };

  Line& line_of(QueueId queue);
  void pop(Line& line);
  StoreError read_ahead(Line& line, Sequence sequence, std::shared_ptr<const StoredMessage>& message);

  const Store& store_;
  std::list<Line> lines_;  ///< the one asked last first
  std::size_t bytes_ = 0;  ///< of all that they have ahead
};

}  // namespace penstock::storage
