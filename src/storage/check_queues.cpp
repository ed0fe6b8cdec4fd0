// Of a check, what is said of queues.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "penstock/queue_names.hpp"
#include "storage/check_parts.hpp"
#include "storage/decoding.hpp"
#include "storage/records.hpp"
#include "storage/table_cursor.hpp"

namespace penstock::storage {
namespace {

struct CheckedQueue {
  QueueRecord record;
  std::optional<QueueCursor> cursor;
  std::string subject;
};
using CheckedQueues = std::map<QueueId, CheckedQueue>;

std::string subject_of(QueueId queue) { return "queue with the id " + std::to_string(queue.value); }

CheckedQueues read_queues(Checking& checking) {
  CheckedQueues queues;
  std::set<QueueName> names;
  checking.each(Table::catalog, all_queues(), "queues", [&](std::string_view key, std::string_view value) {
    const auto id = parse_queue_key(key);
    if (!id) return;  // told with the catalog's keys
    CheckedQueue queue;
    if (!decode_queue(value, queue.record)) {
      checking.add(Finding::unreadable_record, subject_of(*id), "its record in the catalog");
      return;
    }
    queue.subject = storage::subject_of("queue", queue.record.name);
    if (queue.record.id != *id) checking.add(Finding::key_of_another, queue.subject, "its record in the catalog");
    if (!names.insert(queue.record.name).second) checking.add(Finding::name_twice, queue.subject);
    if (!queue.record.deleted) ++checking.report.counts.queues;
    queues.emplace(*id, std::move(queue));
  });
  checking.each(Table::catalog, all_cursors(), "cursors of queues", [&](std::string_view key, std::string_view value) {
    const auto id = parse_cursor_key(key);
    if (!id) return;
    const auto queue = queues.find(*id);
    if (queue == queues.end()) return checking.add(Finding::queue_unknown, subject_of(*id), "a cursor");
    QueueCursor& cursor = queue->second.cursor.emplace();
    if (decode_cursor(value, cursor)) return;
    checking.add(Finding::unreadable_record, queue->second.subject, "its cursor");
    queue->second.cursor.reset();
  });
  return queues;
}

void check_tasks(Checking& checking, const CheckedQueues& queues) {
  checking.each(Table::catalog, all_move_tasks(), "message move tasks",
                [&](std::string_view key, std::string_view value) {
                  const auto parts = parse_move_task_key(key);
                  if (!parts) return;
                  const auto queue = queues.find(*parts);
                  if (queue == queues.end())
                    return checking.add(Finding::queue_unknown, subject_of(*parts), "a move task");
                  const std::string& subject = queue->second.subject;
                  if (queue->second.record.deleted) return checking.add(Finding::queue_deleted, subject, "a move task");
                  MoveTask task;
                  if (!decode_move_task(value, task))
                    return checking.add(Finding::unreadable_record, subject, "a move task");
                  if (key != move_task_key(*parts, task.id).view()) {
                    return checking.add(Finding::key_of_another, subject, "move task " + task.id);
                  }
                  if (!task.destination || task.status != MoveTaskStatus::running) return;
                  const bool there = std::any_of(queues.begin(), queues.end(), [&](const auto& one) {
                    return one.second.record.name == *task.destination && !one.second.record.deleted;
                  });
                  if (!there) checking.add(Finding::task_without_destination, subject, task.destination->name);
                });
}

/// Everything that one queue has in the tables of messages and of states.
class QueueContents {
 public:
  QueueContents(Checking& checking, QueueId id, const CheckedQueue& queue)
      : checking_(checking),
        id_(id),
        queue_(queue),
        cursor_(queue.cursor.value_or(QueueCursor{})),
        fifo_(is_fifo(queue.record.name.name)) {}

  void run() {
    if (queue_.record.deleted) return check_deleted();
    read_lanes();
    compare();
    check_lanes();
    check_counts();
    check_rest();
  }

 private:
  void add(Finding finding, std::string_view detail) { checking_.add(finding, queue_.subject, detail); }
  void add(Finding finding, Sequence sequence) { add(finding, detail_of(sequence)); }

  void check_deleted() {
    const KeyRange all = queue_contents(id_);
    for (const Table table : {Table::messages, Table::state}) {
      checking_.each(table, all, queue_.subject,
                     [&](std::string_view key, std::string_view) { add(Finding::queue_deleted, hex_of(key)); });
    }
  }

