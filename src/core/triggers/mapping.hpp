// A mapping as its owner sees it, whatever its source is: it is started, stopped and changed while it is stopped. How
// it reads, batches and settles is the business of queue_mapping and stream_mapping.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/triggers/context.hpp"
#include "penstock/mappings.hpp"

namespace penstock::core {

class Mapping;

/// LastProcessingResult, as the service words it.
inline constexpr std::string_view nothing_processed = "No records processed";
inline constexpr std::string_view processed_ok = "OK";
inline constexpr std::string_view call_failed = "PROBLEM: Function call failed";
/// The service has no words for this that are known, and calls it a problem as well.
inline constexpr std::string_view answer_malformed = "PROBLEM: Function response is malformed";
/// The same of what somebody else has put into words.
inline std::string problem(std::string_view what) { return std::string("PROBLEM: ").append(what); }

/// Whom a mapping tells how far it is. Both only take it down and act on it when the command or deadline that is being
/// worked on is through, so that a mapping may be told to start, or may go, without a call of it being on the stack.
class MappingOwner {
 public:
  MappingOwner() = default;
  MappingOwner(const MappingOwner&) = delete;
  MappingOwner& operator=(const MappingOwner&) = delete;
  virtual ~MappingOwner() = default;

  /// What start() has to see to is done, or promised: from now on nothing is missed.
  virtual void mapping_started(Mapping& mapping) = 0;
  /// What stop() waits for is over.
  virtual void mapping_stopped(Mapping& mapping) = 0;
};

class Mapping : public Participant {
 public:
  Mapping(TriggerContext& context, MappingOwner& owner, MappingRecord record)
      : context_(context), owner_(owner), record_(std::make_shared<const MappingRecord>(std::move(record))) {}

  const MappingRecord& record() const { return *record_; }
  /// The same, to be handed to the shell: what it holds never changes.
  const std::shared_ptr<const MappingRecord>& shared_record() const { return record_; }

  /// Begins to ask its source. The owner is told, once, by mapping_started, maybe from within; if stop() comes before,
  /// it need not be. REQUIRES: it was never started, or is stopped.
  virtual void start() = 0;
  /// Asks for no more, gives back what was read and not begun with, and lets the invocations that run end and be
  /// settled. The owner is told, once, by mapping_stopped, maybe from within. It is also what a shutdown does.
  /// REQUIRES: it was started, and not stopped since.
  virtual void stop() = 0;

  /// What descriptions and the store say, which is ahead of record() while a change waits for it to stop.
  const MappingRecord& announced() const { return next_ == nullptr ? *record_ : *next_; }
  /// Promises a configuration, a state, or both, which adopt() puts in place.
  void announce(MappingRecord next) {
    next_ = std::make_shared<const MappingRecord>(std::move(next));
    context_.promise(PutMapping{*next_});
  }
  /// REQUIRES: where the configuration differs in what decides how it reads or invokes, it is stopped.
  void adopt() {
    if (next_ != nullptr) record_ = std::exchange(next_, nullptr);
  }
  /// What keeps it from waiting for its source and nothing else, for a person; empty if nothing does. REQUIRES: it was
  /// started, and not stopped since.
  virtual std::string busy() const = 0;
  /// As an operator sees it.
  MappingView view() const {
    const MappingRecord& told = announced();
    return {told.uuid, told.function, told.source_arn, tally_, told.state == MappingState::enabled};
  }
  /// Its function was registered, changed or deleted.
  virtual void function_changed() {}

 protected:
  /// Of LastProcessingResult, which may hold words of an emulator or of a queue.
  static constexpr std::size_t result_bytes_max = 512;

  /// Keeps LastProcessingResult up; costs nothing while it stays the same. What is too long is cut off.
  void set_last_result(std::string_view result) {
    result = result.substr(0, result_bytes_max);
    if (record_->last_result == result) return;
    const auto changed = [result](const MappingRecord& before) {
      MappingRecord record = before;
      record.last_result = result;
      return std::make_shared<const MappingRecord>(std::move(record));
    };
    record_ = changed(*record_);
    if (next_ != nullptr) next_ = changed(*next_);
    context_.note(PutMapping{announced()});
  }
  const MappingConfig& config() const { return record_->config; }
  /// A batch is over.
  using Count = std::uint64_t MappingTally::*;
  void count(Count what) {
    ++(tally_.*what);
    ++(context_.mapped.*what);
  }

  TriggerContext& context_;
  MappingOwner& owner_;

 private:
  std::shared_ptr<const MappingRecord> record_;
  std::shared_ptr<const MappingRecord> next_;
  MappingTally tally_;
};

/// REQUIRES: the source is a queue.
std::unique_ptr<Mapping> make_queue_mapping(TriggerContext& context, MappingOwner& owner, MappingRecord record);
/// `checkpoints` are those that a start finds. REQUIRES: the source is a stream.
std::unique_ptr<Mapping> make_stream_mapping(TriggerContext& context, MappingOwner& owner, MappingRecord record,
                                             std::vector<ShardCheckpoint> checkpoints);

}  // namespace penstock::core
