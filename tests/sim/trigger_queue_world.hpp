// A seeded world of queues, mappings of them and asynchronous invokes: the real engines of both and the real record
// codecs over a store that loses, tears and fails; functions that succeed, fail, fail in part, answer garbage, are
// throttled, hang until their timeout, or run for much longer than their messages are invisible; an emulator that is
// away; deletes that a queue can not do now; a dead-letter queue; a queue that is deleted and created again; changes of
// the mappings and of what is reserved; crashes of the process and of the machine. One seed, one history.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "message_moves.hpp"
#include "penstock/engine.hpp"
#include "penstock/limits.hpp"
#include "penstock/triggers.hpp"
#include "pipeline.hpp"
#include "storage/faulty_store.hpp"
#include "support/random.hpp"
#include "trigger_queue_defects.hpp"
#include "trigger_queue_ledger.hpp"

namespace penstock::sim {

struct TriggerQueueWorldOptions {
  std::uint64_t seed = 1;
  int steps = 500;
  TriggerQueueDefect defect = TriggerQueueDefect::none;
};

/// What happened in a history, or in several: a world in which nothing happens would keep every promise.
struct TriggerQueueHistory {
  std::uint64_t sends = 0;
  std::uint64_t invocations = 0;
  std::uint64_t done = 0;  ///< messages
  std::uint64_t failures = 0;
  std::uint64_t partial = 0;
  std::uint64_t garbage = 0;
  std::uint64_t reserved = 0;  ///< invocations of a function with a reservation
  std::uint64_t throttles = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t given_back = 0;  ///< messages
  std::uint64_t filtered = 0;    ///< the same
  std::uint64_t events = 0;      ///< asynchronous invokes that were accepted
  std::uint64_t events_over = 0;
  std::uint64_t reports = 0;
  std::uint64_t crashes = 0;
  std::uint64_t power_losses = 0;
  std::uint64_t shutdowns = 0;
  std::uint64_t changes = 0;
  std::uint64_t refusals = 0;      ///< of deletes and changes of visibility
  std::uint64_t renewals = 0;      ///< of messages' visibility
  std::uint64_t dead_letters = 0;  ///< messages
  std::uint64_t recreations = 0;   ///< of a queue
  std::uint64_t unreached = 0;     ///< batches that nobody was there for

  void add(const TriggerQueueHistory& other);
};

class TriggerQueueWorld {
 public:
  explicit TriggerQueueWorld(const TriggerQueueWorldOptions& options);
  ~TriggerQueueWorld();

  /// Runs the history to its end, lets everything be processed and settles the accounts. Empty if every promise was
  /// kept, otherwise what was broken, with the step.
  std::string run();

  const TriggerQueueHistory& counts() const { return counts_; }

 private:
  static constexpr int drain_rounds_max = 4'000;
  static constexpr int receives_max = 3;
  static inline const QueueName dead_letters{"000000000000", "us-east-1", "dead"};
  static FunctionName function_named(const std::string& name) { return {"000000000000", "us-east-1", name}; }

  struct Plan {
    QueueName queue;
    FunctionName function;
    MappingConfig config;
    int visibility_seconds = 30;
    std::string uuid{};
    bool exists = false;  ///< durably
    bool enabled = true;  ///< as was asked for last
    bool is_fifo() const { return queue.name.ends_with(".fifo"); }
    MappingName mapping_name() const { return {function.account, function.region, uuid}; }
    bool has_dead_letters() const { return queue.name == "jobs"; }
  };
  /// A call that the queues' engine has, of the trigger engine or of a client.
  struct OpenCall {
    std::optional<Ask> ask{};
    bool cancelled = false;
    std::vector<std::string> sent{};  ///< bodies of what a client sends
    bool takes_dead = false;          ///< a client's receive from the dead-letter queue
  };
  struct Turn {
    WriteBatch bytes;
    TriggerEffects effects;
  };
  /// What the function of asynchronous invokes runs.
  struct EventRun {
    InvocationId id;
    std::string function;
    std::string payload;
    Instant until{};
  };

  void step();
  void plan_all();
  void create_all();
  void boot();
  void crash(bool power);
  void shut_down();
  void let_time_pass();
  void pass_to(Instant target);

  // Clients.
  void send_some();
  std::string send_to(const Plan& plan, std::uint64_t count);
  void recreate_queue();
  void create_queue(const Plan& plan);
  void invoke();
  void change_mapping();
  void reserve();

  // The shell.
  void take_effects();
  void commit_some();
  void commit_triggers();
  void release_queues();
  void run_loads();
  void release(TriggerEffects& effects);
  void release_ask(Ask ask);
  bool refuses(const Ask& ask);
  void run_moves();
  void cancel(AskId ask);
  void on_reply(const OpenCall& call, Result result, Instant decided_at);
  void read(const ReceiveMessages& asked, const Deliveries& deliveries, Instant decided_at, Answered& answer);
  void on_trigger_reply(const TriggerReply& reply);
  void deliver_some();
  void answer_report();
  void apply(TriggerCommand command);
  CallId submit(OpenCall call, Command command);
  void pump();

  // Functions.
  void begin(const Invocation& invocation);
  void end_some();
  void end(const QueueRun& run, std::uint64_t choice);
  void end_event(const EventRun& run, std::uint64_t choice);
  void time_out();

  // The end.
  bool is_at_rest() const;
  void drain();
  void work_off(Instant until);
  void take_dead_letters();
  void check_fairness();
  void check_idle();
  Plan* plan_of(const std::string& uuid);

  void broken(const std::string& what);
  void hold(const std::string& problem) {
    if (!problem.empty()) broken(problem);
  }

  const TriggerQueueWorldOptions options_;
  test::Random random_;
  test::Random entropy_;
  Limits limits_;
  TriggerLimits trigger_limits_;
  QueueLedger ledger_;
  Instant now_ = from_epoch_ms(1'700'000'000'000);
  storage::FaultyStore store_;
  std::unique_ptr<Engine> queues_;
  std::unique_ptr<TriggerEngine> triggers_;
  std::vector<Plan> plans_;
  int event_retries_ = 2;

  Pipeline pipeline_;
  std::deque<Load> loads_;
  std::deque<Turn> turns_;
  std::map<CallId, OpenCall> calls_;
  std::map<CallId, std::string> invokes_;  ///< payloads of those that are not answered
  std::vector<Answered> answers_;          ///< on their way to the trigger engine
  std::vector<Report> reports_;
  std::vector<EventRun> events_;
  std::map<const char*, std::pair<SharedText, QueueRun::Item>> items_;
  MessageMoves moves_;
  const bool is_prompt_;           ///< questions and answers are not long on their way
  bool is_calm_ = false;           ///< nothing fails any more
  bool is_ending_ = false;         ///< a shutdown cuts off what runs
  bool is_queue_missing_ = false;  ///< the one that is deleted and created again
  Instant refusing_until_{};
  Instant away_until_{};
  std::uint64_t next_call_ = 0;
  std::uint64_t next_body_ = 0;
  std::uint64_t step_ = 0;
  TriggerQueueHistory counts_;
  std::string broken_;
};

}  // namespace penstock::sim
