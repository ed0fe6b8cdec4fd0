// Between the engine's typed records and a Store's bytes. Every record is verified when it is read, and one that
// fails is `corrupt`, never a crash. What is read of streams is in stream_records.hpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "penstock/engine.hpp"
#include "penstock/limits.hpp"
#include "penstock/records.hpp"
#include "penstock/store.hpp"

namespace penstock::storage {

class MessageReader;

/// The format this build writes; a data directory of a newer one is refused. Kept under one key of the catalog.
///   1  standard queues
///   2  FIFO queues, dead letters, lanes and move tasks; what 1 has is as it was
///   3  streams; what 2 has is as it was
///   4  consumers with positions; what 3 has is as it was
///   5  functions and event source mappings; what 4 has is as it was
inline constexpr std::uint32_t format_version = 5;

/// Appends the bytes of the mutations to `batch`, in order.
void encode(const std::vector<Mutation>& mutations, WriteBatch& batch);

/// The format's version that a store says; not_found if it says none.
StoreError read_format(const Store& store, std::uint32_t& version);

/// Writes the format's version into an empty store, checks it in any other: `unsupported` if newer, upgraded in place
/// if older.
StoreError open_format(Store& store);

/// Everything a start needs, queue by queue, after completing the moves between queues that were cut off. Of a standard
/// queue the first `limits.in_flight_max + limits.resident_idle_max` state records and the first entries of at most
/// `limits.lanes_max` lanes; of a FIFO queue the first `limits.fifo_window_max` state records from its cursor's head
/// on, the deduplication entries and receive attempts. Reads nothing of the messages, so its time does not grow with a
/// standard queue's backlog.
StoreError recover(Store& store, const Limits& limits, std::vector<RecoveredQueue>& queues);

/// not_found if none was written.
StoreError read_cursor(const Store& store, QueueId queue, QueueCursor& cursor);

/// In no order.
StoreError read_move_tasks(const Store& store, QueueId queue, std::vector<MoveTask>& tasks);

/// Why the message of an arrival's record came.
StoreError decode_arrival(std::string_view value, TransferKind& kind);

/// not_found if the message was dropped meanwhile.
StoreError read_message(const Store& store, QueueId queue, Sequence sequence,
                        std::shared_ptr<const StoredMessage>& message);

/// The message that a record's bytes are.
StoreError decode_message(QueueId queue, Sequence sequence, std::string_view value,
                          std::shared_ptr<const StoredMessage>& message);

/// Runs a load and gives the command that carries its answer. A reader, if there is one, is given the messages that the
/// load comes upon, which it is likely to be asked for next.
StoreError run_load(const Store& store, const Load& load, Command& answer, MessageReader* reader = nullptr);

}  // namespace penstock::storage
