// What a mapping does in one shard of its stream: it reads ahead, batches, invokes, tries again and moves the
// checkpoint. Records go into lanes by their partition key, each of which has one batch under way at a time, so that
// the order of a key is kept whatever the other lanes do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/triggers/context.hpp"
#include "core/triggers/stream_batch.hpp"
#include "core/triggers/watermark.hpp"
#include "penstock/mappings.hpp"

namespace penstock::core {

class ShardWorker;

/// The mapping, as the workers of its shards see it. Calls that say so are the last thing that a worker does in a call
/// of its own, and do not destroy it.
class ShardOwner {
 public:
  ShardOwner() = default;
  ShardOwner(const ShardOwner&) = delete;
  ShardOwner& operator=(const ShardOwner&) = delete;
  virtual ~ShardOwner() = default;

  virtual const std::shared_ptr<const MappingRecord>& mapping() const = 0;
  virtual const StreamName& stream() const = 0;
  /// How long the stream keeps its records, as far as that is known.
  virtual std::optional<Millis> retention() const = 0;
  virtual void moved(const ShardCheckpoint& checkpoint) = 0;
  /// An invocation is over, or there could be none, or what has failed could not be reported: LastProcessingResult.
  virtual void processed(std::string_view result) = 0;
  /// An invocation with a batch is over.
  virtual void ended(std::uint64_t MappingTally::*how) = 0;
  /// A batch is about to be tried again, so that it matters how long its records are kept.
  virtual void trying_again() = 0;
  /// A read was answered, with records or because whoever reads is to look whether they still may.
  virtual void read_some(bool has_more) = 0;
  /// The shard is not there any more, or not in this incarnation of its stream: shard_gone() says what comes of it.
  virtual void shard_missing() = 0;
  /// Everything in the shard has been processed, and it gets no more. The last thing.
  virtual void shard_finished(ShardWorker& worker, std::vector<ShardRecord> children) = 0;
  /// After stop(): what was under way is over. The last thing.
  virtual void shard_quiet() = 0;
};

class ShardWorker final : public Participant {
 public:
  ShardWorker(TriggerContext& context, ShardOwner& owner, ShardCheckpoint from);
  ~ShardWorker() override;

  const ShardCheckpoint& checkpoint() const { return saved_; }

  void start();
  /// Asks for no more and begins no more; batches that wait to be tried again are read anew from the checkpoint when
  /// the mapping goes on. The owner is told when it is quiet, unless it is so already.
  void stop();
  bool is_quiet() const;
  /// Whether all that there is was read and processed, and the next record is waited for.
  bool is_caught_up() const;
  /// No more can be read: what was read is the last. Its children are those.
  void shard_gone(std::vector<ShardRecord> children);
  /// What waits because it was missing goes on.
  void function_changed();

  void answered(Answered answer) override;
  void invocation_over(InvocationOver over) override;
  void due(std::uint64_t tag) override;
  void slot_freed() override;

 private:
  struct Waiting {
    SourceItem item;
    Instant read{};  ///< from which the batching window counts
  };
  enum class Phase : std::uint8_t {
    idle,       ///< the next batch is begun with as soon as there is one
    running,    ///< an invocation
    pausing,    ///< before the next try of what it has at the front
    refused,    ///< waits for a slot
    reporting,  ///< that its first batch is given up
  };
  struct Lane {
    std::uint64_t number = 0;
    std::deque<Waiting> waiting;  ///< read, and in no batch
    std::size_t waiting_bytes = 0;
    std::deque<StreamBatch> batches;  ///< the front is seen to; behind it is what was split off
    Phase phase = Phase::idle;
    bool misses_function = false;  ///< why it is pausing
    std::optional<TimerId> timer;  ///< of pausing; of idle, the end of the batching window
    InvocationId invocation;
    AskId report;
    int reports = 0;   ///< tries of the present one that came to nothing
    int refusals = 0;  ///< of these, those after which another is of little use
  };
  /// What the next batch of a lane may take.
  struct Cut {
    std::size_t count = 0;
    bool is_full = false;  ///< by number or by size
  };

  const MappingConfig& config() const { return owner_.mapping()->config; }
  /// Also where there are to be no more: one that is open comes to its end.
  bool has_windows() const { return config().tumbling_seconds > 0 || window_; }

  // Reading (shard_worker.cpp).
  bool is_read_ahead_full() const;
  bool wants_more() const;
  void read_on();
  void take(RecordsPage page, std::vector<SourceItem> items);
  void read_failed(const std::optional<Result>& result);
  void read_later();
  void save();
  void finish_if_done();
  void go_on();
  void drive_all();

  // Batches (shard_batches.cpp).
  void drive(Lane& lane);
  bool form(Lane& lane);
  bool window_is_open(Lane& lane);
  Cut cut_of(const Lane& lane, std::size_t bytes_max, std::optional<Instant> until) const;
  void take_out(Lane& lane, std::size_t count, bool is_final);
  void begin(Lane& lane);
  void pause(Lane& lane, Millis delay);
  void settle(Lane& lane, std::size_t count);
  void done_with(Lane& lane);
  void ended_with(Lane& lane, const Judgement& judgement);
  void split(Lane& lane, std::size_t at);
  void went_on(Lane& lane);
  void wait_to_try_again(Lane& lane, Millis delay);
  std::optional<Millis> age_max() const;
  void set_aside_old(Lane& lane);
  void dispose(Lane& lane);
  BatchFailure failure_of(const StreamBatch& batch) const;
  void reported(Lane& lane, const std::optional<Result>& result);
  void warn_of_lost_report(const StreamBatch& batch, const std::optional<Result>& result);

  // Tumbling windows (shard_windows.cpp).
  bool form_in_window(Lane& lane);
  void see_to_window(Lane& lane);
  void open_window_of(const SourceItem& item);
  void open_window(TumblingWindow window);
  void close_window();
  Instant window_end() const;
  bool window_is_complete() const;
  bool state_is_too_large() const;
  Lane& lane_of(std::string_view key);
  void widen_if_windowless();
  WindowEvent window_event(const StreamBatch& batch) const;
  void seal();
  void sealed(const std::optional<Result>& result);

  TriggerContext& context_;
  ShardOwner& owner_;
  ShardCheckpoint saved_;

  RecordIndex next_;  ///< read up to here
  std::optional<AskId> reading_;
  std::optional<TimerId> read_timer_;
  bool ended_ = false;  ///< there is no more to read
  std::vector<ShardRecord> children_;
  Watermark watermark_;
  std::size_t bytes_ = 0;  ///< of what was read and is not done

  std::vector<Lane> lanes_;
  bool is_narrow_ = false;      ///< there is one lane for all while a window of a configuration of before is open
  std::size_t first_lane_ = 0;  ///< whose turn it is to begin, where there are fewer slots than lanes
  bool awaits_slot_ = false;
  bool stopping_ = false;
  bool finished_ = false;

  std::optional<TumblingWindow> window_;  ///< the one that is open
  std::optional<TimerId> window_timer_;   ///< its end, or when to seal it again
  std::optional<AskId> sealing_;
  std::optional<RecordIndex> sealed_;  ///< all that is in the open window lies before it
};

}  // namespace penstock::core