  /// The sequences of all lane entries, in order.
  void read_lanes() {
    checking_.each(Table::state, lanes_of(id_), queue_.subject, [&](std::string_view key, std::string_view value) {
      const auto parts = parse_lane_key(key);
      LaneEntry entry;
      if (!parts) return add(Finding::unknown_key, hex_of(key));
      if (!decode_lane_entry(value, parts->sequence, entry)) {
        return add(Finding::unreadable_record, "the lane entry of " + detail_of(parts->sequence));
      }
      ++lane_count_;
      if (lane_.size() < lane_entries_compared_max) lane_.push_back(parts->sequence);
    });
    std::sort(lane_.begin(), lane_.end());
    lane_message_.resize(lane_.size());
    if (lane_count_ > lane_.size()) add(Finding::lanes_not_compared, std::to_string(lane_count_));
  }

  /// Goes through messages and states side by side.
  void compare() {
    const KeyRange all = queue_contents(id_);
    const KeyRange states = states_from(id_, Sequence{});
    TableCursor messages(checking_.store, Table::messages, all.from.view(), all.until.view());
    TableCursor state(checking_.store, Table::state, states.from.view(), states.until.view());
    // What cannot be read is not missing.
    while ((messages.valid() || state.valid()) && !messages.error() && !state.error()) {
      const auto message_at = messages.valid() ? parse_message_key(messages.key()) : std::nullopt;
      const auto state_at = state.valid() ? parse_state_key(state.key()) : std::nullopt;
      checking_.count_entry();
      if (messages.valid() && !message_at) {
        add(Finding::unknown_key, hex_of(messages.key()));
        messages.next();
      } else if (state.valid() && !state_at) {
        add(Finding::unknown_key, hex_of(state.key()));
        state.next();
      } else if (message_at && (!state_at || message_at->sequence <= state_at->sequence)) {
        const bool has_state = state_at && state_at->sequence == message_at->sequence;
        std::optional<MessageState> found;
        if (has_state) found = take_states(state, message_at->sequence);
        take_message(message_at->sequence, messages.value(), has_state, found);
        messages.next();
      } else {
        const Sequence sequence = state_at->sequence;
        (void)take_states(state, sequence);
        add(Finding::state_without_message, sequence);
      }
    }
    for (const TableCursor* each : {&messages, &state}) {
      if (!each->error()) continue;
      add(Finding::unreadable_table, each->error().message);
      comparable_ = false;
    }
  }

  /// Passes over all revisions of one message's state; nothing if the last is not whole.
  std::optional<MessageState> take_states(TableCursor& state, Sequence sequence) {
    std::optional<MessageState> found;
    std::size_t revisions = 0;
    for (; state.valid(); state.next()) {
      const auto parts = parse_state_key(state.key());
      if (!parts || parts->sequence != sequence) break;
      ++revisions;
      if (!decode_state(state.value(), parts->revision, found.emplace())) {
        add(Finding::unreadable_record, "the state of " + detail_of(sequence));
        found.reset();
      }
    }
    ++state_count_;
    if (revisions > 1) add(Finding::state_twice, sequence);
    return found;
  }

  void take_message(Sequence sequence, std::string_view value, bool has_state,
                    const std::optional<MessageState>& state) {
    ++checking_.report.counts.messages;
    if (sequence >= cursor_.tail) add(Finding::message_beyond_tail, sequence);
    StoredMessage message;
    if (!decode_message(value, message)) {
      add(Finding::unreadable_record, "the message of " + detail_of(sequence));
      // Where it belongs is not known, and so the counts are not either.
      comparable_ = false;
      return;
    }
    const bool in_lane = mark_lane(sequence);
    const bool in_fresh = !fifo_ && !message.delayed && sequence >= cursor_.head;
    const int places = static_cast<int>(has_state) + static_cast<int>(in_lane) + static_cast<int>(in_fresh);
    if (in_fresh) ++fresh_count_;
    if (places > 1) add(Finding::message_twice, sequence);
    if (places == 0 && lane_count_ == lane_.size()) add(Finding::message_unreachable, sequence);
    if (!fifo_ || !has_state) return;
    if (sequence < cursor_.head) add(Finding::state_before_head, sequence);
    if (state && state->group_id != message.content.group_id) add(Finding::group_differs, sequence);
  }

