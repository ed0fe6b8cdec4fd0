#include "server/message_log.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "penstock/hex.hpp"

namespace penstock::server {

namespace {

/// Queues that are remembered by name after they were deleted.
constexpr std::size_t names_max = 100'000;

}  // namespace

std::optional<MessageLog::Uuid> MessageLog::parse(std::string_view text) {
  constexpr unsigned word_digits = 64 / hex_digit_bits;
  Uuid id{};
  unsigned count = 0;
  for (const char c : text) {
    if (c == '-') continue;
    const std::uint8_t digit = hex_values[static_cast<unsigned char>(c)];
    if (digit == no_hex_digit || count == id.size() * word_digits) return std::nullopt;
    std::uint64_t& word = id[count++ / word_digits];
    word = (word << hex_digit_bits) | digit;
  }
  return count == id.size() * word_digits ? std::optional(id) : std::nullopt;
}

std::string MessageLog::to_text(const Uuid& id) {
  constexpr std::string_view pattern = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  constexpr unsigned word_bits = 64;
  constexpr std::uint64_t digit_mask = (1U << hex_digit_bits) - 1;
  std::string text;
  unsigned count = 0;
  for (const char c : pattern) {
    if (c == '-') {
      text += c;
      continue;
    }
    const std::uint64_t word = id[count * hex_digit_bits / word_bits];
    text += hex_digits[(word >> (word_bits - hex_digit_bits - count * hex_digit_bits % word_bits)) & digit_mask];
    ++count;
  }
  return text;
}

void MessageLog::know_name(QueueId queue, const QueueName& name) {
  if (names_.size() >= names_max) names_.clear();
  names_[queue] = name;
}

void MessageLog::expect_arrival(const TransferOrigin& from, const QueueName& name, std::string_view message_id) {
  if (!is_on()) return;
  know_name(from.queue, name);
  arriving_[from] = {parse(message_id).value_or(Uuid{}), Uuid{}};
}

std::string MessageLog::end_arrival(const TransferOrigin& from) {
  const auto found = arriving_.find(from);
  if (found == arriving_.end()) return {};
  const Uuid id = found->second.here;
  arriving_.erase(found);
  return id == Uuid{} ? std::string() : to_text(id);
}

void MessageLog::expect_departure(const TransferOrigin& from, QueueId to, const QueueName& name,
                                  std::string_view message_id) {
  if (!is_on()) return;
  know_name(to, name);
  departing_[from] = {to, parse(message_id).value_or(Uuid{})};
}

std::size_t MessageLog::add(const Record& record) {
  if (records_.size() < records_max_) {
    records_.push_back(record);
    return records_.size() - 1;
  }
  const std::size_t place = first_;
  if (records_[place].kind == Kind::duplicate) deduplication_ids_.erase(place);
  records_[place] = record;
  first_ = (first_ + 1) % records_.size();
  return place;
}

void MessageLog::note(const DuplicateSend& duplicate, std::int64_t now_ms) {
  Record record{duplicate.queue, duplicate.sequence, now_ms};
  record.id = parse(duplicate.message_id).value_or(Uuid{});
  record.kind = Kind::duplicate;
  deduplication_ids_[add(record)] = duplicate.deduplication_id;
}

// Within a turn a message is put before anything else becomes of it, and dropped after that.
void MessageLog::note(const Effects& effects, Instant now) {
  if (!is_on()) return;
  const std::int64_t now_ms = to_epoch_ms(now);
  for (const Mutation& mutation : effects.mutations) {
    if (const auto* put = std::get_if<PutMessage>(&mutation)) {
      Record record{put->queue, put->sequence, now_ms};
      record.id = parse(put->message->message_id).value_or(Uuid{});
      record.kind = Kind::sent;
      add(record);
    } else if (const auto* arrival = std::get_if<PutArrival>(&mutation)) {
      // It follows the message that it is about.
      Record record{arrival->queue, Sequence{}, now_ms};
      record.peer = arrival->origin.queue;
      record.kind = Kind::arrived;
      record.redriven = arrival->kind == TransferKind::redrive;
      if (!records_.empty()) {
        const Record& last = at(records_.size() - 1);
        record.sequence = last.sequence;
        record.id = last.id;
      }
      const auto arriving = arriving_.find(arrival->origin);
      if (arriving != arriving_.end()) {
        arriving->second.here = record.id;
        if (record.redriven) record.other = arriving->second.there;
      }
      add(record);
    } else if (const auto* queue = std::get_if<PutQueue>(&mutation)) {
      know_name(queue->record.id, queue->record.name);
    } else if (const auto* all = std::get_if<DropQueueContents>(&mutation)) {
      Record record{all->queue, Sequence{}, now_ms};
      record.kind = Kind::purged;
      add(record);
    }
  }
  for (const DuplicateSend& duplicate : effects.duplicates) note(duplicate, now_ms);
  for (const MessageEvent& event : effects.events) {
    Kind kind = Kind::visible;
    if (event.kind == MessageEvent::Kind::deleted) kind = Kind::deleted;
    if (event.kind == MessageEvent::Kind::moved) kind = Kind::moved;
    if (event.kind == MessageEvent::Kind::hidden) kind = Kind::hidden;
    if (event.kind == MessageEvent::Kind::returned) kind = Kind::returned;
    Record record{event.queue, event.sequence, now_ms, to_epoch_ms(event.until)};
    record.kind = kind;
    const auto departing = kind == Kind::moved ? departing_.find({event.queue, event.sequence}) : departing_.end();
    if (departing != departing_.end()) {
      record.peer = departing->second.to;
      record.other = departing->second.there;
    }
    add(record);
  }
  // Who told why a message is dropped has dropped it next, so that both come in the same order.
  auto why = effects.events.begin();
  const auto next_why = [&] {
    why = std::find_if(why, effects.events.end(), [](const MessageEvent& event) {
      return event.kind == MessageEvent::Kind::deleted || event.kind == MessageEvent::Kind::moved;
    });
  };
  next_why();
  for (const Mutation& mutation : effects.mutations) {
    const auto* drop = std::get_if<DropMessage>(&mutation);
    if (drop == nullptr) continue;
    if (why != effects.events.end() && why->queue == drop->queue && why->sequence == drop->sequence) {
      ++why;
      next_why();
    } else {
      Record record{drop->queue, drop->sequence, now_ms};
      record.kind = Kind::expired;
      add(record);
    }
  }
}

std::uint32_t MessageLog::number_of(std::string_view receiver) {
  std::string text(receiver);
  const auto found = receiver_numbers_.find(text);
  if (found != receiver_numbers_.end()) return found->second;
  // Mappings that are made and deleted again and again; whoever is left over is one of many.
  if (receivers_.size() >= names_max) text = "somebody";
  const auto [known, is_new] = receiver_numbers_.try_emplace(text, static_cast<std::uint32_t>(receivers_.size()));
  if (is_new) receivers_.push_back(std::move(text));
  return known->second;
}

void MessageLog::note(const std::vector<Delivery>& deliveries, std::string_view receiver, Instant now) {
  if (!is_on() || deliveries.empty()) return;
  const std::uint32_t number = number_of(receiver);
  for (const Delivery& delivery : deliveries) {
    if (delivery.message == nullptr) continue;
    Record record{delivery.queue, delivery.sequence, to_epoch_ms(now), to_epoch_ms(delivery.visible_at)};
    record.id = parse(delivery.message->message_id).value_or(Uuid{});
    record.count = delivery.receive_count;
    record.receiver = number;
    record.kind = Kind::received;
    add(record);
  }
}

std::string MessageLog::name_of(QueueId queue) const {
  const auto found = names_.find(queue);
  return found == names_.end() ? "another queue" : found->second.name;
}

std::vector<MessageStep> MessageLog::find(std::string_view message_id) const {
  std::vector<MessageStep> steps;
  const auto id = parse(message_id);
  if (!id) return steps;
  std::set<std::pair<QueueId, Sequence>> places;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    if (at(i).id == *id) places.emplace(at(i).queue, at(i).sequence);
  }
  std::set<std::pair<QueueId, Sequence>> there;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    const Record& record = at(i);
    const std::pair place{record.queue, record.sequence};
    if (record.kind == Kind::purged) {
      // Of all that the queue had at that moment.
      const bool had = std::erase_if(there, [&](const auto& each) { return each.first == record.queue; }) > 0;
      if (had) steps.push_back(step_of(place_of(i)));
      continue;
    }
    if (!places.contains(place)) continue;
    // A duplicate tells of a message that may be long gone.
    if (record.kind != Kind::duplicate) there.insert(place);
    if (record.kind == Kind::deleted || record.kind == Kind::moved || record.kind == Kind::expired) there.erase(place);
    steps.push_back(step_of(place_of(i)));
  }
  return steps;
}

