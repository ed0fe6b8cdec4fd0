// A naive account of what clients may see: it knows nothing of lanes, windows or commits, only of promises.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
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
  /// The latest receive may be undone by any end of the server; then this is the count.
  std::optional<std::uint32_t> count_before;
  std::string group;  ///< of a FIFO queue
  std::optional<std::uint64_t> sequence;
  bool dead = false;      ///< delivered by the dead-letter queue
  bool redriven = false;  ///< a move task may have sent it anew
};

/// What is promised of a queue, or of one and its dead-letter queue together.
struct ModelRules {
  Millis retention{};
  bool fifo = false;
  std::optional<std::uint32_t> max_receive_count{};
};

/// What was delivered, and when the engine decided on it.
struct Observation {
  std::string body;
  std::uint32_t receive_count = 0;
  Instant decided_at{};
  Instant leased_until{};
  std::uint64_t decided_at_step = 0;
  std::uint64_t sequence = 0;
  bool by_dead_letter_queue = false;
  bool ends_with_server = false;
};

class ModelQueue {
 public:
  explicit ModelQueue(const ModelRules& rules) : rules_(rules) {}

  void asked_to_send(const std::string& body, Instant now, Millis delay, const std::string& group = {}) {
    ModelMessage& message = messages_[body];
    message.sent_at = now;
    message.not_before = now + delay;
    message.group = group;
  }
  void sent(const std::string& body, std::optional<std::uint64_t> sequence = {}) {
    messages_.at(body).sent = Certainty::yes;
    if (sequence) messages_.at(body).sequence = sequence;
  }
  /// A move task may send anything anew that is in the dead-letter queue.
  void asked_to_redrive() {
    for (auto& [body, message] : messages_) message.redriven = true;
  }
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
      message.count_before.reset();
    }
  }

  /// Who had leases of this kind has ended with it.
  void ended() {
    for (auto& [body, message] : messages_) {
      if (!message.count_before) continue;
      message.leased_until.reset();
      message.receive_count = *std::exchange(message.count_before, std::nullopt);
    }
  }

  /// A receive attempt was repeated: the same messages, not counted again. Where changes were asked for they may have
  /// come after it, and then only the earlier end is promised.
  void repeated(const std::string& body, Instant until) {
    ModelMessage& message = messages_.at(body);
    if (message.changes > 0) until = std::min(until, message.leased_until.value_or(until));
    message.leased_until = until;
  }

  /// Empty if the deliveries of one receive keep the order and exclusion of their groups. `handed_out` has the
  /// sequences of all of them, those too whose time was over before the answer was. Called before deliver.
  std::string check_groups(const std::vector<Observation>& together,
                           const std::vector<std::uint64_t>& handed_out) const {
    for (std::size_t i = 0; i < together.size(); ++i) {
      const auto found = messages_.find(together[i].body);
      if (found == messages_.end()) continue;
      for (const auto& [body, other] : messages_) {
        if (other.group != found->second.group || body == together[i].body) continue;
        const std::uint64_t sequence = other.sequence.value_or(UINT64_MAX);
        if (sequence > together[i].sequence) continue;
        if (std::find(handed_out.begin(), handed_out.end(), sequence) != handed_out.end()) continue;
        if (other.erased != Certainty::no || other.sent != Certainty::yes) continue;
        if (together[i].decided_at >= other.sent_at + rules_.retention) continue;
        // One that may be a dead letter by now is no longer in its group's way, unless it is known to be leased.
        const bool leased = other.leased_until && together[i].decided_at < *other.leased_until;
        if (rules_.max_receive_count && !leased) continue;
        if (other.dead || other.redriven || found->second.redriven) continue;
        return "delivered '" + together[i].body + "' of group " + other.group + " before '" + body + "'";
      }
    }
    return {};
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
    // A FIFO dead-letter queue counts from when it got the message, and a move task sends it anew.
    const bool begins_anew = rules_.max_receive_count && (rules_.fifo || message.redriven);
    if (!begins_anew && seen.decided_at >= message.sent_at + rules_.retention) {
      return "delivered '" + seen.body + "' after its retention";
    }
    if (std::string problem = check_counts(seen, message); !problem.empty()) return problem;
    message.dead = seen.by_dead_letter_queue;
    message.sequence = seen.sequence;
    message.leased_until = seen.leased_until;
    message.count_before.reset();
    if (seen.ends_with_server) message.count_before = message.receive_count;
    message.receive_count = seen.receive_count;
    // Whatever became of its acknowledgement, it was sent.
    message.sent = Certainty::yes;
    return {};
  }

  /// Those that must still be there: acknowledged, never asked to be erased, not expired.
  std::vector<std::string> owed(Instant now) const {
    std::vector<std::string> all;
    for (const auto& [body, message] : messages_) {
      if (message.sent == Certainty::yes && message.erased == Certainty::no &&
          now < message.sent_at + rules_.retention) {
        all.push_back(body);
      }
    }
    return all;
  }

 private:
  std::string check_counts(const Observation& seen, const ModelMessage& message) const {
    if (seen.receive_count <= message.receive_count && !message.redriven) {
      return "the receive count of '" + seen.body + "' went back";
    }
    if (!rules_.max_receive_count) return {};
    if (seen.by_dead_letter_queue) {
      return seen.receive_count > *rules_.max_receive_count ? "" : "'" + seen.body + "' was a dead letter too soon";
    }
    if (seen.receive_count > *rules_.max_receive_count) return "'" + seen.body + "' should be a dead letter by now";
    if (message.dead && !message.redriven)
      return "'" + seen.body + "' is a dead letter, and came from its source again";
    return {};
  }

  ModelRules rules_;
  std::map<std::string, ModelMessage> messages_;
  std::map<std::string, std::uint64_t> erased_at_step_;
};

}  // namespace penstock::sim
