#include "storage/transfers.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "penstock/records.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

namespace penstock::storage {
namespace {

StoreError read_queue_ids(const Store& store, std::vector<QueueId>& queues) {
  const KeyRange range = all_queues();
  bool intact = true;
  const auto visit = [&](std::string_view key, std::string_view) {
    const std::optional<QueueId> queue = parse_queue_key(key);
    if (queue) queues.push_back(*queue);
    return intact = queue.has_value();
  };
  if (StoreError error = store.scan(Table::catalog, range.from.view(), range.until.view(), visit)) return error;
  if (!intact) return {StoreStatus::corrupt, "catalog record with a key of no queue"};
  return {};
}

/// The first arrivals of a range, as many as one commit completes. The key of the first that is left becomes the
/// range's beginning, so that those dropped meanwhile are not searched through again.
StoreError read_arrivals(const Store& store, KeyRange& range, std::vector<TransferOrigin>& origins) {
  origins.clear();
  std::optional<ArrivalKeyParts> next;
  bool intact = true;
  const auto visit = [&](std::string_view key, std::string_view) {
    const std::optional<ArrivalKeyParts> parts = parse_arrival_key(key);
    if (!parts) return intact = false;
    if (origins.size() == transfer_batch_max) {
      next = parts;
      return false;
    }
    origins.push_back(parts->origin);
    return true;
  };
  if (StoreError error = store.scan(Table::state, range.from.view(), range.until.view(), visit)) return error;
  if (!intact) return {StoreStatus::corrupt, "state table: a key of no arrival among the arrivals"};
  range.from = next ? arrival_key(next->queue, next->origin) : range.until;
  return {};
}

/// One commit, with the origins' cursors as they will be after it.
class Completion {
 public:
  explicit Completion(Store& store) : store_(store) {}

  StoreError add(QueueId destination, const TransferOrigin& origin) {
    std::string ignored;
    const StoreError found = store_.get(Table::messages, message_key(origin.queue, origin.sequence).view(), ignored);
    if (found && found.status != StoreStatus::not_found) return found;
    if (!found) {
      if (StoreError error = drop_from(origin)) return error;
    }
    mutations_.emplace_back(DropArrival{destination, origin});
    return {};
  }

  StoreError commit() {
    for (const auto& [queue, cursor] : cursors_) {
      if (cursor) mutations_.emplace_back(PutCursor{queue, *cursor});
    }
    WriteBatch batch;
    encode(mutations_, batch);
    return store_.commit(batch, true);
  }

 private:
  /// A message that is handed over has a state record, whatever it was before.
  StoreError drop_from(const TransferOrigin& origin) {
    mutations_.emplace_back(DropMessage{origin.queue, origin.sequence});
    const KeyRange range = states_of(origin.queue, origin.sequence);
    bool any = false;
    bool intact = true;
    const auto visit = [&](std::string_view key, std::string_view) {
      const std::optional<StateKeyParts> parts = parse_state_key(key);
      if (!parts) return intact = false;
      mutations_.emplace_back(DropState{parts->queue, parts->sequence, parts->revision});
      return any = true;
    };
    if (StoreError error = store_.scan(Table::state, range.from.view(), range.until.view(), visit)) return error;
    if (!intact) return {StoreStatus::corrupt, "state table: a key of no state among the states"};
    return any ? count_state_out(origin.queue) : StoreError{};
  }

  StoreError count_state_out(QueueId queue) {
    const auto [at, added] = cursors_.try_emplace(queue);
    std::optional<QueueCursor>& cursor = at->second;
    if (added) {
      const StoreError error = read_cursor(store_, queue, cursor.emplace());
      if (error.status == StoreStatus::not_found) {
        cursor.reset();
      } else if (error) {
        return error;
      }
    }
    if (cursor && cursor->state_count > 0) --cursor->state_count;
    return {};
  }

  Store& store_;
  std::vector<Mutation> mutations_;
  std::map<QueueId, std::optional<QueueCursor>> cursors_;  ///< nothing where a queue has none
};

StoreError complete_arrivals(Store& store, QueueId destination) {
  KeyRange rest = arrivals_of(destination);
  std::vector<TransferOrigin> origins;
  do {
    if (StoreError error = read_arrivals(store, rest, origins)) return error;
    if (origins.empty()) return {};
    Completion completion{store};
    for (const TransferOrigin& origin : origins) {
      if (StoreError error = completion.add(destination, origin)) return error;
    }
    if (StoreError error = completion.commit()) return error;
  } while (origins.size() == transfer_batch_max);
  return {};
}

}  // namespace

StoreError complete_transfers(Store& store) {
  std::vector<QueueId> queues;
  if (StoreError error = read_queue_ids(store, queues)) return error;
  for (const QueueId queue : queues) {
    if (StoreError error = complete_arrivals(store, queue)) return error;
  }
  return {};
}

}  // namespace penstock::storage
