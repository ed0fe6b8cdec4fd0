// How far a virtual clock had got and how it ran, so that time does not go back for what is stored when the server is
// started again.
#pragma once

#include <cstdint>
#include <optional>

#include "penstock/store.hpp"
#include "penstock/time.hpp"

namespace penstock::storage {

struct ClockRecord {
  Instant shown{};
  bool frozen = false;
  std::int64_t speed = 1;
};

void encode_clock(const ClockRecord& clock, WriteBatch& batch);
void drop_clock(WriteBatch& batch);
/// `clock` is empty if none is kept.
StoreError read_clock(const Store& store, std::optional<ClockRecord>& clock);

}  // namespace penstock::storage
