#include "client/heartbeat.hpp"

#include <algorithm>

#include "client/api.hpp"
#include "client/caller.hpp"

namespace penstock::client {

namespace {

// A lease lasts for three heartbeats, and one that was not answered is sent again after a quarter of that.
constexpr int beats_per_lease = 3;
constexpr int retries_per_beat = 4;
/// How long one may take, if the lease is short.
constexpr std::chrono::milliseconds answer_time_min{1'000};

}  // namespace

Heartbeat::Heartbeat(World& world, std::unique_ptr<Line> line, MakeRequest make_request, OnLost on_lost)
    : world_(world),
      line_(std::move(line)),
      make_request_(std::move(make_request)),
      on_lost_(std::move(on_lost)),
      next_(world.now()) {}

Heartbeat::~Heartbeat() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  line_->interrupt();
  if (thread_.joinable()) thread_.join();
}

void Heartbeat::begin(const std::string& token, std::chrono::milliseconds lease) {
  const auto interval = std::max<std::chrono::milliseconds>(lease / beats_per_lease, std::chrono::milliseconds(1));
  {
    const std::lock_guard lock(mutex_);
    // The thread wakes up at least once in each interval, and sees then how things are.
    if (interval < interval_) line_->interrupt();
    interval_ = interval;
    next_ = world_.now() + interval;
    token_ = token;
    busy_ = true;
    gone_ = false;
    lost_.clear();
    ++generation_;
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
}

void Heartbeat::end() {
  const std::lock_guard lock(mutex_);
  busy_ = false;
}

bool Heartbeat::is_gone() const {
  const std::lock_guard lock(mutex_);
  return gone_;
}

bool Heartbeat::has_lost(const std::string& shard_id, std::uint64_t epoch) const {
  const std::lock_guard lock(mutex_);
  return lost_.contains({shard_id, epoch});
}

void Heartbeat::work() {
  std::unique_lock lock(mutex_);
  while (!over_) {
    const auto now = world_.now();
    const bool beats = busy_ && !gone_;
    if (beats && now >= next_) {
      Request request = make_request_(token_);
      request.timeout = std::max(interval_, answer_time_min);
      const std::uint64_t generation = generation_;
      lock.unlock();
      beat(request, generation);
    } else {
      const auto until = beats ? next_ : now + interval_;
      lock.unlock();
      line_->wait_until(until);
    }
    lock.lock();
  }
}

void Heartbeat::beat(const Request& request, std::uint64_t generation) {
  bool answered = false;
  bool gone = false;
  std::vector<LostLease> lost;
  try {
    if (const std::optional<Answer> answer = line_->exchange(request)) {
      check(*answer);
      lost = read_polled(*answer).lost;
      answered = true;
    }
  } catch (const Unreachable&) {
    // The lease may last until the server is back. If not, the next poll says so.
  } catch (const Error& error) {
    gone = !may_mend(error);
  }
  tell(lost, generation);
  const std::lock_guard lock(mutex_);
  if (generation != generation_) return;
  gone_ = gone;
  next_ = world_.now() + (answered ? interval_ : interval_ / retries_per_beat);
}

void Heartbeat::tell(const std::vector<LostLease>& lost, std::uint64_t generation) {
  for (const LostLease& lease : lost) {
    {
      const std::lock_guard lock(mutex_);
      if (generation != generation_ || !lost_.emplace(lease.shard_id, lease.epoch).second) continue;
    }
    if (on_lost_) on_lost_(lease);
  }
}

}  // namespace penstock::client
