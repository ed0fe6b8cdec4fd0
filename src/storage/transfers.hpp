// Moves between queues that the end of the process has cut off. The destination writes the message and, beside it,
// where it came from; the origin drops its own; the destination forgets where it came from. So an arrival that a start
// finds names a message that may be there twice.
#pragma once

#include <cstddef>

#include "penstock/store.hpp"

namespace penstock::storage {

/// Arrivals that are completed by one commit.
inline constexpr std::size_t transfer_batch_max = 256;

/// Drops, for each arrival of any queue, what its origin still has of the message, and the arrival itself; each batch
/// is synced. Where it is cut off itself, it completes the rest the next time. Needs no memory but for a batch.
/// REQUIRES: no engine is using the store.
StoreError complete_transfers(Store& store);

}  // namespace penstock::storage
