// Where commands about the server as a whole go.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <utility>

#include "penstock/server_commands.hpp"
#include "server/faults.hpp"
#include "server/state_keeper.hpp"
#include "server/timekeeper.hpp"

namespace penstock::server {

class Control {
 public:
  using Completion = std::function<void(ServerResult)>;

  /// The context is the others'. What is handed in outlives it, but for what is posted to a context that runs no
  /// more.
  /// `faults` is null where there are to be none.
  Control(boost::asio::io_context& context, Timekeeper& timekeeper, Faults* faults)
      : context_(context), timekeeper_(timekeeper), faults_(faults) {}

  /// Before the first command: it asks the server as a client does, and so is made when this is there.
  void set_state_keeper(StateKeeper& state_keeper) { state_keeper_ = &state_keeper; }

  /// Answers in the context, once. Any thread.
  void submit(std::shared_ptr<const ServerCommand> command, Completion completion);

  StateKeeper& state_keeper() { return *state_keeper_; }

 private:
  void take(const ReadClock& command, Completion completion) { timekeeper_.submit(command, std::move(completion)); }
  void take(const ChangeClock& command, Completion completion) { timekeeper_.submit(command, std::move(completion)); }
  void take(const AwaitIdle& command, Completion completion) { timekeeper_.submit(command, std::move(completion)); }
  void take(const TraceMessage& command, Completion completion) { timekeeper_.submit(command, std::move(completion)); }
  void take(const BackUp& command, Completion completion) { state_keeper_->submit(command, std::move(completion)); }
  void take(const DescribeBackup& command, Completion completion) {
    state_keeper_->submit(command, std::move(completion));
  }
  void take(const ResetServer& command, Completion completion) {
    state_keeper_->submit(command, std::move(completion));
  }
  void take(const ListFaults& command, const Completion& completion) { answer_fault(command, completion); }
  void take(const AddFaults& command, const Completion& completion) { answer_fault(command, completion); }
  void take(const RemoveFaults& command, const Completion& completion) { answer_fault(command, completion); }
  template <class Command>
  void answer_fault(const Command& command, const Completion& completion);

  boost::asio::io_context& context_;
  Timekeeper& timekeeper_;
  StateKeeper* state_keeper_ = nullptr;
  Faults* const faults_;
};

}  // namespace penstock::server
