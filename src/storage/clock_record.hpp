// How far a virtual clock had got, so that time does not go back for what is stored when the server is started again.
#pragma once

#include <optional>

#include "penstock/store.hpp"
#include "penstock/time.hpp"

namespace penstock::storage {

void encode_clock(Instant shown, WriteBatch& batch);
/// `shown` is empty if no clock was ever kept.
StoreError read_clock(const Store& store, std::optional<Instant>& shown);

}  // namespace penstock::storage
