// Invokes of type Event: durable before they are accepted, tried again when they fail, and reported when they are over.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "core/triggers/context.hpp"
#include "core/triggers/engine.hpp"

namespace penstock::core {

class AsyncLine;

class AsyncInvokes {
 public:
  AsyncInvokes(TriggerContext& context, RenderAsyncEnd render);
  AsyncInvokes(const AsyncInvokes&) = delete;
  AsyncInvokes& operator=(const AsyncInvokes&) = delete;
  ~AsyncInvokes();

  void recover(std::vector<AsyncEvent> found);
  /// REQUIRES: of type event.
  void handle(CallId call, InvokeFunction& command);
  /// Forgets those of a function that wait.
  void give_up(const FunctionName& function);
  void name_busy(BusyList& busy) const;
  /// How many are not over.
  std::size_t count() const { return events_; }
  /// Forgets the lines of functions with no event left. To be called when no participant is being told anything.
  void sweep();

  // ---- Of the lines.

  std::string render(const AsyncEnd& end) const { return render_(end); }
  /// An event that is not over when the one that caused it is: accepted whatever there is already.
  void add(AsyncEvent event);
  void dropped(const AsyncEvent& event);
  void emptied(const FunctionName& function) { emptied_.push_back(function); }

 private:
  void take_in(AsyncEvent event);

  TriggerContext& context_;
  RenderAsyncEnd render_;
  std::map<FunctionName, std::unique_ptr<AsyncLine>> lines_;
  std::vector<FunctionName> emptied_;
  std::size_t events_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace penstock::core
