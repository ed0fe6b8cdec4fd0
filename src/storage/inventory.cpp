#include "storage/inventory.hpp"

#include <functional>
#include <string>
#include <utility>

#include "storage/decoding.hpp"
#include "storage/keys.hpp"

namespace penstock::storage {
namespace {

StoreError read(const Store& store, const KeyRange& range, const char* what,
                const std::function<bool(std::string_view key, std::string_view value)>& take) {
  bool whole = true;
  const auto visit = [&](std::string_view key, std::string_view value) { return whole = take(key, value); };
  if (StoreError error = store.scan(Table::catalog, range.from.view(), range.until.view(), visit)) return error;
  if (!whole) return {StoreStatus::corrupt, std::string(what) + " in the catalog"};
  return {};
}

}  // namespace

StoreError take_inventory(const Store& store, Inventory& inventory) {
  inventory = {};
  StoreError error = read(store, all_queues(), "a queue", [&](std::string_view, std::string_view value) {
    QueueRecord record;
    if (!decode_queue(value, record)) return false;
    (record.deleted ? inventory.graves : inventory.queues).push_back(std::move(record.name));
    return true;
  });
  if (error) return error;
  error = read(store, all_streams(), "a stream", [&](std::string_view, std::string_view value) {
    StreamInfo info;
    if (!decode_stream(value, info)) return false;
    inventory.streams.push_back(std::move(info.name));
    return true;
  });
  if (error) return error;
  error = read(store, all_functions(), "a function", [&](std::string_view, std::string_view value) {
    FunctionRecord function;
    if (!decode_function(value, function)) return false;
    inventory.functions.push_back(std::move(function.name));
    return true;
  });
  if (error) return error;
  error = read(store, all_mappings(), "an event source mapping", [&](std::string_view key, std::string_view value) {
    auto uuid = parse_mapping_key(key);
    MappingRecord mapping;
    if (!uuid || !decode_mapping(value, mapping)) return false;
    mapping.uuid = *std::move(uuid);
    inventory.mappings.push_back(mapping.name());
    return true;
  });
  if (error) return error;
  return read(store, all_async_events(), "an asynchronous invoke", [&](std::string_view, std::string_view value) {
    AsyncEvent event;
    if (!decode_async_event(value, event)) return false;
    inventory.awaited.insert(std::move(event.function));
    return true;
  });
}

}  // namespace penstock::storage
