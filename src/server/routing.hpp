// Where a command is answered: by the shard that owns what it is about, or by all of them together.
#pragma once

#include <cstddef>
#include <optional>
#include <variant>

#include "penstock/commands.hpp"
#include "penstock/trigger_commands.hpp"
#include "server/faults.hpp"

namespace penstock::server {

/// Which of so many shards owns a queue, or a stream with all of its shards. What is kept for an account in a region is
/// owned as a stream without a name.
std::size_t owner_of(const QueueName& queue, std::size_t shards);
std::size_t owner_of(const StreamName& stream, std::size_t shards);
/// REQUIRES: the command names its queue or its stream, and is not asked of all.
std::size_t owner_of(const Command& command, std::size_t shards);

/// Whether the answer is made of the answers of every shard.
bool is_asked_of_all(const Command& command);

/// The answers of every shard to one command, put together as they come.
class Merge {
 public:
  /// REQUIRES: the command is asked of all.
  explicit Merge(const Command& command);

  /// An error of any shard is the error of the whole.
  void add(Result&& answer);
  /// REQUIRES: called once, after the last answer.
  Result take();

 private:
  std::size_t limit_ = 0;  ///< of what lists
  Result merged_;
};

/// What is told to the shard where the client of a call goes that may wait; nothing of a call that does not.
std::optional<Command> cancellation_of(const Command& command, CallId call);

/// The stream that a command is about; null for one that is about something else.
const StreamName* stream_of(const Command& command);
/// REQUIRES: the command is about a stream.
void set_stream(Command& command, StreamName stream);

/// Whether it is of those operations of SQS that tell something and change nothing.
bool only_tells(const Command& command);

/// Whether it needs room on the disk. What deletes, or keeps for a shorter time, does not: that is how room is made.
/// Nor does what moves a consumer on, whose positions are rewritten in place: who reads is not stopped by who fills the
/// disk.
bool adds_data(const Command& command);
/// The same of functions and mappings: what registers, and invokes that are kept until they are over.
bool adds_data(const TriggerCommand& command);

/// What a rule of faults may look at, but for the operation. Views into the command.
FaultedCall faulted_call(const Command& command);
FaultedCall faulted_call(const TriggerCommand& command);

/// Whether it says what this machine is to run.
bool runs_programs(const TriggerCommand& command);

}  // namespace penstock::server
