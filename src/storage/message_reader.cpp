#include "storage/message_reader.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/keys.hpp"
#include "storage/records.hpp"

namespace penstock::storage {

namespace limits = message_reader_limits;

MessageReader::Line& MessageReader::line_of(QueueId queue) {
  for (auto line = lines_.begin(); line != lines_.end(); ++line) {
    if (line->queue != queue) continue;
    lines_.splice(lines_.begin(), lines_, line);
    return lines_.front();
  }
  if (lines_.size() >= limits::queues_max) {
    while (!lines_.back().ahead.empty()) pop(lines_.back());
    lines_.pop_back();
  }
  return lines_.emplace_front(Line{queue});
}

void MessageReader::pop(Line& line) {
  bytes_ -= line.ahead.front().bytes;
  line.ahead.pop_front();
}

bool MessageReader::make_room(QueueId queue, std::size_t bytes) {
  line_of(queue);
  const auto is_full = [&] { return bytes_ + bytes > limits::kept_bytes_max; };
  for (auto other = std::prev(lines_.end()); is_full() && other != lines_.begin(); --other) {
    for (; is_full() && !other->ahead.empty(); other->ahead.pop_back()) bytes_ -= other->ahead.back().bytes;
  }
  return !is_full();
}

void MessageReader::keep(QueueId queue, Sequence sequence, std::shared_ptr<const StoredMessage> message,
                         std::size_t bytes) {
  Line& line = line_of(queue);
  if (!line.ahead.empty() && line.ahead.back().sequence >= sequence) return;
  line.ahead.push_back({sequence, std::move(message), bytes});
  bytes_ += bytes;
}

StoreError MessageReader::read(QueueId queue, Sequence sequence, std::shared_ptr<const StoredMessage>& message) {
  Line& line = line_of(queue);
  // What was passed over went another way: it was dropped, or is held back.
  while (!line.ahead.empty() && line.ahead.front().sequence < sequence) pop(line);
  const bool in_order = line.last < sequence && sequence.value - line.last.value <= limits::gap_max;
  line.in_order = in_order ? line.in_order + 1 : 0;
  line.last = sequence;
  if (!line.ahead.empty() && line.ahead.front().sequence == sequence) {
    message = std::move(line.ahead.front().message);
    pop(line);
    return {};
  }
  if (line.pause > 0) {
    --line.pause;
  } else if (line.in_order >= limits::in_order_min &&
             sequence.value < std::numeric_limits<std::uint64_t>::max() - limits::ahead_max) {
    return read_ahead(line, sequence, message);
  }
  return read_message(store_, queue, sequence, message);
}

StoreError MessageReader::read_ahead(Line& line, Sequence sequence, std::shared_ptr<const StoredMessage>& message) {
  // Up to what is there already, all of which comes behind it.
  std::vector<Ahead> found;
  std::size_t bytes = 0;
  std::size_t count = 0;
  StoreError damaged;
  const Key from = message_key(line.queue, sequence);
  Sequence end{sequence.value + limits::ahead_max};
  if (!line.ahead.empty()) end = std::min(end, line.ahead.front().sequence);
  const Key until = message_key(line.queue, end);
  const auto visit = [&](std::string_view key, std::string_view value) {
    const auto parts = parse_message_key(key);
    const bool wanted = parts && parts->sequence == sequence;
    bytes += value.size();
    // One that is damaged is met when it is asked for.
    if (!wanted && (!parts || bytes > limits::ahead_bytes_max)) return false;
    std::shared_ptr<const StoredMessage> decoded;
    StoreError error = decode_message(line.queue, parts->sequence, value, decoded);
    if (wanted) {
      damaged = std::move(error);
      message = std::move(decoded);
    } else if (error) {
      return false;
    } else {
      found.push_back({parts->sequence, std::move(decoded), value.size()});
    }
    ++count;
    return true;
  };
  if (StoreError error = store_.scan(Table::messages, from.view(), until.view(), visit)) return error;
  for (const Ahead& each : found) bytes_ += each.bytes;
  if (count < limits::worthwhile_min && line.ahead.empty()) line.pause = limits::pause_reads;
  line.ahead.insert(line.ahead.begin(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  if (damaged) return damaged;
  if (message == nullptr) return {StoreStatus::not_found, "no such key"};
  return {};
}

}  // namespace penstock::storage
