// A naive account of what clients may see: it knows nothing of lanes, windows or commits, only of promises.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "penstock/time.hpp"

namespace penstock::sim {

/// How sure a client is of something that it asked for.
enum class Certainty : std::uint8_t {
  no,       ///< not asked for
  unknown,  ///< asked for, and no answer yet or ever
  yes,      ///< acknowledged
};

/// One message as its clients know it.
struct ModelMessage {
  Certainty sent = Certainty::unknown;
  Certainty erased = Certainty::no;  ///< by a delete, a purge or the end of its queue
  Instant sent_at{};
  Instant not_before{};  ///< end of its delay
  std::optional<Instant> leased_until;
  std::uint64_t changes = 0;        ///< of visibility, asked for so far
  std::uint32_t receive_count = 0;  ///< the highest that a client was told
};

/// What was delivered, and when the engine decided on it.
struct Observation {
  std::string body;
  std::uint32_t receive_count = 0;
  Instant decided_at{};
  Instant leased_until{};
  std::uint64_t decided_at_step = 0;
};

class ModelQueue {
 public:
  explicit ModelQueue(Millis retention) : retention_(retention) {}

  void asked_to_send(const std::string& body, Instant now, Millis delay) {
    messages_[body] = ModelMessage{Certainty::unknown, Certainty::no, now, now + delay, std::nullopt, 0, 0};
  }
  void sent(const std::string& body) { messages_.at(body).sent = Certainty::yes; }
  /// The engine refused it: it must never appear.
  void refused(const std::string& body) { messages_.erase(body); }

  void asked_to_erase(const std::string& body) {
    Certainty& erased = messages_.at(body).erased;
    if (erased == Certainty::no) erased = Certainty::unknown;
  }
  void erased(const std::string& body, std::uint64_t step) {
    messages_.at(body).erased = Certainty::yes;
    erased_at_step_.try_emplace(body, step);
  }
  std::vector<std::string> bodies() const {
    std::vector<std::string> all;
    for (const auto& [body, message] : messages_) all.push_back(body);
    return all;
  }

  /// A change of visibility was asked for: until its answer is known, only the earlier end is promised. Answers which
  /// change of this message it is.
  std::uint64_t asked_to_change(const std::string& body, Instant until) {
    ModelMessage& message = messages_.at(body);
    if (message.leased_until && until < *message.leased_until) message.leased_until = until;
    return ++message.changes;
  }
  /// The change was acknowledged. It holds if none was asked for since, whose answer may never come.
  void changed(const std::string& body, Instant until, std::uint64_t change) {
    ModelMessage& message = messages_.at(body);
    if (change == message.changes) message.leased_until = until;
  }

  bool is_leased(const std::string& body, Instant now) const {
    const auto& lease = messages_.at(body).leased_until;
    return lease && now < *lease;
  }

  /// Leases are written but not synced: the power takes them.
  void lost_power() {
    for (auto& [body, message] : messages_) {
      message.leased_until.reset();
      message.receive_count = 0;
    }
  }

  /// Empty if the delivery keeps every promise, otherwise which it breaks.
  std::string deliver(const Observation& seen) {
    const auto found = messages_.find(seen.body);
    if (found == messages_.end()) return "delivered '" + seen.body + "', which nobody sent";
    ModelMessage& message = found->second;
    if (message.erased == Certainty::yes && erased_at_step_.at(seen.body) < seen.decided_at_step) {
      return "delivered '" + seen.body + "' after its delete was acknowledged";
    }
    if (seen.decided_at < message.not_before) return "delivered '" + seen.body + "' before its delay was over";
    if (message.leased_until && seen.decided_at < *message.leased_until) {
      return "delivered '" + seen.body + "' while it was leased to another";
    }
    if (seen.decided_at >= message.sent_at + retention_) return "delivered '" + seen.body + "' after its retention";
    if (seen.receive_count <= message.receive_count) return "the receive count of '" + seen.body + "' went back";
    message.leased_until = seen.leased_until;
    message.receive_count = seen.receive_count;
    // Whatever became of its acknowledgement, it was sent.
    message.sent = Certainty::yes;
    return {};
  }

  /// Those that must still be there: acknowledged, never asked to be erased, not expired.
  std::vector<std::string> owed(Instant now) const {
    std::vector<std::string> all;
    for (const auto& [body, message] : messages_) {
      if (message.sent == Certainty::yes && message.erased == Certainty::no && now < message.sent_at + retention_) {
        all.push_back(body);
      }
    }
    return all;
  }

 private:
  Millis retention_;
  std::map<std::string, ModelMessage> messages_;
  std::map<std::string, std::uint64_t> erased_at_step_;
};

}  // namespace penstock::sim
