// What the clients of a crash test know: which messages the server has acknowledged and what it may and may not do with
// them from then on. Every answer is held against it, and whatever breaks a promise is written down as one sentence.
//
// A request without an answer may have taken effect or not, and the ledger claims nothing that depends on it. An answer
// is compared only with what was known before its request began, since two answers that cross may be written down in
// either order.
//
// A message is known by the number in its body, wherever it turns up: in the queue that it was sent to, in that queue's
// dead-letter queue, or back again. So one that is in two places comes again after its delete, or while it is in
// flight.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "crash/fifo_order.hpp"
#include "crash/history.hpp"
#include "crash/queues.hpp"

namespace penstock::crash {

struct SentMessage {
  std::string message_id;
  SequenceNumber sequence = 0;
};

struct ReceivedMessage {
  std::string message_id;
  std::string body;
  std::string receipt_handle;
  std::uint64_t receive_count = 0;
  std::string group = {};
  std::string deduplication_id = {};
  SequenceNumber sequence = 0;
};

/// How a message move task ended.
struct MoveReport {
  std::string status;
  std::uint64_t moved = 0;
  std::uint64_t left_behind = 0;  // in the dead-letter queue
};

/// A handle that hides its message for an hour, kept so that the message can be let go.
struct Held {
  std::size_t queue = 0;
  std::uint64_t number = 0;
  std::string receipt_handle;
};

class Ledger {
 public:
  /// The body of message `number`: the number, and text that follows from it, so that a received body can be checked
  /// to the last byte without keeping it.
  static std::string body_of(std::uint64_t number) {
    std::mt19937_64 random(number);
    const std::size_t length = number % 97 == 0 ? 30'000 : random() % 1'500;
    std::string body = std::to_string(number) + " ";
    for (std::size_t i = 0; i < length; ++i) body.push_back(static_cast<char>('a' + random() % 26));
    return body;
  }

  /// A message is about to be sent to `queue`; returns its number.
  std::uint64_t sending(std::size_t queue, std::chrono::seconds delay) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t number = messages_.size() + 1;
    Message message;
    message.queue = message.place = queue;
    message.sent_at = Clock::now();
    message.hidden_until = message.sent_at + delay;
    message.floor = orders_[queue].highest();
    messages_.push_back(std::move(message));
    if (queues[queue].fifo) repeatable_[queue].push_back(number);
    return number;
  }

