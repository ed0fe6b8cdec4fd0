// Two shards that hand things to each other, for tests of what goes between them.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "server/gated_store.hpp"
#include "server/routing.hpp"
#include "server/scripted_engine.hpp"
#include "server/shard.hpp"
#include "storage/committer.hpp"

namespace penstock::server {

/// Two shards whose contexts run in the test's thread.
class TwoShards : public testing::Test {
 protected:
  TwoShards()
      : committer_(std::in_place, store_, storage::Durability::fsync, storage::Committer::Callbacks{[this] {
                     origin_->wake();
                     destination_->wake();
                   }}),
        origin_(add_shard("origin", origin_context_, origin_engine_)),
        destination_(add_shard("destination", destination_context_, destination_engine_)) {}

  ~TwoShards() override {
    store_.set_open(true);
    committer_.reset();
  }

  std::unique_ptr<Shard> add_shard(const std::string& label, boost::asio::io_context& context, ScriptedEngine*& seen) {
    auto engine = std::make_unique<ScriptedEngine>(label, log_);
    seen = engine.get();
    return std::make_unique<Shard>(
        context, store_, *committer_, clock_,
        [this](const Command& command) -> Shard& {
          const auto* transfer = std::get_if<AcceptTransfer>(&command);
          routed_.push_back(transfer != nullptr ? transfer->queue.name : stream_of(command)->name);
          return to_itself_ ? *origin_ : *destination_;
        },
        std::move(engine));
  }

  /// Lets both shards do what they have to do, until `done`.
  void run_until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) FAIL() << "it did not happen";
      const std::size_t ran = poll();
      if (ran == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
  /// And until nothing happens any more.
  void run_all() {
    for (int idle = 0; idle < 3;) {
      ASSERT_TRUE(committer_->flush());
      idle = poll() == 0 ? idle + 1 : 0;
    }
  }
  /// Lets them do what there is that does not wait for the store.
  void run_for_a_while() {
    for (int i = 0; i < 50; ++i) {
      if (poll() == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
  std::size_t poll() {
    origin_context_.restart();
    destination_context_.restart();
    return origin_context_.poll() + destination_context_.poll();
  }

  GatedStore store_;
  SystemClock clock_;
  std::vector<std::string> log_;
  std::vector<std::string> routed_;
  bool to_itself_ = false;
  boost::asio::io_context origin_context_{1};
  boost::asio::io_context destination_context_{1};
  ScriptedEngine* origin_engine_ = nullptr;
  ScriptedEngine* destination_engine_ = nullptr;
  std::optional<storage::Committer> committer_;  // calls the shards back, but not before they have submitted something
  std::unique_ptr<Shard> origin_;
  std::unique_ptr<Shard> destination_;
};

}  // namespace penstock::server
