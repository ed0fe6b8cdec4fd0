#include "storage/clock_record.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include "penstock/server_commands.hpp"
#include "storage/keys.hpp"

namespace penstock::storage {

namespace {

constexpr std::size_t moment_bytes = sizeof(std::uint64_t);
constexpr std::size_t record_bytes = 2 * moment_bytes + 1;

std::uint64_t number_of(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = (number << 8U) | static_cast<unsigned char>(byte);
  return number;
}

}  // namespace

// Its value is the moment in milliseconds since 1970, the speed, and a byte that is 1 if it stands still; numbers are
// written as in keys. What was written before there were the latter two ends behind the moment.
void encode_clock(const ClockRecord& clock, WriteBatch& batch) {
  Key value;
  value.append_u64(static_cast<std::uint64_t>(to_epoch_ms(clock.shown)));
  value.append_u64(static_cast<std::uint64_t>(clock.speed));
  value.append_byte(clock.frozen ? '\1' : '\0');
  batch.put(Table::catalog, clock_key().view(), value.view());
}

void drop_clock(WriteBatch& batch) { batch.drop(Table::catalog, clock_key().view()); }

StoreError read_clock(const Store& store, std::optional<ClockRecord>& clock) {
  clock.reset();
  std::string value;
  StoreError error = store.get(Table::catalog, clock_key().view(), value);
  if (error.status == StoreStatus::not_found) return {};
  if (error) return error;
  if (value.size() != moment_bytes && value.size() != record_bytes) {
    return {StoreStatus::corrupt, "the virtual clock's moment is none"};
  }
  const std::string_view bytes = value;
  ClockRecord read;
  read.shown = from_epoch_ms(static_cast<std::int64_t>(number_of(bytes.substr(0, moment_bytes))));
  if (value.size() == record_bytes) {
    const std::uint64_t speed = number_of(bytes.substr(moment_bytes, moment_bytes));
    if (speed < 1 || speed > static_cast<std::uint64_t>(server_limits::clock_speed_max)) {
      return {StoreStatus::corrupt, "the virtual clock's speed is none"};
    }
    read.speed = static_cast<std::int64_t>(speed);
    read.frozen = bytes.back() != '\0';
  }
  clock = read;
  return {};
}

}  // namespace penstock::storage
