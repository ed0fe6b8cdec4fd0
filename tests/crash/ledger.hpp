// What the clients of a crash test know: which messages the server has acknowledged and what it may and may not do with
// them from then on. Every answer is held against it, and whatever breaks a promise is written down as one sentence.
//
// A request without an answer may have taken effect or not, and the ledger claims nothing that depends on it. An answer
// is compared only with what was known before its request began, since two answers that cross may be written down in
// either order.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace penstock::crash {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

/// When a request was begun and when its answer was complete; what the server did lies between the two.
struct Span {
  Time begun;
  Time answered;
};

struct ReceivedMessage {
  std::string message_id;
  std::string body;
  std::string receipt_handle;
  std::uint64_t receive_count = 0;
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
    message.queue = queue;
    message.hidden_until = Clock::now() + delay;
    messages_.push_back(message);
    return number;
  }

  void sent(std::uint64_t number, const std::string& message_id) {
    const std::lock_guard lock(mutex_);
    Message& message = at(number);
    if (message.state == State::unknown) message.state = State::waiting;
    identify(number, message, message_id);
    ++sends_;
  }

  /// A message was received with a visibility timeout. Returns its number, or nothing if it is none of ours.
  std::optional<std::uint64_t> received(std::size_t queue, const ReceivedMessage& got, Span span,
                                        std::chrono::seconds visibility) {
    const std::lock_guard lock(mutex_);
    ++receives_;
    const std::uint64_t number = std::strtoull(got.body.c_str(), nullptr, 10);
    if (number == 0 || number > messages_.size() || at(number).queue != queue) {
      violate("a message appeared that was never sent to this queue: " + got.body.substr(0, 60));
      return std::nullopt;
    }
    if (got.body != body_of(number)) violate(name(number) + " came with another body");
    Message& message = at(number);
    identify(number, message, got.message_id);
    if (message.state == State::deleted && span.begun > message.deleted_at) {
      violate(name(number) + " was delivered after its delete was acknowledged");
    }
    if (span.answered + clock_slack < message.hidden_until && span.begun > message.hidden_known_at) {
      violate(name(number) + " was delivered before its delay or visibility timeout was over");
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
    return number;
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
    held_.push_back(std::move(held));
  }

  std::optional<Held> take_held(std::uint64_t random) {
    const std::lock_guard lock(mutex_);
    if (held_.empty()) return std::nullopt;
    std::swap(held_[random % held_.size()], held_.back());
    Held held = std::move(held_.back());
    held_.pop_back();
    return held;
  }

  /// The least and the most messages that the queue can hold now. REQUIRES: no request is on its way.
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
      if (at(number).state == State::waiting) violate(name(number) + " was acknowledged and is lost");
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
           std::to_string(deletes_) + " deletes acknowledged";
  }
  std::uint64_t sends() const { return locked(sends_); }
  std::uint64_t receives() const { return locked(receives_); }
  std::uint64_t deletes() const { return locked(deletes_); }

 private:
  /// unknown: sent without an answer so far. waiting: acknowledged, or seen.
  enum class State : std::uint8_t { unknown, waiting, maybe_deleted, deleted };

  struct Message {
    std::size_t queue = 0;
    State state = State::unknown;
    std::string message_id;
    std::string handle;      // the latest that an answer named
    Time hidden_until{};     // not to be delivered before
    Time hidden_known_at{};  // to requests begun after this
    std::uint64_t receive_count = 0;
    Time counted_at{};
    Time deleting_at{};
    Time deleted_at{};
  };

  // The server counts in whole milliseconds of a clock that may be corrected a little.
  static constexpr std::chrono::milliseconds clock_slack{20};

  Message& at(std::uint64_t number) { return messages_[number - 1]; }
  static std::string name(std::uint64_t number) { return "message " + std::to_string(number); }

  void identify(std::uint64_t number, Message& message, const std::string& message_id) {
    if (message.message_id.empty()) message.message_id = message_id;
    if (message.message_id != message_id) violate(name(number) + " came with another message id");
  }

  void check_count(std::uint64_t number, Message& message, std::uint64_t count, Span span) {
    if (span.begun > message.counted_at && count <= message.receive_count) {
      violate(name(number) + " was received for time " + std::to_string(count) + " after time " +
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
  std::vector<Held> held_;
  std::vector<std::string> violations_;
  std::uint64_t sends_ = 0;
  std::uint64_t receives_ = 0;
  std::uint64_t deletes_ = 0;
};

}  // namespace penstock::crash
