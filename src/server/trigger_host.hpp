// The triggers of a server: the engine that decides what functions are invoked with, in a thread of its own, with what
// it needs to act on its effects. It asks shards as clients do, has functions run, and is told what comes of both. The
// order of a turn is that of a shard's: commands are applied as they come, at the turn's end their mutations go to the
// committer as one batch, and all else is seen to when that is written, and durable where it has to be.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/triggers.hpp"
#include "protocol/lambda/filters.hpp"
#include "server/clock.hpp"
#include "server/code_keeper.hpp"
#include "server/commit_queue.hpp"
#include "server/processes.hpp"
#include "server/pulse.hpp"
#include "server/service.hpp"
#include "server/trigger_survey.hpp"
#include "storage/committer.hpp"

namespace penstock::server {

class TriggerHost final : public Timed {
 public:
  /// Called in the host's thread, once.
  using Completion = std::function<void(TriggerResult)>;
  using MakeProcesses = std::function<std::unique_ptr<Processes>(boost::asio::io_context&)>;

  /// What is handed in must outlive it.
  TriggerHost(const Service& service, const Store& store, storage::Committer& committer, const Clock& clock,
              const TriggerLimits& limits, std::unique_ptr<CodeShelf> shelf, const MakeProcesses& make_processes);
  /// The same around an engine that is given. `runs_unregistered`: functions that are not registered here run
  /// elsewhere.
  TriggerHost(const Service& service, const Store& store, storage::Committer& committer, const Clock& clock,
              std::unique_ptr<TriggerEngine> engine, std::unique_ptr<CodeShelf> shelf,
              const MakeProcesses& make_processes, bool runs_unregistered = false);
  /// REQUIRES: it never ran, or has been stopped.
  ~TriggerHost() override;

  // Before it runs:

  void recover(RecoveredTriggers found);
  /// Lets the recovered state take effect, in a thread that begins here. REQUIRES: the shards will run.
  void start();

  // In its thread:

  Pulse pulse(bool with_names) const override;
  std::vector<MessageStep> trace(const std::string& message_id) const override;
  void clock_changed() override;
  const TriggerEngine& engine() const { return *engine_; }
  const FunctionTally& tally() const { return tally_; }
  std::size_t function_count() const { return functions_.size(); }
  /// Adds the functions that are registered, and then the mappings, that come next behind `place`: at most `count_max`.
  void survey(TriggerPlace& place, std::size_t count_max, TriggerSurvey& survey) const;

  // Any thread:

  boost::asio::io_context& context() override { return context_; }
  /// Answers always.
  void submit(TriggerCommand command, Completion completion);
  /// The zip that a function was made of. Errors: LambdaResourceNotFound.
  void read_code(FunctionName function, std::function<void(std::variant<std::string, Error>)> completion);
  /// Ends what still runs functions that are registered no more.
  void end_runs_of_deleted();
  /// The committer has got further.
  void wake() { releases_.wake(); }
  /// Begins nothing more, lets what runs end, and what came of it be settled, and then ends all processes: after
  /// `time_max` even if something runs. From the call on new commands are refused. REQUIRES: called once, after start.
  void drain(Millis time_max, std::function<void()> drained);

  /// Ends the thread. REQUIRES: the shards hold nothing of it any more, or run no more.
  void stop();

 private:
  /// What rendering a mapping's items takes; never changes, and so may be used in any thread.
  struct Rendering {
    std::shared_ptr<const MappingRecord> mapping;
    protocol::lambda::Filters filters;
    std::string role;  ///< of the function
  };
  /// A question that a shard may be told to let go of.
  struct Cancellable {
    Shard* shard = nullptr;
    CallId call;
    Command cancellation;
  };

  void take(TriggerCommand command, Completion completion);
  void take_new(CreateFunction create, Completion completion);
  void take_change(UpdateFunction update, Completion completion);
  FunctionTally* tally_of(const FunctionName& function);
  void observe(const FunctionName& function, const RunOutcome& outcome, double seconds);
  void take_log_read(const ReadFunctionLog& read, const Completion& completion);
  std::optional<Error> objection_to(const FunctionRecord& function) const;
  Completion with_remark(const FunctionRecord& function, Completion completion) const;
  template <class WithCode>
  void keep_code(WithCode command, std::function<void(WithCode&, const KeptCode&)> put, Completion completion);
  void apply(TriggerCommand command, Completion completion);
  void tell(TriggerCommand command);

  void want_turn();
  void end_turn();
  void note(const std::vector<TriggerMutation>& mutations);
  void note(const TriggerMutation& mutation);
  void fade(const std::string& code_sha256);
  void commit(const TriggerEffects& effects);
  void release(TriggerEffects effects);
  void complete(TriggerReply reply);
  void send(Ask ask);
  void send(Report report);
  void send(AskId id, Command command, std::shared_ptr<const Rendering> rendering);
  void cancel(AskId ask);
  void answered(Answered answer);
  void invoke(Invocation invocation);
  void over(InvocationOver outcome);
  std::shared_ptr<const Rendering> rendering_of(const std::shared_ptr<const MappingRecord>& mapping);
  void sweep_code();
  void look_whether_drained();
  void end_processes();
  void arm_timer();
  void ring();

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
  const Service& service_;
  const Store& store_;
  storage::Committer& committer_;
  const Clock& clock_;
  SystemEntropy entropy_;
  std::unique_ptr<TriggerEngine> engine_;
  CodeKeeper code_;
  std::unique_ptr<Processes> processes_;
  CommitQueue<TriggerEffects> releases_;

  std::unordered_map<CallId, Completion> calls_;
  std::uint64_t call_count_ = 0;
  std::unordered_map<std::uint64_t, Cancellable> cancellable_;
  std::size_t asks_open_ = 0;
  std::size_t invocations_open_ = 0;
  std::unordered_map<std::string, std::shared_ptr<const Rendering>> renderings_;  // by the mapping's UUID
  std::map<FunctionName, FunctionRecord> functions_;                              // as the engine has them
  std::map<FunctionName, FunctionTally> tallies_;                                 // of those that have been invoked
  FunctionTally tally_;           // of all, those that are gone or not registered here too
  const bool runs_unregistered_;  // another emulator does
  /// Code that a record named until the effects of this number were out: they may hold invocations of it, and before
  /// them the record without it is not known to be durable.
  std::deque<std::pair<std::uint64_t, std::string>> fading_;
  std::uint64_t effects_held_ = 0;
  std::uint64_t effects_released_ = 0;
  bool sweep_wanted_ = true;
  boost::asio::steady_timer sweep_timer_{context_};
  Millis sweep_delay_{0};
  bool turn_wanted_ = false;
  /// The latest of what mappings have made of messages.
  std::deque<std::pair<Instant, MessageNote>> notes_;
  std::uint64_t given_ = 0;  ///< how often the engine was given something to do

  std::function<void()> drained_;
  bool draining_ = false;
  bool ending_ = false;  // the processes are being ended
  bool ended_ = false;   // there is none left
  boost::asio::steady_timer drain_timer_{context_};

  boost::asio::steady_timer timer_{context_};
  std::optional<Instant> armed_;

  std::thread thread_;
};

}  // namespace penstock::server
