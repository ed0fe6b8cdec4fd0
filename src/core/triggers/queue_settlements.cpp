#include "core/triggers/queue_settlements.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace penstock::core {

namespace limits = queue_settlement_limits;

namespace {

/// Whether an error says that it will be the same whenever it is asked.
bool is_final(const Error& error) {
  switch (error.code) {
    case ErrorCode::QueueDoesNotExist:
    case ErrorCode::ReceiptHandleIsInvalid:
    case ErrorCode::InvalidParameterValue:
    case ErrorCode::MessageNotInflight:
    case ErrorCode::UnsupportedOperation:
    case ErrorCode::AccessDenied:
      return true;
    default:
      return false;
  }
}

/// Which of them are to be told again.
std::vector<Settlement> unsettled(std::vector<Settlement> told, const std::optional<Result>& result) {
  if (!result) return told;
  if (const auto* error = std::get_if<Error>(&*result)) return is_final(*error) ? std::vector<Settlement>{} : told;
  const auto* results = std::get_if<EntryResults>(&*result);
  if (results == nullptr) return told;
  std::vector<Settlement> again;
  for (std::size_t i = 0; i < told.size() && i < results->entries.size(); ++i) {
    const std::optional<Error>& error = results->entries[i];
    if (error && !is_final(*error)) again.push_back(std::move(told[i]));
  }
  return again;
}

}  // namespace

// Visible no later than it is to be: whole seconds are all that there is.
void QueueSettlements::send(const QueueName& queue, std::vector<Settlement> settlements) {
  const bool removes = !settlements.front().visible_at;
  // Nobody was promised that they are gone: they need not have anything wait for a sync.
  DeleteMessages remove{queue, {}, false};
  ChangeVisibility change{queue, {}};
  if (removes) remove.receipt_handles.reserve(settlements.size());
  for (const Settlement& each : settlements) {
    if (removes) {
      remove.receipt_handles.push_back(each.receipt_handle);
      continue;
    }
    const auto left = std::chrono::floor<std::chrono::seconds>(*each.visible_at - context_.now);
    change.changes.push_back({each.receipt_handle, static_cast<int>(std::max<std::int64_t>(0, left.count()))});
  }
  const AskId id = removes ? context_.ask(asker_, std::move(remove)) : context_.ask(asker_, std::move(change));
  told_.emplace(id, std::move(settlements));
}

void QueueSettlements::tell(const QueueName& queue, std::vector<Settlement> settlements) {
  const auto changes = std::stable_partition(settlements.begin(), settlements.end(),
                                             [](const Settlement& each) { return !each.visible_at; });
  const auto send_all = [&](auto from, auto end) {
    while (from != end) {
      const auto count = std::min<std::ptrdiff_t>(end - from, static_cast<std::ptrdiff_t>(limits::handles_max));
      send(queue, {std::make_move_iterator(from), std::make_move_iterator(from + count)});
      from += count;
    }
  };
  send_all(settlements.begin(), changes);
  send_all(changes, settlements.end());
}

bool QueueSettlements::answered(const Answered& answer) {
  auto found = told_.extract(answer.id);
  if (found.empty()) return false;
  std::vector<Settlement> again = unsettled(std::move(found.mapped()), answer.result);
  if (again.empty()) {
    in_vain_ = 0;
  } else {
    wait(std::move(again));
  }
  return true;
}

bool QueueSettlements::is_useful(const Settlement& settlement) const {
  if (settlement.useful_until <= context_.now) return false;
  return settlement.run == InvocationId{} || is_running_(settlement.run);
}

// However often that was in vain, there is another try half way to the first moment from which it would be of no use.
void QueueSettlements::wait(std::vector<Settlement> settlements) {
  Instant at = Instant::max();
  for (Settlement& each : settlements) {
    if (!is_useful(each)) continue;
    const Millis left = each.useful_until - context_.now;
    at = std::min(at, context_.now + std::max(left / 2, limits::delay_min));
    waiting_.push_back(std::move(each));
  }
  if (waiting_.empty()) return;
  if (!timer_) at = std::min(at, context_.now + backed_off(limits::delay_min, in_vain_++, limits::delay_max));
  if (timer_ && timer_->first <= at) return;
  if (timer_) context_.drop_timer(*timer_);
  timer_ = context_.set_timer(asker_, at, tag_);
}

void QueueSettlements::due(const QueueName& queue) {
  timer_.reset();
  std::vector<Settlement> again = std::exchange(waiting_, {});
  std::erase_if(again, [this](const Settlement& each) { return !is_useful(each); });
  tell(queue, std::move(again));
}

void QueueSettlements::give_up() {
  for (const auto& [id, settlements] : std::exchange(told_, {})) context_.cancel(id);
  waiting_.clear();
  if (timer_) context_.drop_timer(*std::exchange(timer_, {}));
}

}  // namespace penstock::core
