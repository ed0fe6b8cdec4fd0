// A seeded world of consumers with positions: the real engine and the real record codec over a store that loses, tears
// and fails; producers; members that poll, commit, transact, lose answers, die, and come back when their time is over;
// readers by Kinesis's own calls; shards that are split and merged; retention that passes; crashes of the process and
// of the machine. After each command the engine is asked how it sees every consumer, and that is held against the
// model, as is every answer that a client gets and what each start finds. One seed, one history.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "answers.hpp"
#include "consumer_defects.hpp"
#include "consumer_model.hpp"
#include "penstock/engine.hpp"
#include "penstock/limits.hpp"
#include "pipeline.hpp"
#include "record_ledger.hpp"
#include "storage/faulty_store.hpp"
#include "support/random.hpp"

namespace penstock::sim {

using test::Random;

struct ConsumerWorldOptions {
  std::uint64_t seed = 1;
  int steps = 350;
  ConsumerDefect defect = ConsumerDefect::none;
};

/// What happened in a history, or in several, by name: a world in which nothing happens would keep every promise.
using ConsumerHistory = std::map<std::string_view, std::uint64_t>;

class ConsumerWorld {
 public:
  explicit ConsumerWorld(const ConsumerWorldOptions& options);
  ~ConsumerWorld();

  /// Runs the history to its end, and reads everything. Empty if every promise was kept, otherwise what was broken,
  /// with the step.
  std::string run();

  const ConsumerHistory& counts() const { return counts_; }

 private:
  struct Stream {
    StreamName name;
    StreamId id{};
    RecordLedger ledger{};
    std::map<std::string, std::uint64_t> next_order{};
    bool is_target = false;
  };
  /// A state that the engine described, and in which turn.
  struct Snapshot {
    std::uint64_t turn = 0;
    GroupDescription view;
    std::map<std::string, Instant> keys;  ///< and when they were used
  };
  /// One incarnation of a consumer.
  struct Incarnation {
    explicit Incarnation(ConsumerModel its) : model(std::move(its)) {}
    ConsumerModel model;
    std::deque<Snapshot> history{};
    std::map<std::string, std::uint64_t> sessions{};  ///< of the members that are there; 0: not told yet
    std::map<std::string, Instant> heard{};           ///< of them, the latest sign of life
    std::map<std::string, Instant> answered{};        ///< of them, the latest answer to a poll
    std::map<std::string, std::int64_t> polls{};      ///< that wait
    bool created_told = false;
    bool deleted = false;
    bool deleted_told = false;
  };
  using IncarnationPtr = std::shared_ptr<Incarnation>;
  struct Consumer {
    std::size_t stream = 0;
    std::string name;
    IncarnationPtr now{};                      ///< none where it does not exist
    std::vector<IncarnationPtr> candidates{};  ///< what a crash may find: some may never have been stored
  };
  /// What a member had of one shard, under one epoch.
  struct Done {
    std::uint64_t epoch = 0;
    std::vector<std::pair<RecordIndex, Instant>> records;  ///< processed, the latest last
    bool ends = false;                                     ///< the last of them is the shard's last
  };
  struct Transacted;
  using TransactedPtr = std::shared_ptr<Transacted>;
  /// A process that polls. Several may have one name: all but one are zombies.
  struct Client {
    std::size_t consumer = 0;
    std::string name;
    std::optional<GroupToken> token{};
    std::optional<CallId> open{};
    std::optional<GroupPolled> unprocessed{};
    std::map<ShardIndex, Done> done{};
    std::optional<CommitGroup> committed{};
    TransactedPtr transaction{};  ///< whose answer it does not have
    Instant sleeps_until{};
    bool gone = false;
  };
  using ClientPtr = std::shared_ptr<Client>;
  struct Transacted {
    std::size_t consumer = 0;
    IncarnationPtr incarnation;
    TransactGroup command;
    std::vector<ModelStep> steps;
    CallId call{};
    Instant begun{};                 ///< the latest attempt
    std::vector<RecordPut> put{};    ///< by the latest attempt, if the target took it
    bool is_open = false;            ///< begun, and neither settled nor cut off
    bool was_told = false;           ///< somebody heard that it took effect
    bool took_effect = false;        ///< by what the engine or a start said
    std::uint64_t settled_turn = 0;  ///< in which the engine heard of its outcome; 0: it did not
    Instant asked_at{};
  };
  struct Reader {
    std::size_t consumer = 0;
    std::string name;
    ShardIndex shard;
    IncarnationPtr incarnation{};
    std::optional<ShardPosition> at{};
    RecordIndex begun{};  ///< what is before it, it has chosen not to read
    std::optional<CallId> open{};
  };
  using ReaderPtr = std::shared_ptr<Reader>;
  using LostEpochs = std::set<std::pair<ShardIndex, std::uint64_t>>;
  /// A call that has no answer yet. `decide` gets the answer when the engine gives it, `check` when it is let out.
  struct OpenCall {
    std::function<void(const Result&)> decide{};
    std::function<void(const Result&)> check{};
    Instant answered_by{};  ///< of a poll that waits
    bool decided = false;
  };
  /// What was let out and has to be read by the shell.
  struct Reading {
    std::function<bool()> read;  ///< false: the store failed
  };

