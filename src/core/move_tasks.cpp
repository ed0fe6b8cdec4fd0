#include "core/move_tasks.hpp"

#include <algorithm>
#include <limits>

namespace penstock::core {

namespace {

// As the service reports them.
constexpr std::string_view no_such_queue = "AWS.SimpleQueueService.NonExistentQueue";
constexpr std::string_view no_source = "CouldNotDetermineMessageSource";

}  // namespace

void MoveTaskList::recover(std::vector<MoveTask> tasks, Instant now) {
  std::sort(tasks.begin(), tasks.end(), [](const MoveTask& a, const MoveTask& b) { return a.started > b.started; });
  tasks_.assign(tasks.begin(), tasks.end());
  if (tasks_.empty()) return;
  MoveTask& newest = tasks_.front();
  if (newest.status == MoveTaskStatus::cancelling) newest.status = MoveTaskStatus::cancelled;
  active_ = newest.status == MoveTaskStatus::running;
  base_ = now;
}

std::vector<std::string> MoveTaskList::start(MoveTask task, std::size_t kept_max, Instant now) {
  tasks_.push_front(std::move(task));
  active_ = true;
  exhausted_ = false;
  in_transit_ = 0;
  released_ = 0;
  base_ = now;
  std::vector<std::string> forgotten;
  while (tasks_.size() > kept_max) {
    forgotten.push_back(std::move(tasks_.back().id));
    tasks_.pop_back();
  }
  return forgotten;
}

std::size_t MoveTaskList::allowance(Instant now) const {
  if (!takes_messages()) return 0;
  const MoveTask& task = tasks_.front();
  // What was waiting when it started is moved, not what arrives meanwhile.
  const std::uint64_t under_way = task.moved + in_transit_;
  const std::uint64_t left = task.to_move > under_way ? task.to_move - under_way : 0;
  if (task.per_second == 0) return left;
  const auto elapsed = static_cast<std::uint64_t>(std::max<std::int64_t>((now - base_).count(), 0));
  const std::uint64_t due = elapsed * static_cast<std::uint64_t>(task.per_second) / 1000 + 1;
  return std::min(left, due > released_ ? due - released_ : 0);
}

Instant MoveTaskList::next_allowed() const {
  const auto rate = static_cast<std::uint64_t>(std::max(tasks_.front().per_second, 1));
  return base_ + Millis{static_cast<std::int64_t>((released_ * 1000 + rate - 1) / rate)};
}

void MoveTaskList::message_settled(const std::optional<ErrorCode>& failure) {
  if (!active_ || in_transit_ == 0) return;
  --in_transit_;
  MoveTask& task = tasks_.front();
  if (!failure) {
    ++task.moved;
  } else if (task.status != MoveTaskStatus::failed) {
    task.status = MoveTaskStatus::failed;
    task.failure_reason = *failure == ErrorCode::QueueDoesNotExist ? no_such_queue : no_source;
  }
}

void MoveTaskList::message_gone() {
  if (active_ && in_transit_ > 0) --in_transit_;
}

bool MoveTaskList::finish_if_done() {
  if (!active_ || in_transit_ > 0) return false;
  MoveTask& task = tasks_.front();
  const bool all_moved = task.moved >= task.to_move;
  if (task.status == MoveTaskStatus::running && !exhausted_ && !all_moved) return false;
  if (task.status == MoveTaskStatus::running) task.status = MoveTaskStatus::completed;
  if (task.status == MoveTaskStatus::cancelling) task.status = MoveTaskStatus::cancelled;
  active_ = false;
  return true;
}

void MoveTaskList::cancel() { tasks_.front().status = MoveTaskStatus::cancelling; }

}  // namespace penstock::core
