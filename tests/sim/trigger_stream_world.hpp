// A seeded world of a stream and a mapping of it: the real engines of both and the real record codecs over a store that
// loses, tears and fails; functions that succeed, fail, fail in part, are throttled, or hang; an emulator that is away;
// shards that are split and merged while batches run; starts at a moment; a registered consumer; a stream that is
// deleted and created again, or that keeps its records for less long than the mapping needs; changes of the mapping;
// crashes of the process and of the machine. One seed, one history.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "penstock/engine.hpp"
#include "penstock/limits.hpp"
#include "penstock/triggers.hpp"
#include "pipeline.hpp"
#include "storage/faulty_store.hpp"
#include "support/random.hpp"
#include "trigger_stream_defects.hpp"
#include "trigger_stream_ledger.hpp"

namespace penstock::sim {

struct TriggerStreamWorldOptions {
  std::uint64_t seed = 1;
  int steps = 1'000;
  TriggerStreamDefect defect = TriggerStreamDefect::none;
};

/// What happened in a history, or in several: a world in which nothing happens would keep every promise.
struct TriggerStreamHistory {
  std::uint64_t puts = 0;
  std::uint64_t invocations = 0;
  std::uint64_t done = 0;  ///< records
  std::uint64_t failures = 0;
  std::uint64_t partial = 0;
  std::uint64_t garbage = 0;
  std::uint64_t throttles = 0;
  std::uint64_t reports = 0;
  std::uint64_t given_up = 0;  ///< records that were reported
  std::uint64_t splits = 0;
  std::uint64_t merges = 0;
  std::uint64_t crashes = 0;
  std::uint64_t power_losses = 0;
  std::uint64_t changes = 0;
  std::uint64_t final_windows = 0;
  std::uint64_t unreached = 0;    ///< batches that nobody was there for
  std::uint64_t recreations = 0;  ///< of the stream
  std::uint64_t expiries = 0;     ///< times that the stream's retention passed the mapping
  std::uint64_t consumers = 0;    ///< which were deregistered in the end
  std::uint64_t timestamps = 0;   ///< starts at one

  void add(const TriggerStreamHistory& other);
};

class TriggerStreamWorld {
 public:
  explicit TriggerStreamWorld(const TriggerStreamWorldOptions& options);
  ~TriggerStreamWorld();

  /// Runs the history to its end, lets everything be processed and settles the accounts. Empty if every promise was
  /// kept, otherwise what was broken, with the step.
  std::string run();

  const TriggerStreamHistory& counts() const { return counts_; }

 private:
  /// A call that the stream's engine has, of a mapping or of a client.
  struct OpenCall {
    std::optional<Ask> ask{};
    std::vector<std::string> put{};  ///< data of what a client puts
  };
  struct Turn {
    WriteBatch bytes;
    TriggerEffects effects;
  };

  void step();
  void boot();
  void crash(bool power);
  void let_time_pass();

  // Clients.
  void put_some();
  void reshard();
  void change_mapping();
  void create();
  void create_stream();
  void recreate_stream();
  void let_records_expire();
  std::string put(std::uint64_t key, std::uint64_t count);

  // The shell.
  void take_effects();
  void commit_some();
  void commit_triggers();
  void release_streams();
  void release(TriggerEffects& effects);
  void cancel(AskId ask);
  void on_reply(const OpenCall& call, Result result);
  void deliver_some();
  void begin(const Invocation& invocation);
  void end_some();
  void end(TriggerRun run, std::uint64_t choice);
  void answer_report();
  void apply(TriggerCommand command);
  CallId submit(OpenCall call, Command command);
  void pump();
  bool is_at_rest() const;
  void drain();
  void work_off();
  void check_fairness();
  void check_deregistration();
  void change_to_enabled();
  void check_idle();

  void broken(const std::string& what);
  void hold(const std::string& problem) {
    if (!problem.empty()) broken(problem);
  }

  const TriggerStreamWorldOptions options_;
  test::Random random_;
  test::Random entropy_;
  MappingConfig config_;
  Limits limits_;
  TriggerLimits trigger_limits_;
  TriggerLedger ledger_;
  Instant now_ = from_epoch_ms(1'700'000'000'000);
  storage::FaultyStore store_;
  std::unique_ptr<Engine> streams_;
  std::unique_ptr<TriggerEngine> triggers_;

  Pipeline pipeline_;
  std::deque<Turn> turns_;
  std::map<CallId, OpenCall> calls_;
  std::vector<Answered> answers_;  ///< on their way to the trigger engine
  std::vector<Report> reports_;
  std::vector<TriggerRun> running_;
  std::map<ShardIndex, ShardRecord> shards_;
  std::string mapping_;       ///< UUID; empty until it is known
  bool has_mapping_ = false;  ///< durably
  bool started_ = false;
  bool enabled_ = true;   ///< as was decided last
  bool is_calm_ = false;  ///< nothing fails any more
  bool is_stream_missing_ = false;
  bool was_recreated_ = false;
  std::optional<ConsumerRef> consumer_;
  Instant away_until_{};
  std::uint64_t next_call_ = 0;
  std::uint64_t next_record_ = 0;
  std::uint64_t step_ = 0;
  TriggerStreamHistory counts_;
  std::string broken_;
};

}  // namespace penstock::sim
