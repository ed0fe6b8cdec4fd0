// The records of what the engine answers: it says which, and they are read here, in the thread of whoever asked, so
// that a shard's writers do not wait while its readers are served.
#pragma once

#include <optional>

#include "penstock/commands.hpp"
#include "penstock/store.hpp"

namespace penstock::server {

/// Reads a page's records; answers what the client is to be told if that is not possible, and logs why.
std::optional<Error> read_records(const Store& store, RecordsPage& page);

/// Reads whatever records the result is about, or makes it an error. Of what a poll is answered the batches are read in
/// their order until there are as many records or bytes as were asked for, and those behind are left out. Only the
/// first record of all may be larger than that.
void read_records(const Store& store, Result& result);

}  // namespace penstock::server