  /// Whether a lane has it; that lane's entry has its message.
  bool mark_lane(Sequence sequence) {
    const auto found = std::lower_bound(lane_.begin(), lane_.end(), sequence);
    if (found == lane_.end() || *found != sequence) return false;
    lane_message_[static_cast<std::size_t>(found - lane_.begin())] = true;
    return true;
  }

  void check_lanes() {
    if (!comparable_) return;
    for (std::size_t i = 0; i < lane_.size(); ++i) {
      if (i > 0 && lane_[i] == lane_[i - 1]) {
        add(Finding::message_twice, lane_[i]);
      } else if (!lane_message_[i]) {
        add(Finding::lane_without_message, lane_[i]);
      }
    }
  }

  void check_counts() {
    if (!comparable_) return;
    check_count(Finding::fresh_count_differs, cursor_.fresh_count, fresh_count_);
    check_count(Finding::state_count_differs, cursor_.state_count, state_count_);
    check_count(Finding::lane_count_differs, cursor_.lane_count, lane_count_);
  }
  void check_count(Finding finding, std::uint64_t stored, std::uint64_t there) {
    if (stored == there) return;
    add(finding, "the cursor says " + std::to_string(stored) + ", and there are " + std::to_string(there));
  }

  void check_rest() {
    checking_.each(Table::state, attempts_of(id_), queue_.subject, [&](std::string_view key, std::string_view value) {
      ReceiveAttempt attempt;
      if (!decode_attempt(value, attempt)) return add(Finding::unreadable_record, "a receive attempt");
      if (key != attempt_key(id_, attempt.id).view()) add(Finding::key_of_another, "receive attempt " + attempt.id);
    });
    checking_.each(Table::state, dedups_of(id_), queue_.subject, [&](std::string_view key, std::string_view value) {
      const auto parts = parse_dedup_key(key);
      DedupEntry entry;
      if (!parts) return add(Finding::unknown_key, hex_of(key));
      if (!decode_dedup(value, parts->sequence, entry)) {
        add(Finding::unreadable_record, "the deduplication entry of " + detail_of(parts->sequence));
      } else if (parts->sequence >= cursor_.tail) {
        add(Finding::dedup_beyond_tail, parts->sequence);
      }
    });
    checking_.each(Table::state, arrivals_of(id_), queue_.subject, [&](std::string_view key, std::string_view value) {
      TransferKind kind{};
      if (!parse_arrival_key(key)) return add(Finding::unknown_key, hex_of(key));
      if (decode_arrival(value, kind)) return add(Finding::unreadable_record, "an arrival");
      add(Finding::arrivals, std::string_view());
    });
    // What stands behind the marker and is none of these.
    const KeyRange states = states_from(id_, Sequence{});
    const KeyRange all = queue_contents(id_);
    checking_.each(Table::state, states.until.view(), all.until.view(), queue_.subject,
                   [&](std::string_view key, std::string_view) {
                     if (is_queue_extra_key(key)) return;
                     add(Finding::unknown_key, hex_of(key));
                   });
  }

  Checking& checking_;
  const QueueId id_;
  const CheckedQueue& queue_;
  const QueueCursor cursor_;
  const bool fifo_;
  std::vector<Sequence> lane_;
  std::vector<bool> lane_message_;
  std::uint64_t lane_count_ = 0;
  std::uint64_t state_count_ = 0;
  std::uint64_t fresh_count_ = 0;
  bool comparable_ = true;
};

/// What a table has of queues that the catalog has not.
void check_strangers(Checking& checking, Table table, const CheckedQueues& queues) {
  std::string from;
  while (const auto number = first_number(checking, table, from)) {
    const QueueId queue{*number};
    const KeyRange all = queue_contents(queue);
    from = all.until.view();
    if (queues.contains(queue)) continue;
    checking.each(table, all, subject_of(queue), [&](std::string_view key, std::string_view) {
      checking.add(Finding::queue_unknown, subject_of(queue), hex_of(key));
    });
  }
}

}  // namespace

void check_queues(Checking& checking) {
  checking.begin("queues");
  const CheckedQueues queues = read_queues(checking);
  check_tasks(checking, queues);
  checking.begin("messages");
  for (const auto& [id, queue] : queues) QueueContents(checking, id, queue).run();
  check_strangers(checking, Table::messages, queues);
  check_strangers(checking, Table::state, queues);
}

}  // namespace penstock::storage
