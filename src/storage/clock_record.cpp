#include "storage/clock_record.hpp"

#include <string>

#include "storage/keys.hpp"

namespace penstock::storage {

// Its value is the moment in milliseconds since 1970, as a key's numbers are written.
void encode_clock(Instant shown, WriteBatch& batch) {
  Key value;
  value.append_u64(static_cast<std::uint64_t>(to_epoch_ms(shown)));
  batch.put(Table::catalog, clock_key().view(), value.view());
}

StoreError read_clock(const Store& store, std::optional<Instant>& shown) {
  shown.reset();
  std::string value;
  StoreError error = store.get(Table::catalog, clock_key().view(), value);
  if (error.status == StoreStatus::not_found) return {};
  if (error) return error;
  if (value.size() != sizeof(std::uint64_t)) return {StoreStatus::corrupt, "the virtual clock's moment is none"};
  std::uint64_t ms = 0;
  for (const char byte : value) ms = (ms << 8U) | static_cast<unsigned char>(byte);
  shown = from_epoch_ms(static_cast<std::int64_t>(ms));
  return {};
}

}  // namespace penstock::storage