  // The shell and its engine (consumer_world.cpp).
  void step();
  void act();
  CallId issue(StreamCommand command, OpenCall call);
  void ask(StreamCommand command, std::function<void(const Result&)> decide);
  void ready();
  void observe();
  void take();
  void end_turn();
  void decide(const Reply& reply);
  void probe();
  void on_described(Consumer& consumer, const Result& result);
  void check_members(const Consumer& consumer);
  void check_waiting();
  void commit_some();
  void release_some();
  void read_some();
  bool read_page(RecordsPage& page);
  void carry_on_transaction();
  void accept_transaction(Transaction transaction);
  void settle_transaction(const TransactedPtr& transaction, const TransactionSettled& settled);
  void pump();
  void let_time_pass();
  void time_passed(Millis by);
  bool is_patient(Millis by) const;
  void crash(bool power);
  void boot();

  // What a start finds (consumer_recovery.cpp).
  void settle(const std::vector<RecoveredStream>& streams);
  void settle_transaction(Transacted& transaction);
  void settle_consumer(Consumer& consumer, const RecoveredStream& stream);
  std::string check_recovered(const IncarnationPtr& incarnation, const RecoveredStream& stream,
                              const RecoveredGroup& found) const;
  std::string differs(const IncarnationPtr& incarnation, const Snapshot& snapshot, const RecoveredStream& stream,
                      const RecoveredGroup& found) const;
  void adopt(Incarnation& incarnation, const RecoveredStream& stream, const RecoveredGroup& found);
  void read_target(const RecoveredStream& found);

  // Streams (consumer_streams.cpp).
  void create_streams();
  void put_some();
  void reshard();

  // Members (consumer_clients.cpp).
  void create_consumer(Consumer& consumer);
  GroupStart random_start(const Stream& stream);
  void delete_consumer(Consumer& consumer);
  void act_as(const ClientPtr& client);
  void spawn(std::size_t consumer);
  void poll(const ClientPtr& client, Millis wait, std::size_t count_max);
  std::optional<ErrorCode> refusal_of_poll(const Consumer& consumer, const Client& client) const;
  static LostEpochs lost_by(const Incarnation& incarnation, const Client& client);
  void take_poll(Incarnation& incarnation, const Client& client);
  void on_poll_refused(const IncarnationPtr& incarnation, const std::optional<ErrorCode>& expected, const Error& error);
  void on_polled(const ClientPtr& client, CallId call, const IncarnationPtr& incarnation, const GroupPolled& polled);
  std::string check_polled(Incarnation& incarnation, const Client& client, const GroupPolled& polled);
  void deliver(const ClientPtr& client, const IncarnationPtr& incarnation, GroupPolled polled);
  void process(const ClientPtr& client);
  void heartbeat(const ClientPtr& client);
  void leave(const ClientPtr& client, bool commits);
  void give_up(const ClientPtr& client);
  void rest(const ClientPtr& client);
  void end(const ClientPtr& client) { client->gone = true; }
  bool is_busy(const Consumer& consumer, ShardIndex shard) const;
  bool is_busy(const Consumer& consumer) const;
  bool holds_busy(const Consumer& consumer, const std::string& member) const;
  void heard(Incarnation& incarnation, const std::string& member) { incarnation.heard[member] = clock_; }

