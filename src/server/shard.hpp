// One shard: an engine in its thread, with what it needs to act on its effects. The order of a turn:
// commands are applied as they come; at the turn's end their mutations go to the committer as one batch; loads are run
// when that is written, replies released when what they observed is durable. A message that goes to another queue is
// taken there once its origin's batch is written, and dropped from its origin once the destination has it durably; what
// a stop cuts off in between is completed by the next start. Of a transaction the target's shard writes everything, so
// that a stop leaves all of it or nothing.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "penstock/engine.hpp"
#include "penstock/limits.hpp"
#include "penstock/mappings.hpp"
#include "server/clock.hpp"
#include "server/commit_queue.hpp"
#include "server/message_log.hpp"
#include "server/pulse.hpp"
#include "server/read_tally.hpp"
#include "storage/committer.hpp"
#include "storage/message_reader.hpp"

namespace penstock::server {

class Shard final : public Timed {
 public:
  /// Called in the shard's thread, once: with the result, whose deliveries have their messages, or with nothing if the
  /// call was cancelled before it had one.
  using Completion = std::function<void(std::optional<Result>)>;

  /// The shard that owns what a command is about, which may be the one that asks. Any thread.
  using Router = std::function<Shard&(const Command&)>;

  /// What is handed in must outlive the shard, and so must every shard that `router` answers, but for what is posted
  /// to a context that runs no more.
  Shard(boost::asio::io_context& context, const Store& store, storage::Committer& committer, const Clock& clock,
        const Limits& limits, Router router, std::size_t trace_records = 0);
  /// The same around an engine that is given. What becomes of messages is not kept.
  Shard(boost::asio::io_context& context, const Store& store, storage::Committer& committer, const Clock& clock,
        Router router, std::unique_ptr<Engine> engine, std::size_t trace_records = 0);
  ~Shard() override;

  boost::asio::io_context& context() override { return context_; }

  // In the shard's thread, or before it runs:

  void recover(RecoveredQueue queue);
  void recover(RecoveredStream stream);
  void recover(StreamAccount account);
  /// Lets the recovered state take effect: loads, deadlines.
  void start();
  void submit(CallId call, Command command, Completion completion);
  /// For commands that are not answered.
  void tell(Command command);
  /// The client of a call that waits has gone, of which `cancellation` tells the engine.
  void cancel(CallId call, Command cancellation);
  /// True once after a sync that was made in this thread for one client.
  bool take_committed_alone() { return std::exchange(committed_alone_, false); }
  Pulse pulse(bool with_names) const override;
  std::vector<MessageStep> trace(const std::string& message_id) const override { return log_.find(message_id); }
  void clock_changed() override;
  /// As an operator sees it.
  const Engine& engine() const { return *engine_; }
  /// Of what is read in this thread, for whomever.
  ReadTally& reads() { return reads_; }
  /// What a mapping is answered that has received, for those who ask what became of it. In this shard's thread.
  void note_received(const Result& result, const MappingRecord& mapping);
  /// Answers every long poll empty and ends every subscription; from now on none is parked.
  void release_parked();

  /// The index in the ids of calls that mappings make. REQUIRES: before it runs.
  void set_mappings_index(std::uint64_t index) { mappings_index_ = index; }

  // Any thread:

  /// The committer has got further.
  void wake() { releases_.wake(); }

 private:
  /// Whose thread made a call stands above these bits of its id.
  static constexpr std::uint64_t call_bits = 48;

  struct Release {
    std::vector<Reply> replies;
    std::vector<Load> loads;
    std::vector<Transfer> transfers;
    std::vector<Transaction> transactions;
  };

  void want_turn();
  void end_turn();
  void commit(WriteBatch& batch, bool sync, std::size_t reply_count);
  bool may_commit_here(bool sync, std::size_t reply_count);
  void release(Release release);
  bool is_answered(CallId call) const;
  bool is_of_mapping(CallId call) const { return call.value >> call_bits == mappings_index_; }
  void run_load(const Load& load);
  void complete(Reply reply);
  void fill(std::vector<Delivery>& messages, std::size_t bytes_max);
  /// For calls that no client makes.
  CallId internal_call();
  void start_transfers();
  void hand_over(const Transfer& transfer);
  void settle(TransferSettled outcome, std::function<void()> settled);
  void start_transactions();
  void hand_over(Transaction transaction);
  void arm_timer();
  void ring();

  boost::asio::io_context& context_;
  const Store& store_;
  storage::MessageReader messages_;
  storage::Committer& committer_;
  const Clock& clock_;
  const Router router_;
  SystemEntropy entropy_;
  std::unique_ptr<Engine> engine_;
  MessageLog log_;

  std::unordered_map<CallId, Completion> calls_;
  CommitQueue<Release> releases_;
  std::deque<Transfer> transfers_;  // that wait for others to be settled
  std::size_t transfers_open_ = 0;  // that were read and are not settled
  std::deque<Transaction> transactions_;
  std::size_t transactions_open_ = 0;
  std::uint64_t internal_calls_ = 0;
  bool turn_wanted_ = false;
  bool draining_ = false;
  std::uint64_t mappings_index_ = UINT64_MAX;
  ReadTally reads_;
  std::uint64_t work_ = 0;  // how often the engine was given something to do

  // Whether commits are made in this thread: only while there is one client at a time.
  std::chrono::steady_clock::time_point committed_here_at_;
  unsigned holdoff_ = 0;
  bool alone_ = false;
  bool committed_alone_ = false;

  boost::asio::steady_timer timer_;
  std::optional<Instant> armed_;
};

}  // namespace penstock::server
