// Arithmetic on the ring of hash keys that the shards of a stream divide among them.
#pragma once

#include <cstddef>
#include <vector>

#include "penstock/streams.hpp"

namespace penstock::core {

HashKey before(HashKey key);  ///< REQUIRES: it is not 0

/// Where each of `count` shards of equal width begins, as the service divides: the width is 2^128 / count, rounded
/// down, and the last shard gets what that leaves. REQUIRES: count > 0.
std::vector<HashKey> uniform_starts(std::size_t count);

}  // namespace penstock::core
