#include "runner/pool.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>

#include "runner/outcomes.hpp"

namespace penstock::runner {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// What a reader of a log may wait.
constexpr Millis log_wait_max{20'000};

/// No log has as many lines in a second, so that numbers which begin here are larger than those of a server before.
std::uint64_t microseconds_now() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(duration_cast<microseconds>(system_clock::now().time_since_epoch()).count());
}

}  // namespace

struct Pool::Waiter {
  Waiter(asio::io_context& io, FunctionName name) : function(std::move(name)), timer(io) {}
  FunctionName function;
  std::uint64_t after = 0;
  std::size_t lines_max = 0;
  LogRead read;
  asio::steady_timer timer;
  LogBook::Reader reader;
};

Pool::Pool(asio::io_context& io, PoolOptions options, CodeDirectory code_directory)
    : io_(io),
      options_(std::move(options)),
      code_directory_(std::move(code_directory)),
      logs_(options_.logs, microseconds_now()),
      buffer_{},
      cgroups_(options_.use_cgroups ? "/sys/fs/cgroup" : "", "/proc/self/cgroup", [this] { watch_memory(); }),
      keeper_(io, options_.keeper_executable, options_.descriptors_max),
      workshop_{io,
                Sandbox::Context{io, keeper_, cgroups_, buffer_, options_.logs.line_bytes_max},
                logs_,
                options_.directory + "/bootstraps",
                options_.endpoint_url,
                options_.secret_of,
                options_.init_time_max,
                options_.grace_time},
      idle_timer_(io),
      memory_timer_(io) {}

Pool::~Pool() {
  alive_.reset();
  for_each_group([](EnvironmentGroup& group) { group.abandon(); });
  for (const auto& exec : execs_) exec->abandon();
  for (const auto& call : calls_) call->abandon();
}

// ---- Invocations.

void Pool::run(RunRequest request, Ended ended) {
  const std::shared_ptr<const FunctionRecord> function = request.function;
  Invoke invoke{std::move(request), std::move(ended)};
  if (stopping_) return end_invoke(io_, std::move(invoke), shutting_down());
  if (function->kind == FunctionKind::url) {
    const auto call = std::make_shared<UrlCall>(workshop_, std::move(invoke), [this](UrlCall& over) {
      std::erase_if(calls_, [&](const auto& other) { return other.get() == &over; });
      see_whether_stopped();
    });
    calls_.insert(call);
    return call->start(call);
  }
  if (function->kind == FunctionKind::exec) {
    const auto exec = std::make_shared<ExecRun>(workshop_, std::move(invoke), [this](ExecRun& over) {
      std::erase_if(execs_, [&](const auto& other) { return other.get() == &over; });
      see_whether_stopped();
    });
    execs_.insert(exec);
    exec->start(exec, code_directory_(*function));
    return watch_memory();
  }
  std::string why;
  if (function->kind == FunctionKind::handler && !prepare_bootstraps(why)) {
    return end_invoke(io_, std::move(invoke), failed(std::move(why)));
  }
  group_of(function).run(std::move(invoke));
}

bool Pool::prepare_bootstraps(std::string& why) {
  if (bootstraps_written_) return true;
  try {
    write_bootstraps(workshop_.bootstrap_directory);
    bootstraps_written_ = true;
  } catch (const std::exception& error) {
    why = std::string("The programs that run handlers cannot be written: ") + error.what();
  }
  return bootstraps_written_;
}

EnvironmentGroup& Pool::group_of(const std::shared_ptr<const FunctionRecord>& function) {
  auto& group = functions_[function->name][function->generation];
  if (group == nullptr) {
    group = std::make_unique<EnvironmentGroup>(workshop_, function, code_directory_(*function), hooks_of());
  }
  return *group;
}

EnvironmentGroup::Hooks Pool::hooks_of() {
  return {.may_start = [this] { return make_room(); },
          .became_idle = [this] { on_idle(); },
          .became_busy = [this] { watch_memory(); },
          .environment_over = [this] { post_sweep(); }};
}

std::size_t Pool::environments() const {
  std::size_t count = 0;
  for (const auto& [name, groups] : functions_) {
    for (const auto& [generation, group] : groups) count += group->size();
  }
  return count;
}

// Whether one more environment may be started. At the limit, the one that has been idle for longest goes, unless as
// many as are wanted are going already, and who wants one hears of it when it is gone.
bool Pool::make_room() {
  if (environments() < options_.environments_max) return true;
  EnvironmentGroup* idlest = nullptr;
  std::size_t ending = 0;
  std::size_t wanted = 0;
  for_each_group([&](EnvironmentGroup& group) {
    ending += group.ending();
    wanted += group.wanted();
    const auto since = group.oldest_idle();
    if (since && (idlest == nullptr || *since < *idlest->oldest_idle())) idlest = &group;
  });
  if (idlest != nullptr && ending < wanted) idlest->end_idle();
  short_of_room_ = true;
  return false;
}

void Pool::post_sweep() {
  if (sweep_posted_) return;
  sweep_posted_ = true;
  // Not at once: it is a group that asks for it, which may be of no use any more.
  asio::post(io_, [this, alive = std::weak_ptr<bool>(alive_)] {
    if (alive.expired()) return;
    sweep_posted_ = false;
    sweep();
  });
}

