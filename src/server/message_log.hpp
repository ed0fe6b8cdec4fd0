// What became of messages lately, in one thread: a ring of small records that costs a few nanoseconds for each, and is
// searched when somebody asks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "penstock/commands.hpp"
#include "penstock/engine.hpp"
#include "penstock/ids.hpp"
#include "penstock/records.hpp"
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
  /// Deliveries that have their messages, to whom `receiver` says, such as "a client".
  void note(const std::vector<Delivery>& deliveries, std::string_view receiver, Instant now);

  // What moves between queues has another shard's queue at one end, which tells its name, and the id that it has there.

  /// The queue of that name gives a message, which has that id there, as the Effects noted next tell.
  void expect_arrival(const TransferOrigin& from, const QueueName& name, std::string_view message_id);
  /// The arrival is over. The id that the message has here; empty if it did not come.
  std::string end_arrival(const TransferOrigin& from);
  /// A queue has got the message: under another id if that is not empty.
  void expect_departure(const TransferOrigin& from, QueueId to, const QueueName& name, std::string_view message_id);
  /// It is gone, or somebody else dropped it.
  void end_departure(const TransferOrigin& from) { departing_.erase(from); }

  /// What became of the message with that id, as far as it is kept, oldest first.
  std::vector<MessageStep> find(std::string_view message_id) const;

 private:
  using Uuid = std::array<std::uint64_t, 2>;
  enum class Kind : std::uint8_t {
    sent,
    duplicate,  ///< another send was answered with this one
    arrived,    ///< behind its `sent`: from another queue
    received,
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
    Uuid other{};    ///< that the message has in `peer`, where it is another one
    QueueId peer{};  ///< that it came from, or went to; 0 if it is not known
    std::uint32_t count = 0;
    std::uint32_t receiver = 0;  ///< among receivers_
    Kind kind{};
    bool redriven = false;
  };

  struct Arrival {
    Uuid there{};
    Uuid here{};
  };
  struct Departure {
    QueueId to;
    Uuid there{};
  };

  static std::optional<Uuid> parse(std::string_view text);
  static std::string to_text(const Uuid& id);
  std::uint32_t number_of(std::string_view receiver);
  void know_name(QueueId queue, const QueueName& name);
  /// Where in the ring it is now.
  std::size_t add(const Record& record);
  void note(const DuplicateSend& duplicate, std::int64_t now_ms);
  /// Where the i-th oldest is in the ring.
  std::size_t place_of(std::size_t i) const { return (first_ + i) % records_.size(); }
  const Record& at(std::size_t i) const { return records_[place_of(i)]; }
  MessageStep step_of(std::size_t place) const;
  std::string name_of(QueueId queue) const;

  const std::size_t records_max_;
  std::vector<Record> records_;  ///< a ring once it is full
  std::size_t first_ = 0;
  std::unordered_map<std::size_t, std::string>
      deduplication_ids_;  ///< of the duplicates, by where they are in the ring
  std::unordered_map<QueueId, QueueName> names_;
  std::vector<std::string> receivers_;
  std::unordered_map<std::string, std::uint32_t> receiver_numbers_;
  // As many as there are transfers under way, which are few.
  std::map<TransferOrigin, Arrival> arriving_;
  std::map<TransferOrigin, Departure> departing_;
};

}  // namespace penstock::server