  // Commits, transactions, resets, lag (consumer_commits.cpp).
  std::vector<GivenPosition> positions_of(const Client& client, const Stream& stream, bool latest);
  std::vector<ModelStep> steps_of(const Stream& stream, const std::vector<GivenPosition>& positions) const;
  void commit(const ClientPtr& client, bool latest);
  std::optional<ErrorCode> refusal_of(const Consumer& consumer, const std::vector<GivenPosition>& positions,
                                      const std::vector<ModelStep>& steps, bool force) const;
  void on_committed(Consumer& consumer, const CommitGroup& command);
  void transact(const ClientPtr& client);
  void try_transaction(const ClientPtr& client, const TransactedPtr& transaction);
  std::optional<ErrorCode> refusal_of(const Consumer& consumer, const Transacted& transaction) const;
  void on_transacted(const TransactedPtr& transaction, const std::optional<ErrorCode>& expected, bool repeats,
                     const Result& result);
  void reset(Consumer& consumer);
  void on_reset(Consumer& consumer, const ResetGroup& command, const GroupReset& reset);
  std::string check_reset(const Stream& stream, const ResetGroup& command, const ShardReset& step) const;
  void ask_for_lag(Consumer& consumer);

  // Readers by Kinesis's own calls (consumer_readers.cpp).
  void act_as_reader();
  void start_reading();
  void on_started(const ReaderPtr& reader, const GetShardIterator& command, const GroupShard& before,
                  const ShardPosition& at);
  void read_on(const ReaderPtr& reader);
  static void pass_lost(ConsumerModel& model, ShardIndex shard, RecordIndex head);
  static void on_read_decided(Incarnation& incarnation, const ShardPosition& at, const RecordsPage& page);
  void on_read(const ReaderPtr& reader, CallId call, RecordsPage page);

  // The end (consumer_drain.cpp).
  void converge(std::size_t consumer, const std::vector<ClientPtr>& members);
  std::vector<ClientPtr> members_for(std::size_t consumer, std::size_t count);
  void check_shares(const Consumer& consumer, const std::vector<ClientPtr>& members);
  void drain();
  void check_transactions();
  void delete_everything();

  Stream& stream_of(const Consumer& consumer) { return streams_[consumer.stream]; }
  const Stream& stream_of(const Consumer& consumer) const { return streams_[consumer.stream]; }
  Stream& target() { return streams_.back(); }
  void count(std::string_view what, std::uint64_t by = 1) { counts_[what] += by; }
  void broken(const std::string& what);
  void hold(const std::string& problem) {
    if (!problem.empty()) broken(problem);
  }
  bool loses_answers() { return !is_calm_ && !is_draining_ && random_.one_in(12); }

  const ConsumerWorldOptions options_;
  Random random_;
  Random engine_entropy_;
  Limits limits_;
  const bool is_calm_;  ///< nothing goes wrong: each record is processed once
  const bool long_jumps_;
  const bool has_readers_;
  bool is_draining_ = false;
  Instant now_ = from_epoch_ms(1'700'000'000'000);
  Instant clock_{};         ///< as the engine has it, which never goes back
  Instant latest_clock_{};  ///< which a clock that was set back is behind
  storage::FaultyStore store_;
  std::unique_ptr<Engine> engine_;

  std::vector<Stream> streams_;  ///< the target of transactions is the last
  std::vector<Consumer> consumers_;
  std::vector<ClientPtr> clients_;
  std::vector<ReaderPtr> readers_;
  std::vector<TransactedPtr> transactions_;
  std::unordered_map<CallId, OpenCall> calls_;
  std::set<CallId> probes_;
  std::vector<std::function<void()>> after_probe_;
  std::deque<Reading> readings_;
  std::deque<std::function<void()>> errands_;  ///< transactions on their way
  Effects turn_;
  Pipeline pipeline_;
  std::uint64_t last_turn_ = 0;
  std::uint64_t floor_turn_ = 0;  ///< what was decided up to then was let out

  std::uint64_t next_call_ = 0;
  std::uint64_t next_name_ = 0;
  std::uint64_t step_ = 0;
  ConsumerHistory counts_;
  std::string broken_;
};

}  // namespace penstock::sim
