// An engine driven step by step, without threads or bytes; what is stored beside it is its fixture's.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "core/shard_engine.hpp"
#include "penstock/engine.hpp"
#include "support/random.hpp"

namespace penstock::core {

class EngineSteps : public ::testing::Test {
 protected:
  /// Takes the engine's effects until there are none.
  virtual void settle() = 0;

  /// Issues a command and lets everything happen that does not need time to pass.
  CallId ask(Command command) {
    const CallId call{++calls_};
    engine_->apply(call, std::move(command), now_);
    settle();
    return call;
  }

  bool answered(CallId call) const { return replies_.contains(call); }

  template <class Expected>
  Expected answer_of(CallId id) {
    const auto found = replies_.find(id);
    if (found == replies_.end()) {
      ADD_FAILURE() << "no reply";
      return {};
    }
    if (const auto* expected = std::get_if<Expected>(&found->second)) return *expected;
    const auto* error = std::get_if<Error>(&found->second);
    ADD_FAILURE() << "unexpected reply: " << (error != nullptr ? error->message : "of another type");
    return {};
  }

  template <class Expected>
  Expected call(Command command) {
    return answer_of<Expected>(ask(std::move(command)));
  }

  Error call_error(Command command) { return call<Error>(std::move(command)); }

  void pass(Millis time) {
    now_ += time;
    for (int round = 0; round < 10'000; ++round) {
      const auto next = engine_->next_deadline();
      if (!next || *next > now_) break;
      engine_->advance(now_);
      settle();
    }
  }

  Limits limits_;
  test::Random entropy_{1};
  std::unique_ptr<Engine> engine_;
  Instant now_ = from_epoch_ms(1'700'000'000'000);
  std::map<CallId, Result> replies_;
  std::uint64_t calls_ = 0;
};

}  // namespace penstock::core
