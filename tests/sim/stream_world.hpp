// A seeded world of streams: the real engine and the real record codec over a store that loses, tears and fails;
// producers, readers and subscribers; shards that are split and merged; retention that passes; crashes of the process
// and of the machine. Every answer that a client gets is held against the model. One seed, one history.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "answers.hpp"
#include "penstock/engine.hpp"
#include "penstock/limits.hpp"
#include "pipeline.hpp"
#include "storage/faulty_store.hpp"
#include "storage/keys.hpp"
#include "stream_defects.hpp"
#include "stream_model.hpp"
#include "support/random.hpp"

namespace penstock::sim {

using test::Random;

struct StreamWorldOptions {
  std::uint64_t seed = 1;
  int steps = 400;
  StreamDefect defect = StreamDefect::none;
};

/// What happened in a history, or in several: a world in which nothing happens would keep every promise.
struct StreamHistory {
  std::uint64_t puts = 0;            ///< records that were acknowledged
  std::uint64_t reads = 0;           ///< records that were read
  std::uint64_t unacknowledged = 0;  ///< of those, records whose put had no answer then
  std::uint64_t passed_over = 0;     ///< pages that began behind what had expired
  std::uint64_t crashes = 0;
  std::uint64_t power_losses = 0;
  std::uint64_t resumed = 0;  ///< positions read on from after a crash
  std::uint64_t splits = 0;
  std::uint64_t merges = 0;
  std::uint64_t recounts = 0;  ///< UpdateShardCount
  std::uint64_t ends = 0;      ///< readers that came to a shard's end
  std::uint64_t expired_shards = 0;
  std::uint64_t lengthened = 0;  ///< retention
  std::uint64_t shortened = 0;
  std::uint64_t pushed = 0;  ///< records that came by a subscription
  std::uint64_t heartbeats = 0;
  std::uint64_t takeovers = 0;
  std::uint64_t refused_takeovers = 0;
  std::uint64_t outlived = 0;  ///< subscriptions that lasted five minutes
  std::uint64_t deleted = 0;
  std::uint64_t recreated = 0;
  std::uint64_t throttled = 0;  ///< calls and records that limits refused
  std::map<IteratorType, std::uint64_t> starts;

  void add(const StreamHistory& other);
};

class StreamWorld {
 public:
  explicit StreamWorld(const StreamWorldOptions& options);
  ~StreamWorld();

  /// Runs the history to its end, reads everything and settles the accounts. Empty if every promise was kept, otherwise
  /// what was broken, with the step.
  std::string run();

  const StreamHistory& counts() const { return counts_; }

 private:
  enum class Existence : std::uint8_t { absent, creating, present, deleting };

  struct Consumer {
    std::string name;
    Existence existence = Existence::absent;
    ConsumerRef ref{};
    Instant changing_until{};  ///< CREATING or DELETING, maybe
  };
  /// One incarnation.
  struct Stream {
    explicit Stream(StreamModel its) : model(std::move(its)) {}
    StreamModel model;
    std::optional<StreamId> id{};
    Instant changing_until{};  ///< not ACTIVE, maybe
    Moment resharded = 0;      ///< was asked for last
    Moment listed = 0;         ///< the latest answer of ListShards is of that moment
    std::vector<ShardRecord> listing{};
    bool shards_are_certain() const { return listed > resharded; }
    std::array<Consumer, 2> consumers{};
  };
  using StreamPtr = std::shared_ptr<Stream>;

  struct Plan {
    StreamName name;
    Existence existence = Existence::absent;
    StreamPtr stream{};
    Instant deleted_until{};  ///< the name may be taken until then
    bool existed = false;
  };
  /// An iterator that a client holds.
  struct Position {
    std::size_t plan = 0;
    StreamPtr stream;
    StreamId id;
    ShardIndex shard;
    RecordIndex from;
    Instant not_before{};
    std::uint64_t crashes = 0;  ///< when it was got
  };
  struct Subscription {
    std::size_t plan = 0;
    StreamPtr stream;
    std::size_t consumer = 0;
    ShardIndex shard;
    StreamId id{};
    SubscriptionId subscription{};
    RecordIndex from{};
    Instant not_before{};
    Instant begun{};
    bool announced = false;  ///< its client knows of it
    bool superseded = false;
    bool ending = false;  ///< its client, its consumer or its stream has gone
    bool over = false;
    bool ends_early = false;  ///< but for a newcomer that takes it over
    std::optional<CallId> awaits{};
  };
  using SubscriptionPtr = std::shared_ptr<Subscription>;

