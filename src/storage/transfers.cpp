#include "storage/transfers.hpp"

#include <algorithm>
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

struct Arrival {
  TransferOrigin origin;
  TransferKind kind{};
};

/// The first arrivals of a range, as many as one commit completes. The key of the first that is left becomes the
/// range's beginning, so that those dropped meanwhile are not searched through again.
StoreError read_arrivals(const Store& store, KeyRange& range, std::vector<Arrival>& arrivals) {
  arrivals.clear();
  std::optional<ArrivalKeyParts> next;
  StoreError bad;
  const auto visit = [&](std::string_view key, std::string_view value) {
    const std::optional<ArrivalKeyParts> parts = parse_arrival_key(key);
    if (!parts) bad = {StoreStatus::corrupt, "state table: a key of no arrival among the arrivals"};
    if (bad) return false;
    if (arrivals.size() == transfer_batch_max) {
      next = parts;
      return false;
    }
    bad = decode_arrival(value, arrivals.emplace_back(Arrival{parts->origin}).kind);
    return !bad;
  };
  if (StoreError error = store.scan(Table::state, range.from.view(), range.until.view(), visit)) return error;
  if (bad) return bad;
  range.from = next ? arrival_key(next->queue, next->origin) : range.until;
  return {};
}

/// One commit, with the origins' cursors as they will be after it.
class Completion {
 public:
  explicit Completion(Store& store) : store_(store) {}

  StoreError add(QueueId destination, const Arrival& arrival) {
    const TransferOrigin& origin = arrival.origin;
    std::string ignored;
    StoreError found = store_.get(Table::messages, message_key(origin.queue, origin.sequence).view(), ignored);
    if (found && found.status != StoreStatus::not_found) return found;
    if (!found) {
      if (StoreError error = drop_from(origin)) return error;
      if (arrival.kind == TransferKind::redrive) {
        if (StoreError error = count_for_task(origin.queue)) return error;
      }
    }
    mutations_.emplace_back(DropArrival{destination, origin});
    return {};
  }

  StoreError commit() {
    for (const auto& [queue, task] : tasks_) {
      if (task) mutations_.emplace_back(PutMoveTask{queue, *task});
    }
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

  /// What the task that was running would have counted, had the move not been cut off.
  StoreError count_for_task(QueueId queue) {
    const auto [at, added] = tasks_.try_emplace(queue);
    if (added) {
      std::vector<MoveTask> tasks;
      if (StoreError error = read_move_tasks(store_, queue, tasks)) return error;
      const auto newest = std::max_element(tasks.begin(), tasks.end(),
                                           [](const auto& a, const auto& b) { return a.started < b.started; });
      if (newest != tasks.end()) at->second = std::move(*newest);
    }
    if (at->second) ++at->second->moved;
    return {};
  }

  StoreError count_state_out(QueueId queue) {
    const auto [at, added] = cursors_.try_emplace(queue);
    std::optional<QueueCursor>& cursor = at->second;
    if (added) {
      StoreError error = read_cursor(store_, queue, cursor.emplace());
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
  std::map<QueueId, std::optional<MoveTask>> tasks_;       ///< the newest of each, as it will be
};

StoreError complete_arrivals(Store& store, QueueId destination) {
  KeyRange rest = arrivals_of(destination);
  std::vector<Arrival> arrivals;
  do {
    if (StoreError error = read_arrivals(store, rest, arrivals)) return error;
    if (arrivals.empty()) return {};
    Completion completion{store};
    for (const Arrival& arrival : arrivals) {
      if (StoreError error = completion.add(destination, arrival)) return error;
    }
    if (StoreError error = completion.commit()) return error;
  } while (arrivals.size() == transfer_batch_max);
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
