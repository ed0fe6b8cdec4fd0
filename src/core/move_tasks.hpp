// The message move tasks of one dead-letter queue: at most one that runs, and the ones before it, to be listed.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "penstock/errors.hpp"
#include "penstock/records.hpp"
#include "penstock/time.hpp"

namespace penstock::core {

class MoveTaskList {
 public:
  /// Takes up again what a start found. One that was being cancelled is cancelled.
  void recover(std::vector<MoveTask> tasks, Instant now);

  /// The task that takes messages, or waits for those on their way.
  MoveTask* active() { return active_ ? &tasks_.front() : nullptr; }
  bool takes_messages() const { return active_ && tasks_.front().status == MoveTaskStatus::running; }

  /// REQUIRES: none is active. Answers what has to be forgotten for it.
  std::vector<std::string> start(MoveTask task, std::size_t kept_max, Instant now);

  /// How many messages may leave now, beside `in_transit` that have left and are not settled.
  std::size_t allowance(Instant now) const;
  /// When the next may, where the rate is what it waits for.
  Instant next_allowed() const;

  void message_left() { ++released_, ++in_transit_; }
  /// True if the task's record has changed.
  void message_settled(const std::optional<ErrorCode>& failure);
  /// One that had left was dropped from its queue meanwhile, by a purge say: there was nothing to move.
  void message_gone();
  /// No message is left to take. The task ends when none is on its way.
  void exhausted() { exhausted_ = true; }
  /// More came before the last one on its way was settled.
  void not_exhausted() { exhausted_ = false; }
  /// Ends the task if nothing keeps it. True if it did.
  bool finish_if_done();
  void cancel();

  /// The newest first.
  const std::deque<MoveTask>& all() const { return tasks_; }

 private:
  std::deque<MoveTask> tasks_;
  bool active_ = false;
  bool exhausted_ = false;
  std::size_t in_transit_ = 0;
  std::uint64_t released_ = 0;  // since base_, at which the rate began to count
  Instant base_{};
};

}  // namespace penstock::core