void Pool::sweep() {
  for (auto& [name, groups] : functions_) {
    std::erase_if(groups, [](const auto& entry) { return entry.second->empty(); });
  }
  std::erase_if(functions_, [](const auto& entry) { return entry.second.empty(); });
  short_of_room_ = false;
  for_each_group([](EnvironmentGroup& group) {
    if (group.waits()) group.dispatch();
  });
  see_whether_stopped();
}

void Pool::retire(const FunctionName& function, std::uint64_t generation) {
  const auto found = functions_.find(function);
  if (found == functions_.end()) return;
  for (auto& [of, group] : found->second) {
    if (of < generation) group->retire();
  }
}

void Pool::end_runs(const std::function<bool(const FunctionName&)>& doomed) {
  for (auto& [name, groups] : functions_) {
    if (!doomed(name)) continue;
    for (auto& [generation, group] : groups) group->stop();
  }
  for (const auto& exec : execs_) {
    if (doomed(exec->function())) exec->end();
  }
  const auto calls = calls_;
  for (const auto& call : calls) {
    if (doomed(call->function())) call->end();
  }
  post_sweep();
}

// ---- Timers, none of which runs while there is nothing to watch.

void Pool::on_idle() {
  // Somebody else may wait for its place.
  if (short_of_room_) post_sweep();
  watch_idle();
}

void Pool::watch_idle() {
  if (idle_armed_ || stopping_) return;
  std::optional<Clock::time_point> oldest;
  for_each_group([&](EnvironmentGroup& group) {
    const auto since = group.oldest_idle();
    if (since && (!oldest || *since < *oldest)) oldest = since;
  });
  if (!oldest) return;
  idle_armed_ = true;
  idle_timer_.expires_at(*oldest + options_.idle_time);
  idle_timer_.async_wait([this, alive = std::weak_ptr<bool>(alive_)](const error_code& error) {
    if (error || alive.expired()) return;
    idle_armed_ = false;
    const auto now = Clock::now();
    for_each_group([&](EnvironmentGroup& group) { group.reap(now - options_.idle_time); });
    watch_idle();
  });
}

void Pool::watch_memory(Millis interval) {
  if ((memory_armed_ && *memory_armed_ <= interval) || cgroups_.covers_all()) return;
  memory_armed_ = interval;
  memory_timer_.expires_after(interval);
  memory_timer_.async_wait([this, alive = std::weak_ptr<bool>(alive_)](const error_code& error) {
    if (error || alive.expired()) return;
    memory_armed_.reset();
    if (const auto next = check_memory()) watch_memory(*next);
  });
}

// When to look again; nothing if there is nothing to watch. What waits for an event may use memory all the same, and is
// looked at now and then.
std::optional<Millis> Pool::check_memory() {
  const auto now = Clock::now();
  const bool look_at_idle = now >= idle_memory_checked_ + options_.idle_memory_interval;
  if (look_at_idle) idle_memory_checked_ = now;
  bool busy = !execs_.empty();
  for_each_group([&](EnvironmentGroup& group) {
    group.check_memory(look_at_idle);
    busy = busy || group.has_busy();
  });
  for (const auto& exec : execs_) exec->check_memory();
  if (busy) return options_.memory_interval;
  return functions_.empty() ? std::nullopt : std::optional(options_.idle_memory_interval);
}

// ---- Logs.

void Pool::read_log(const FunctionName& function, std::uint64_t after, std::size_t lines_max, Millis wait,
                    LogRead read) {
  auto waiter = std::make_shared<Waiter>(io_, function);
  waiter->after = after;
  waiter->lines_max = lines_max;
  waiter->read = std::move(read);
  const auto answer = [this, waiter, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) answer_reader(waiter);
  };
  const bool some = !logs_.read(function, after, 1).lines.empty();
  const auto heard = [this, answer] { asio::post(io_, answer); };
  if (some || wait <= Millis(0) || stopping_) return asio::post(io_, answer);
  if (!logs_.wait(function, heard, waiter->reader)) {
    return asio::post(io_, [waiter, alive = std::weak_ptr<bool>(alive_)] {
      if (!alive.expired()) waiter->read(std::nullopt);
    });
  }
  waiter->timer.expires_after(std::min(wait, log_wait_max));
  waiter->timer.async_wait([answer](const error_code& error) {
    if (!error) answer();
  });
}

void Pool::answer_reader(const std::shared_ptr<Waiter>& waiter) {
  if (!waiter->read) return;
  const auto read = std::exchange(waiter->read, nullptr);
  waiter->timer.cancel();
  logs_.cancel(waiter->function, waiter->reader);
  read(logs_.read(waiter->function, waiter->after, waiter->lines_max));
}

// ---- The end.

void Pool::stop(std::function<void()> stopped) {
  stopping_ = true;
  stopped_ = std::move(stopped);
  idle_timer_.cancel();
  for_each_group([](EnvironmentGroup& group) { group.stop(); });
  for (const auto& exec : execs_) exec->end();
  const auto calls = calls_;
  for (const auto& call : calls) call->end();
  post_sweep();
}

void Pool::see_whether_stopped() {
  if (!stopped_ || !functions_.empty() || !execs_.empty() || !calls_.empty()) return;
  memory_timer_.cancel();
  asio::post(io_, std::exchange(stopped_, nullptr));
}

}  // namespace penstock::runner
