// A world in which the server's answers are written down beforehand and time passes only where somebody waits, or where
// the test says so.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "penstock/client.hpp"

namespace penstock::client::test {

using std::chrono::milliseconds;
using Time = std::chrono::steady_clock::time_point;

/// After which something that should happen is taken not to.
inline constexpr std::chrono::seconds patience{20};

/// What becomes of a request: an answer, or nothing and the server is away.
using Reaction = std::function<std::optional<Answer>(const Request&)>;

inline Reaction answers(int status, std::string body) {
  return [answer = Answer{status, std::move(body)}](const Request&) { return answer; };
}
inline Reaction is_away() {
  return [](const Request&) -> std::optional<Answer> { throw Unreachable("nobody is there"); };
}

class ScriptedWorld final : public World {
 public:
  double chance = 0;  ///< what random() is

  // ---- What the test says and sees.

  /// The member's own connection is reacted to in this order. When all is over, `at_end` is called and what is left
  /// unanswered is interrupted, or succeeds with nothing if it cannot be.
  ScriptedWorld& then(Reaction reaction) {
    script_.push_back(std::move(reaction));
    return *this;
  }
  std::function<void()> at_end;
  /// What the connection of the heartbeat gets.
  void react_to_heartbeats(Reaction reaction) {
    const std::lock_guard lock(mutex_);
    on_heartbeat_ = std::move(reaction);
  }
  void pass(milliseconds time) {
    const std::lock_guard lock(mutex_);
    now_ += time;
    changed_.notify_all();
  }
  /// Waits until the heartbeat has been sent so often, and been answered.
  void await_heartbeats(std::size_t count) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, patience, [&] { return heartbeats_.size() >= count; })) {
      throw std::runtime_error("there was no heartbeat");
    }
  }
  /// Waits until the thread of the heartbeat sleeps, so that all that it has seen has had its effect.
  void await_sleeping_heartbeat() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, patience, [&] { return heartbeat_sleeps_until_ > now_; })) {
      throw std::runtime_error("the heartbeat does not sleep");
    }
  }

  const std::vector<Request>& requests() const { return requests_; }
  std::vector<Request> heartbeats() {
    const std::lock_guard lock(mutex_);
    return heartbeats_;
  }
  /// What was waited by the member itself, in order.
  const std::vector<milliseconds>& waits() const { return waits_; }

  // ---- World

  Time now() override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  double random() override { return chance; }
  std::unique_ptr<Line> open(const std::string&) override {
    if (opened_++ == 0) return std::make_unique<Own>(*this);
    return std::make_unique<OfHeartbeat>(*this);
  }

 private:
  class Own final : public Line {
   public:
    explicit Own(ScriptedWorld& world) : world_(world) {}
    std::optional<Answer> exchange(const Request& request) override {
      world_.requests_.push_back(request);
      if (world_.script_.empty()) {
        if (world_.at_end) world_.at_end();
        return request.interruptible ? std::nullopt : std::optional(Answer{200, "{}"});
      }
      const Reaction reaction = std::move(world_.script_.front());
      world_.script_.pop_front();
      return reaction(request);
    }
    void wait_until(Time until) override {
      world_.waits_.push_back(std::chrono::duration_cast<milliseconds>(until - world_.now()));
      world_.pass(world_.waits_.back());
    }
    void interrupt() noexcept override {}

   private:
    ScriptedWorld& world_;
  };

  class OfHeartbeat final : public Line {
   public:
    explicit OfHeartbeat(ScriptedWorld& world) : world_(world) {}
    std::optional<Answer> exchange(const Request& request) override {
      Reaction reaction;
      {
        const std::lock_guard lock(world_.mutex_);
        reaction = world_.on_heartbeat_;
        world_.heartbeats_.push_back(request);
        world_.changed_.notify_all();
      }
      return reaction ? reaction(request) : std::optional(Answer{200, "{}"});
    }
    void wait_until(Time until) override {
      std::unique_lock lock(world_.mutex_);
      world_.heartbeat_sleeps_until_ = until;
      world_.changed_.notify_all();
      world_.changed_.wait(lock, [&] { return interrupted_ || world_.now_ >= until; });
      world_.heartbeat_sleeps_until_ = Time{};
      interrupted_ = false;
    }
    void interrupt() noexcept override {
      const std::lock_guard lock(world_.mutex_);
      interrupted_ = true;
      world_.changed_.notify_all();
    }

   private:
    ScriptedWorld& world_;
    bool interrupted_ = false;
  };

  // Of the test's own thread.
  std::deque<Reaction> script_;
  std::vector<Request> requests_;
  std::vector<milliseconds> waits_;
  int opened_ = 0;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  Time now_{std::chrono::hours(1)};
  Reaction on_heartbeat_;
  std::vector<Request> heartbeats_;
  Time heartbeat_sleeps_until_{};
};

}  // namespace penstock::client::test
