// Between the engine's typed records and a Store's bytes. The flatbuffers code is used in records.cpp only; every
// record is verified when it is read, and one that fails is `corrupt`, never a crash.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "penstock/engine.hpp"
#include "penstock/limits.hpp"
#include "penstock/records.hpp"
#include "penstock/store.hpp"

namespace penstock::storage {

/// The format this build writes; a data directory of a newer one is refused. Kept under one key of the catalog.
inline constexpr std::uint32_t format_version = 1;

/// Appends the bytes of the mutations to `batch`, in order.
void encode(const std::vector<Mutation>& mutations, WriteBatch& batch);

/// Writes the format's version into an empty store, checks it in any other: `unsupported` if newer.
StoreError open_format(Store& store);

/// Everything a start needs, queue by queue: the catalog, each cursor and the first `limits.in_flight_max +
/// limits.resident_idle_max` state records. Reads nothing of the messages, so its time does not grow with a backlog.
StoreError recover(const Store& store, const Limits& limits, std::vector<RecoveredQueue>& queues);

/// not_found if the message was dropped meanwhile.
StoreError read_message(const Store& store, QueueId queue, Sequence sequence,
                        std::shared_ptr<const StoredMessage>& message);

/// Runs a load and gives the command that carries its answer.
StoreError run_load(const Store& store, const Load& load, Command& answer);

}  // namespace penstock::storage