  /// A send of these messages, the first or another with the same deduplication ids, was acknowledged in one answer.
  void sent(const std::vector<std::uint64_t>& numbers, const std::vector<SentMessage>& answers) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      sent_one(numbers[i], answers[i]);
      // One that another client has sent meanwhile, too, may have come before the batch.
      const bool in_order = queues[at(numbers[i]).queue].fifo && !at(numbers[i]).sent_again;
      if (i > 0 && in_order && answers[i].sequence <= answers[i - 1].sequence) {
        violate(name_of(numbers[i]) + " has no higher sequence number than the one before it in its batch");
      }
    }
  }

  /// Any message of a FIFO queue that can be sent again as a duplicate, whatever has become of it.
  std::optional<std::uint64_t> repeatable(std::size_t queue, std::uint64_t random) {
    const std::lock_guard lock(mutex_);
    const std::vector<std::uint64_t>& sent = repeatable_[queue];
    if (sent.empty()) return std::nullopt;
    const std::uint64_t number = sent[sent.size() - 1 - random % std::min<std::size_t>(sent.size(), 400)];
    if (!is_repeatable(number)) return std::nullopt;
    at(number).sent_again = true;
    return number;
  }

  /// The messages that were sent to FIFO queues without an answer, and can be sent again.
  std::vector<std::uint64_t> unanswered() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::uint64_t> numbers;
    for (const std::vector<std::uint64_t>& sent : repeatable_) {
      for (auto number = sent.rbegin(); number != sent.rend() && is_recent(*number); ++number) {
        if (!at(*number).acknowledged && is_repeatable(*number)) numbers.push_back(*number);
      }
    }
    return numbers;
  }

  std::size_t queue_of(std::uint64_t number) const {
    const std::lock_guard lock(mutex_);
    return at(number).queue;
  }

  /// What one answer delivered, with a visibility timeout. Returns the messages that are ours.
  std::vector<Held> received(std::size_t queue, const std::vector<ReceivedMessage>& answer, Span span,
                             std::chrono::seconds visibility) {
    const std::lock_guard lock(mutex_);
    std::vector<Held> held;
    std::vector<FifoOrder::Delivered> delivered;
    for (const ReceivedMessage& got : answer) {
      ++receives_;
      const std::uint64_t number = std::strtoull(got.body.c_str(), nullptr, 10);
      if (number == 0 || number > messages_.size() || !may_be_in(queue, at(number))) {
        violate("a message appeared that was never sent to this queue: " + got.body.substr(0, 60));
        continue;
      }
      received_one(queue, number, got, span, visibility);
      held.push_back({queue, number, got.receipt_handle});
      delivered.push_back({number, got.group, got.sequence});
    }
    if (queues[queue].fifo) check_order(queue, delivered, span);
    return held;
  }

  /// A delete is about to be asked for; from here on the message need not come again.
  void deleting(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    Message& message = at(number);
    if (message.state == State::waiting) message.state = State::maybe_deleted;
    message.deleting_at = Clock::now();
  }

  /// The delete was acknowledged. Only a handle whose lease cannot have run out is surely the latest one, and only the
  /// latest one deletes.
  void deleted(std::uint64_t number, const std::string& handle, Span span) {
    const std::lock_guard lock(mutex_);
    Message& message = at(number);
    ++deletes_;
    if (handle != message.handle || span.answered + clock_slack > message.hidden_until) return;
    message.state = State::deleted;
    message.deleted_at = Clock::now();
  }

  /// The message's visibility is about to be ended; from here on it may come at any time.
  void releasing(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    at(number).hidden_until = Clock::now();
  }

  /// The message's visibility was changed.
  void hidden(std::uint64_t number, const std::string& handle, Span span, std::chrono::seconds visibility) {
    if (span.answered > lease(number, handle)) return;
    const std::lock_guard lock(mutex_);
    at(number).hidden_until = span.begun + visibility;
    at(number).hidden_known_at = Clock::now();
  }

  /// Until when the handle is surely the latest of a message that is surely there, so that whatever is done with it
  /// must succeed; long ago if that is not sure.
  Time lease(std::uint64_t number, const std::string& handle) const {
    const std::lock_guard lock(mutex_);
    const Message& message = messages_[number - 1];
    return message.state == State::waiting && message.handle == handle ? message.hidden_until - clock_slack : Time{};
  }

  void hold(Held held) {
    const std::lock_guard lock(mutex_);
    held_[held.queue].push_back(std::move(held));
  }

  std::optional<Held> take_held(std::size_t queue, std::uint64_t random) {
    const std::lock_guard lock(mutex_);
    std::vector<Held>& all = held_[queue];
    if (all.empty()) return std::nullopt;
    std::swap(all[random % all.size()], all.back());
    Held held = std::move(all.back());
    all.pop_back();
    return held;
  }

  /// A task is about to move back to `queue` whatever is in its dead-letter queue.
  /// REQUIRES: no request for the two is on its way, nor will be until the task has ended.
  void redriving(std::size_t queue) {
    const std::lock_guard lock(mutex_);
    const std::size_t dead_letters = *queues[queue].dead_letters;
    orders_[queue].forget_places();
    orders_[dead_letters].forget_places();
    for (Message& message : messages_) {
      if (message.queue != queue) continue;
      message.place = queue;
      message.sequence = 0;
      message.was_redriven = true;
      // Of several tasks since it was last seen, any may have been the one that moved it.
      if (!std::exchange(message.may_be_renamed, true)) message.floor_if_renamed = orders_[queue].highest();
    }
  }

  /// The task has ended, which had `expected` messages to move.
  void redriven(std::uint64_t expected, const MoveReport& report) {
    const std::lock_guard lock(mutex_);
    if (report.status != "COMPLETED") violate("a message move task ended as " + report.status);
    if (report.moved != expected) {
      violate("a message move task moved " + std::to_string(report.moved) + " messages of " + std::to_string(expected));
    }
    if (report.left_behind != 0) {
      violate("a message move task left " + std::to_string(report.left_behind) + " messages behind");
    }
  }

  /// The least and the most messages that the queue and its dead-letter queue together can hold now.
  /// REQUIRES: no request is on its way.
  std::pair<std::uint64_t, std::uint64_t> bounds(std::size_t queue) const {
    const std::lock_guard lock(mutex_);
    std::pair<std::uint64_t, std::uint64_t> bounds{0, 0};
    for (const Message& message : messages_) {
      if (message.queue != queue || message.state == State::deleted) continue;
      if (message.state == State::waiting) ++bounds.first;
      ++bounds.second;
    }
    return bounds;
  }

  /// REQUIRES: every queue was received from and deleted from until nothing was left. Whatever was acknowledged and is
  /// still waiting now is lost.
  void account() {
    const std::lock_guard lock(mutex_);
    for (std::uint64_t number = 1; number <= messages_.size(); ++number) {
      if (at(number).state == State::waiting) violate(name_of(number) + " was acknowledged and is lost");
      // What never came will not come now: it does not count into the bounds of the next rounds. Nor may it come.
      if (at(number).state != State::deleted) {
        at(number).state = State::deleted;
        at(number).deleted_at = Clock::now();
      }
    }
  }

  void violate(const std::string& sentence) {
    if (violations_.size() < 50) violations_.push_back(sentence);
  }
  /// As violate, for the clients' threads.
  void report(const std::string& sentence) {
    const std::lock_guard lock(mutex_);
    violate(sentence);
  }

  std::vector<std::string> violations() const {
    const std::lock_guard lock(mutex_);
    return violations_;
  }
  std::string summary() const {
    const std::lock_guard lock(mutex_);
    return std::to_string(sends_) + " sends, " + std::to_string(receives_) + " receives and " +
           std::to_string(deletes_) + " deletes acknowledged, " + std::to_string(repeats_) + " repeats, " +
           std::to_string(dead_letters_) + " receives of dead letters, " + std::to_string(returned_) + " moved back";
  }
  std::uint64_t sends() const { return locked(sends_); }
  std::uint64_t receives() const { return locked(receives_); }
  std::uint64_t deletes() const { return locked(deletes_); }
  /// Duplicates that were answered, receives from dead-letter queues, and messages seen after a task had moved them
  /// back.
  std::uint64_t repeats() const { return locked(repeats_); }
  std::uint64_t dead_letters() const { return locked(dead_letters_); }
  std::uint64_t returned() const { return locked(returned_); }

 private:
  /// unknown: sent without an answer so far. waiting: acknowledged, or seen.
  enum class State : std::uint8_t { unknown, waiting, maybe_deleted, deleted };

  struct Message {
    std::size_t queue = 0;  // that it was sent to
    State state = State::unknown;
    std::string message_id;  // the one that it has now
    std::string handle;      // the latest that an answer named
    Time hidden_until{};     // not to be delivered before
    Time hidden_known_at{};  // to requests begun after this
    std::uint64_t receive_count = 0;
    Time counted_at{};
    Time deleting_at{};
    Time deleted_at{};

    // What every send of it is answered with.
    Time sent_at{};  // the first
    bool acknowledged = false;
    bool sent_again = false;  // or about to be
    std::string sent_id;
    SequenceNumber sent_sequence = 0;

    std::size_t place = 0;  // where it is, unless it has gone on to the dead-letter queue unseen
    Time placed_at{};
    SequenceNumber sequence = 0;  // the one that it has there
    SequenceNumber floor = 0;     // and above which that is in the queue that it was sent to
    bool was_redriven = false;    // maybe
    bool may_be_renamed = false;  // by that, without having been seen since
    SequenceNumber floor_if_renamed = 0;
  };

  // The server counts in whole milliseconds of a clock that may be corrected a little.
  static constexpr std::chrono::milliseconds clock_slack{20};

  // A duplicate is one for five minutes. Sent within this time, it reaches the server within them.
  static constexpr std::chrono::seconds repeat_limit{240};

  Message& at(std::uint64_t number) { return messages_[number - 1]; }
  const Message& at(std::uint64_t number) const { return messages_[number - 1]; }

  static bool may_be_in(std::size_t queue, const Message& message) {
    return queue == message.queue || queues[message.queue].dead_letters == queue;
  }

  bool is_recent(std::uint64_t number) const { return at(number).sent_at + repeat_limit > Clock::now(); }

  /// What never came before all was accounted for does not exist, and would be sent for the first time.
  bool is_repeatable(std::uint64_t number) const {
    return is_recent(number) && (at(number).state != State::deleted || !at(number).sent_id.empty());
  }

  void sent_one(std::uint64_t number, const SentMessage& answer) {
    Message& message = at(number);
    ++(message.acknowledged ? repeats_ : sends_);
    message.acknowledged = true;
    if (message.state == State::unknown) message.state = State::waiting;
    if (!message.was_redriven && message.message_id.empty()) message.message_id = answer.message_id;
    if (message.sent_id.empty()) message.sent_id = message.was_redriven ? answer.message_id : message.message_id;
    if (message.sent_id != answer.message_id) violate(name_of(number) + " was answered with another message id");
    if (queues[message.queue].fifo) sent_in_order(number, message, answer.sequence);
  }

  void sent_in_order(std::uint64_t number, Message& message, SequenceNumber sequence) {
    if (message.sent_sequence != 0) {
      if (message.sent_sequence != sequence) violate(name_of(number) + " was answered with another sequence number");
      return;
    }
    message.sent_sequence = sequence;
    check_sequence(message.queue, number, sequence);
    if (message.was_redriven || message.place != message.queue) return;
    message.sequence = sequence;
    orders_[message.queue].place(group_of(number), sequence, number);
  }

  void check_sequence(std::size_t queue, std::uint64_t number, SequenceNumber sequence) {
    if (sequence == 0) violate(name_of(number) + " has no sequence number");
    if (!orders_[queue].learn(sequence, number)) violate(name_of(number) + " has another message's sequence number");
    if (queue == at(number).queue && sequence <= at(number).floor) {
      violate(name_of(number) + " has no higher sequence number than those before it");
    }
  }

  void received_one(std::size_t queue, std::uint64_t number, const ReceivedMessage& got, Span span,
                    std::chrono::seconds visibility) {
    Message& message = at(number);
    if (got.body != body_of(number)) violate(name_of(number) + " came with another body");
    identify(number, message, got.message_id);
    locate(queue, number, message, got, span);
    if (message.state == State::deleted && span.begun > message.deleted_at) {
      violate(name_of(number) + " was delivered after its delete was acknowledged");
    }
    if (span.answered + clock_slack < message.hidden_until && span.begun > message.hidden_known_at) {
      violate(name_of(number) + " was delivered before its delay or visibility timeout was over");
    }
    check_count(number, message, got.receive_count, span);
    if (message.state == State::unknown) message.state = State::waiting;
    // It is there after all: the delete that was on its way did not happen, and will not.
    if (message.state == State::maybe_deleted && span.begun > message.deleting_at) message.state = State::waiting;
    if (got.receive_count >= message.receive_count) {
      message.handle = got.receipt_handle;
      message.hidden_until = span.begun + visibility;
      message.hidden_known_at = Clock::now();
    }
  }

  void identify(std::uint64_t number, Message& message, const std::string& message_id) {
    if (message.may_be_renamed && !message.message_id.empty() && message.message_id != message_id) {
      message.message_id = message_id;
      message.floor = message.floor_if_renamed;
      message.receive_count = 0;
      ++returned_;
    }
    message.may_be_renamed = false;
    if (message.message_id.empty()) message.message_id = message_id;
    if (message.message_id != message_id) violate(name_of(number) + " came with another message id");
    if (!message.was_redriven) message.sent_id = message.message_id;
  }

  /// Where a message is, whether it may be there, and its place in the order.
  void locate(std::size_t queue, std::uint64_t number, Message& message, const ReceivedMessage& got, Span span) {
    const bool is_dead_letter = queue != message.queue;
    if (is_dead_letter && got.receive_count <= max_receive_count) {
      violate(name_of(number) + " came to the dead-letter queue too early");
    }
    if (!is_dead_letter && queues[queue].dead_letters && got.receive_count > max_receive_count) {
      violate(name_of(number) + " was received too often to be no dead letter");
    }
    if (queue != message.place && !is_dead_letter) {
      if (span.begun > message.placed_at) violate(name_of(number) + " came back from the dead-letter queue by itself");
      return;
    }
    if (queue != message.place) move_to(queue, number, message);
    if (is_dead_letter) ++dead_letters_;
    if (!queues[queue].fifo) return;
    if (got.group != group_of(number) || got.deduplication_id != deduplication_id_of(number)) {
      violate(name_of(number) + " came with another group or deduplication id");
    }
    if (message.sequence == got.sequence && got.sequence != 0) return;
    if (message.sequence != 0) violate(name_of(number) + " came with another sequence number");
    check_sequence(queue, number, got.sequence);
    message.sequence = got.sequence;
    if (!message.was_redriven && !is_dead_letter) message.sent_sequence = got.sequence;
    orders_[queue].place(group_of(number), got.sequence, number);
  }

  void move_to(std::size_t queue, std::uint64_t number, Message& message) {
    orders_[message.place].remove(group_of(number), message.sequence);
    message.place = queue;
    message.placed_at = Clock::now();
    message.sequence = 0;
  }

  void check_order(std::size_t queue, const std::vector<FifoOrder::Delivered>& delivered, Span span) {
    const auto standing_of = [&](std::uint64_t number) {
      const Message& message = at(number);
      if (message.place != queue || message.state != State::waiting) return FifoOrder::Standing::may_be_gone;
      const bool leased = span.answered + clock_slack < message.hidden_until && span.begun > message.hidden_known_at;
      return leased ? FifoOrder::Standing::in_flight : FifoOrder::Standing::here;
    };
    const FifoOrder::Findings findings = orders_[queue].delivered(delivered, span, standing_of);
    for (const std::string& violation : findings.violations) violate(violation);
    for (const auto& [number, by] : findings.passed_over) {
      if (queues[queue].dead_letters) {
        move_to(*queues[queue].dead_letters, number, at(number));
      } else {
        violate(name_of(number) + " was passed over by " + name_of(by) + " of its group");
      }
    }
  }

  void check_count(std::uint64_t number, Message& message, std::uint64_t count, Span span) {
    if (span.begun > message.counted_at && count <= message.receive_count) {
      violate(name_of(number) + " was received for time " + std::to_string(count) + " after time " +
              std::to_string(message.receive_count));
    }
    if (count > message.receive_count) {
      message.receive_count = count;
      message.counted_at = Clock::now();
    }
  }

  std::uint64_t locked(const std::uint64_t& counter) const {
    const std::lock_guard lock(mutex_);
    return counter;
  }

  mutable std::mutex mutex_;
  std::vector<Message> messages_;
  std::array<std::vector<Held>, queues.size()> held_;
  std::array<FifoOrder, queues.size()> orders_;
  std::array<std::vector<std::uint64_t>, queues.size()> repeatable_;
  std::vector<std::string> violations_;
  std::uint64_t sends_ = 0;
  std::uint64_t receives_ = 0;
  std::uint64_t deletes_ = 0;
  std::uint64_t repeats_ = 0;
  std::uint64_t dead_letters_ = 0;
  std::uint64_t returned_ = 0;
};

}  // namespace penstock::crash
