#include "server/insider.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <utility>

#include "server/shard.hpp"
#include "server/trigger_host.hpp"

namespace penstock::server {

namespace {

// Above the shards, the triggers and the server's own client, so that its calls have numbers of their own.
constexpr std::uint64_t index_above_shards = 2;
constexpr unsigned call_bits = 48;

}  // namespace

template <class Answer, class Commands, class Submit>
std::vector<Answer> Insider::ask_all(Commands commands, const Submit& submit) {
  std::vector<Answer> answers;
  answers.reserve(commands.size());
  for (std::size_t first = 0; first < commands.size(); first += open_max) {
    const std::size_t count = std::min(open_max, commands.size() - first);
    // An answer may come when nobody waits for it any more.
    auto open = std::make_shared<std::vector<std::optional<Answer>>>(count);
    auto missing = std::make_shared<std::size_t>(count);
    for (std::size_t i = 0; i < count; ++i) {
      submit(std::move(commands[first + i]), [waiting = waiting_, open, missing, i](Answer given) {
        const std::lock_guard lock(waiting->mutex);
        (*open)[i].emplace(std::move(given));
        if (--*missing == 0) waiting->changed.notify_all();
      });
    }
    std::unique_lock lock(waiting_->mutex);
    waiting_->changed.wait(lock, [&] { return *missing == 0 || waiting_->closed; });
    if (*missing > 0) throw Closed();
    for (std::optional<Answer>& answer : *open) answers.push_back(std::move(*answer));
  }
  return answers;
}

std::vector<Result> Insider::ask_each(std::vector<Command> commands) {
  return ask_all<Result>(std::move(commands), [this](Command command, auto take) {
    Shard& shard = *service_.shards[service_.owner_of(command)];
    const CallId call{((service_.shards.size() + index_above_shards) << call_bits) | ++calls_};
    boost::asio::post(shard.context(), [&shard, call, asked = std::move(command), take = std::move(take)]() mutable {
      shard.submit(call, std::move(asked), [take = std::move(take)](std::optional<Result> result) {
        take(result ? std::move(*result) : Result(Error{ErrorCode::InternalFailure, {}}));
      });
    });
  });
}

std::vector<TriggerResult> Insider::ask_each(std::vector<TriggerCommand> commands) {
  return ask_all<TriggerResult>(std::move(commands), [this](TriggerCommand&& command, auto take) {
    service_.triggers->submit(std::move(command), std::move(take));
  });
}

void Insider::pause(std::chrono::milliseconds time) {
  std::unique_lock lock(waiting_->mutex);
  if (waiting_->changed.wait_for(lock, time, [&] { return waiting_->closed; })) throw Closed();
}

void Insider::close() {
  const std::lock_guard lock(waiting_->mutex);
  waiting_->closed = true;
  waiting_->changed.notify_all();
}

}  // namespace penstock::server