MessageStep MessageLog::step_of(std::size_t place) const {
  const Record& record = records_[place];
  MessageStep step;
  step.at = from_epoch_ms(record.at_ms);
  step.queue = name_of(record.queue);
  const auto until = [&] { step.until = from_epoch_ms(record.until_ms); };
  switch (record.kind) {
    case Kind::sent:
      step.what = "sent";
      break;
    case Kind::duplicate:
      step.what = "duplicate";
      step.detail = "a send with the deduplication id " + deduplication_ids_.at(place) +
                    " was answered with this message, and not stored";
      break;
    case Kind::arrived:
      step.what = record.redriven ? "redriven" : "dead-lettered";
      step.detail = "it came from " + name_of(record.peer);
      if (record.other != Uuid{}) step.detail += ", where its id was " + to_text(record.other);
      break;
    case Kind::received:
      step.what = "received";
      step.detail = "by " + receivers_[record.receiver] + ", for the " + std::to_string(record.count) + ". time";
      until();
      break;
    case Kind::deleted:
      step.what = "deleted";
      break;
    case Kind::moved:
      step.what = "moved";
      step.detail = name_of(record.peer) + " has it now";
      if (record.other != Uuid{}) step.detail += ", under the id " + to_text(record.other);
      break;
    case Kind::hidden:
      step.what = "hidden";
      step.detail = "its visibility was changed";
      until();
      break;
    case Kind::returned:
      step.what = "returned";
      step.detail = "it could not be delivered, and that is not counted";
      break;
    case Kind::visible:
      step.what = "visible";
      step.detail = "the time is over for which it was hidden or delayed";
      break;
    case Kind::expired:
      step.what = "expired";
      step.detail = "its retention is over";
      break;
    case Kind::purged:
      step.what = "purged";
      step.detail = "the queue was purged or deleted";
      break;
  }
  return step;
}

}  // namespace penstock::server