  /// A call that has no answer yet. `check` gets the answer when it is let out; `decide`, if there is one, when the
  /// engine gives it.
  struct OpenCall {
    std::size_t plan = 0;
    StreamPtr stream;
    bool may_fail = false;  ///< the stream is not ACTIVE, maybe, or not there
    Moment asked = 0;
    Instant asked_at{};
    ModelKnown known{};
    std::function<void(const OpenCall&, const Result&)> check;
    std::function<void(OpenCall&, const Result&)> decide{};
    SubscriptionPtr awaiting{};
    RecordIndex from{};
    bool decided = false;
    Instant expired_before{};   ///< when it was decided
    bool is_blind = false;      ///< it changes shards, and its client does not know which are open
    std::uint64_t reshard = 0;  ///< which change of shards it is
  };
  /// A page that was let out and is to be read.
  struct Reading {
    OpenCall call;
    RecordsPage page;
    std::function<void(const OpenCall&, const RecordsPage&)> done;
  };

  void step();
  void act();
  void act_on(Plan& plan);
  CallId issue(OpenCall call, StreamCommand command);
  OpenCall call_on(const Plan& plan) const;

  void create_stream(Plan& plan);
  void delete_stream(Plan& plan);
  void put_some(Plan& plan);
  PutEntry random_entry(const Stream& stream);
  void on_put(const OpenCall& call, const std::vector<std::string>& data, const Result& result);
  void start_reading(Plan& plan);
  std::optional<StartingPosition> random_start(const Plan& plan, ShardIndex shard);
  std::optional<ShardIndex> random_shard(const Stream& stream);
  void start_at(Plan& plan, ShardIndex shard, const StartingPosition& start);
  void keep(Position position);
  void read_some(Plan& plan);
  void read_on(Position position);
  void on_page(const OpenCall& call, const Position& position, std::size_t count, const RecordsPage& page);
  void check_page(const OpenCall& call, const PageAsked& asked, const RecordsPage& page);
  void list(Plan& plan);
  void list_some(Plan& plan);
  void reshard(Plan& plan);
  void split(Plan& plan, const ShardRecord& shard);
  void merge(Plan& plan, ShardIndex one, ShardIndex other);
  void recount(Plan& plan, std::size_t open);
  OpenCall reshard_of(Plan& plan);
  bool was_accepted(const OpenCall& call, const Result& result);
  void change_retention(Plan& plan);
  void change_encryption(Plan& plan);
  void toggle_consumer(Plan& plan);
  void register_consumer(Plan& plan, std::size_t consumer);
  void deregister_consumer(Plan& plan, std::size_t consumer);
  void subscribe(Plan& plan);
  void on_subscribe_decided(OpenCall& call, const SubscriptionPtr& subscription, const Result& result);
  void end_subscription();
  void hang_up(Subscription& subscription);
  void follow_subscriptions();
  void await(const SubscriptionPtr& subscription);
  void on_await_decided(const SubscriptionPtr& subscription, const Result& result);
  void on_event(const OpenCall& call, const SubscriptionPtr& subscription, const RecordsPage& page);

  void let_time_pass();
  void advance_fully();
  void time_passed(Millis by);
  void take_effects();
  void decide(const Reply& reply);
  void check_waiting();
  void commit_some();
  void release_some();
  void read_pages();
  void pump();
  void crash(bool power);
  void boot();
  void settle(Plan& plan, const RecoveredStream* found);
  void settle_consumers(Stream& stream, const StreamInfo& info);
  void drain();
  void read_everything(Plan& plan);
  void read_to_the_end(Position position);
  void let_everything_expire();
  void delete_everything();
  std::size_t count_keys(Table table, const storage::KeyRange& range) const;

  bool excused(const OpenCall& call, const Error& error);
  OpenCall change_of(const Plan& plan);
  void broken(const std::string& what);
  void hold(const std::string& problem) {
    if (!problem.empty()) broken(problem);
  }
  std::size_t index_of(const Plan& plan) const { return static_cast<std::size_t>(&plan - plans_.data()); }

  const StreamWorldOptions options_;
  Random random_;
  Random engine_entropy_;
  Limits limits_;
  bool long_jumps_;
  Instant now_ = from_epoch_ms(1'700'000'000'000);
  Instant latest_now_{};   ///< which a clock that was set back is behind
  Instant advanced_to_{};  ///< everything that was due by then has happened
  storage::FaultyStore store_;
  std::unique_ptr<Engine> engine_;

  std::vector<Plan> plans_;
  std::unordered_map<CallId, OpenCall> calls_;
  std::vector<Position> positions_;
  std::vector<SubscriptionPtr> subscriptions_;
  std::deque<Reading> readings_;
  Pipeline pipeline_;

  Moment moment_ = 0;
  std::uint64_t next_call_ = 0;
  std::uint64_t next_record_ = 0;
  std::uint64_t step_ = 0;
  StreamHistory counts_;
  std::string broken_;
};

// ---- What the files of the world share.

/// Hours of retention that a stream is given.
inline constexpr std::array<std::uint32_t, 4> retentions{24, 30, 48, 72};

}  // namespace penstock::sim
