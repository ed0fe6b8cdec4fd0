// A store as a server leaves it: an engine whose mutations go into it, without threads.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "core/shard_engine.hpp"
#include "penstock/engine.hpp"
#include "penstock/entropy.hpp"
#include "penstock/limits.hpp"
#include "storage/records.hpp"
#include "support.hpp"

namespace penstock::storage {

class EngineStore {
 public:
  explicit EngineStore(Store& store, const Limits& limits = {})
      : store_(store), engine_(core::make_engine(limits, entropy_)) {
    EXPECT_FALSE(open_format(store_));
  }

  /// What the command is answered; nothing if it waits.
  std::optional<Result> ask(Command command) {
    const CallId call{++calls_};
    engine_->apply(call, std::move(command), now);
    return settle(call);
  }
  template <class Answer>
  Answer ask_for(Command command) {
    std::optional<Result> result = ask(std::move(command));
    if (!result || !std::holds_alternative<Answer>(*result)) {
      ADD_FAILURE() << "an answer of another kind";
      return {};
    }
    return std::get<Answer>(std::move(*result));
  }
  void advance(Millis by) {
    now += by;
    engine_->advance(now);
    (void)settle(CallId{});
  }

  Instant now{Millis{1'000'000'000'000}};

 private:
  std::optional<Result> settle(CallId call) {
    std::optional<Result> answer;
    for (Effects effects = engine_->take_effects(); !effects.empty(); effects = engine_->take_effects()) {
      WriteBatch batch;
      encode(effects.mutations, batch);
      EXPECT_FALSE(store_.commit(batch, effects.sync));
      for (Reply& reply : effects.replies) {
        if (reply.call == call) answer = std::move(reply.result);
      }
      for (const Load& load : effects.loads) {
        Command loaded = FreshLoaded{};
        EXPECT_FALSE(run_load(store_, load, loaded));
        engine_->apply(CallId{}, std::move(loaded), now);
      }
    }
    return answer;
  }

  Store& store_;
  SeededEntropy entropy_{7};
  std::unique_ptr<Engine> engine_;
  std::uint64_t calls_ = 0;
};

}  // namespace penstock::storage
