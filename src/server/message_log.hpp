// What became of messages lately, in one thread: a ring of small records that costs a few nanoseconds for each, and is
// searched when somebody asks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "penstock/commands.hpp"
#include "penstock/engine.hpp"
#include "penstock/ids.hpp"
#include "penstock/server_commands.hpp"
#include "penstock/time.hpp"

namespace penstock::server {

class MessageLog {
 public:
  /// Keeps the latest `records_max`; none if that is 0.
  explicit MessageLog(std::size_t records_max) : records_max_(records_max) {}

  bool is_on() const { return records_max_ > 0; }
  /// A queue that there is already.
  void know(QueueId queue, const QueueName& name) { names_[queue] = name; }
  void note(const Effects& effects, Instant now);
  /// Deliveries that have their messages.
  void note(const std::vector<Delivery>& deliveries, bool by_mapping, Instant now);

  /// What became of the message with that id, as far as it is kept, oldest first.
  std::vector<MessageStep> find(std::string_view message_id) const;

 private:
  using Uuid = std::array<std::uint64_t, 2>;
  enum class Kind : std::uint8_t {
    sent,
    arrived,  ///< behind its `sent`: from another queue, of which `origin` and `until` (its sequence) are the place
    received,
    received_by_mapping,
    deleted,
    moved,
    hidden,
    returned,
    visible,
    expired,
    purged,  ///< all that the queue had
  };
  struct Record {
    QueueId queue;
    Sequence sequence;
    std::int64_t at_ms = 0;
    std::int64_t until_ms = 0;
    Uuid id{};
    std::uint64_t origin = 0;
    std::uint32_t count = 0;
    Kind kind{};
    bool redriven = false;
  };

  static std::optional<Uuid> parse(std::string_view text);
  void add(const Record& record);
  /// The i-th oldest.
  const Record& at(std::size_t i) const { return records_[(first_ + i) % records_.size()]; }
  MessageStep step_of(const Record& record) const;
  std::string name_of(QueueId queue) const;

  const std::size_t records_max_;
  std::vector<Record> records_;  ///< a ring once it is full
  std::size_t first_ = 0;
  std::unordered_map<QueueId, QueueName> names_;
};

}  // namespace penstock::server
