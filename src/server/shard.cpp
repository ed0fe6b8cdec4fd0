#include "server/shard.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "core/leap.hpp"
#include "core/shard_engine.hpp"
#include "penstock/queue_names.hpp"
#include "storage/records.hpp"

namespace penstock::server {

namespace asio = boost::asio;

namespace {

// A call that comes so soon after a commit made in this thread must have waited for it: a client that is alone first
// has to read the answer. While that happens, commits go to the committer's thread, which makes groups of them.
constexpr std::chrono::microseconds waited_threshold{8};
constexpr unsigned holdoff_turns = 256;

// The longest that a timer is set for; the engine is asked again then.
constexpr std::chrono::nanoseconds timer_max = std::chrono::hours{1};

// Messages on their way to other queues that a shard holds in memory, each of up to a mebibyte; others wait on disk.
constexpr std::size_t transfers_open_max = 64;

// Transactions that a shard has with others at a time, each of up to 500 records.
constexpr std::size_t transactions_open_max = 64;

// What one look into a queue shows, of bodies and attributes together; what comes behind is left out.
constexpr std::size_t peek_bytes_max = 16U << 20U;

// Frontends give their calls the index of their thread in these bits, which is far from having this one.
constexpr std::uint64_t internal_call_bit = 1ULL << 63U;

std::size_t bytes_of(const MessageContent& content) {
  std::size_t bytes = content.body.size();
  for (const MessageAttribute& attribute : content.attributes) bytes += attribute.name.size() + attribute.value.size();
  return bytes;
}

/// How its destination is asked to take the message.
AcceptTransfer acceptance_of(const Transfer& transfer, QueueName destination,
                             std::shared_ptr<const StoredMessage> message) {
  AcceptTransfer accept;
  accept.queue = std::move(destination);
  accept.kind = transfer.kind;
  accept.origin_queue = transfer.queue;
  accept.origin_sequence = transfer.sequence;
  accept.origin_arn = arn_of(transfer.origin);
  accept.message = std::move(message);
  accept.receive_count = transfer.receive_count;
  accept.first_received = transfer.first_received;
  return accept;
}

}  // namespace

Shard::Shard(asio::io_context& context, const Store& store, storage::Committer& committer, const Clock& clock,
             const Limits& limits, Router router, std::size_t trace_records)
    : Shard(context, store, committer, clock, std::move(router), nullptr, trace_records) {
  engine_ = core::make_engine(limits, entropy_);
}

Shard::Shard(asio::io_context& context, const Store& store, storage::Committer& committer, const Clock& clock,
             Router router, std::unique_ptr<Engine> engine, std::size_t trace_records)
    : context_(context),
      store_(store),
      messages_(store),
      committer_(committer),
      clock_(clock),
      router_(std::move(router)),
      engine_(std::move(engine)),
      log_(trace_records),
      releases_(context, committer, [this](Release ready) { release(std::move(ready)); }),
      timer_(context) {}

Shard::~Shard() = default;

void Shard::recover(RecoveredQueue queue) {
  log_.know(queue.record.id, queue.record.name);
  engine_->recover(std::move(queue), clock_.now());
}

void Shard::recover(RecoveredStream stream) { engine_->recover(std::move(stream), clock_.now()); }

void Shard::recover(StreamAccount account) { engine_->recover(std::move(account)); }

void Shard::start() { want_turn(); }

void Shard::submit(CallId call, Command command, Completion completion) {
  if (holdoff_ == 0 && std::chrono::steady_clock::now() - committed_here_at_ < waited_threshold) {
    holdoff_ = holdoff_turns;
    alone_ = false;
  }
  ++work_;
  calls_.emplace(call, std::move(completion));
  engine_->apply(call, std::move(command), clock_.now());
  if (draining_) engine_->release_parked();
  // With one client at a time there is nothing to share a turn with, so it need not wait for the end of one.
  if (alone_ && calls_.size() == 1 && !turn_wanted_ && !releases_.is_releasing()) return end_turn();
  want_turn();
}

void Shard::cancel(CallId call, Command cancellation) {
  ++work_;
  engine_->apply(CallId{}, std::move(cancellation), clock_.now());
  want_turn();
  // If its answer is on the way already, that completes the call, and comes back as undelivered.
  if (is_answered(call)) return;
  asio::post(context_, [this, call] {
    // By now the turn that might have answered it is over.
    if (is_answered(call)) return;
    const auto found = calls_.find(call);
    if (found == calls_.end()) return;
    const Completion completion = std::move(found->second);
    calls_.erase(found);
    completion(std::nullopt);
  });
}

bool Shard::is_answered(CallId call) const {
  return releases_.any_of([call](const Release& release) {
    return std::any_of(release.replies.begin(), release.replies.end(), [&](const Reply& r) { return r.call == call; });
  });
}

void Shard::tell(Command command) {
  ++work_;
  engine_->apply(CallId{}, std::move(command), clock_.now());
  want_turn();
}

void Shard::release_parked() {
  draining_ = true;
  engine_->release_parked();
  want_turn();
}

// The turn ends behind whatever is ready to run now, so that its batch carries all of it.
void Shard::want_turn() {
  if (std::exchange(turn_wanted_, true)) return;
  asio::post(context_, [this] { end_turn(); });
}

void Shard::end_turn() {
  turn_wanted_ = false;
  Effects effects = engine_->take_effects();
  log_.note(effects, clock_.now());
  if (!effects.mutations.empty()) {
    WriteBatch batch;
    storage::encode(effects.mutations, batch);
    commit(batch, effects.sync, effects.replies.size());
  }
  if (!effects.replies.empty() || !effects.loads.empty() || !effects.transfers.empty() ||
      !effects.transactions.empty()) {
    releases_.hold(Release{std::move(effects.replies), std::move(effects.loads), std::move(effects.transfers),
                           std::move(effects.transactions)});
  }
  arm_timer();
}

bool Shard::may_commit_here(bool sync, std::size_t reply_count) {
  if (!releases_.empty()) return false;
  if (!sync) return true;
  if (holdoff_ > 0) {
    --holdoff_;
    return false;
  }
  return reply_count <= 1;
}

void Shard::commit(WriteBatch& batch, bool sync, std::size_t reply_count) {
  std::optional<std::uint64_t> position;
  if (may_commit_here(sync, reply_count)) {
    position = committer_.commit_if_idle(batch, sync);
    if (position && sync) {
      committed_here_at_ = std::chrono::steady_clock::now();
      committed_alone_ = alone_ = true;
    }
  }
  releases_.submitted(position ? *position : committer_.submit(std::move(batch), sync), sync);
}

void Shard::release(Release release) {
  for (Reply& reply : release.replies) complete(std::move(reply));
  for (const Load& load : release.loads) run_load(load);
  std::move(release.transfers.begin(), release.transfers.end(), std::back_inserter(transfers_));
  start_transfers();
  std::move(release.transactions.begin(), release.transactions.end(), std::back_inserter(transactions_));
  start_transactions();
}

void Shard::run_load(const Load& load) {
  Command answer;
  if (const StoreError error = storage::run_load(store_, load, answer, &messages_)) {
    // The engine would wait for this load for ever, and so would its clients.
    spdlog::critical("cannot read the data directory: {}", error.message);
    spdlog::shutdown();
    std::_Exit(1);
  }
  ++work_;
  engine_->apply(CallId{}, std::move(answer), clock_.now());
  want_turn();
}

void Shard::complete(Reply reply) {
  const auto found = calls_.find(reply.call);
  if (found == calls_.end()) return;
  const Completion completion = std::move(found->second);
  calls_.erase(found);
  if (auto* deliveries = std::get_if<Deliveries>(&reply.result)) {
    fill(deliveries->messages, SIZE_MAX);
    if (!is_of_mapping(reply.call)) log_.note(deliveries->messages, "a client", clock_.now());
  }
  if (auto* peeked = std::get_if<PeekedMessages>(&reply.result)) fill(peeked->messages, peek_bytes_max);
  completion(std::move(reply.result));
}

void Shard::note_received(const Result& result, const MappingRecord& mapping) {
  const auto* deliveries = std::get_if<Deliveries>(&result);
  if (deliveries == nullptr || deliveries->messages.empty() || !log_.is_on()) return;
  log_.note(deliveries->messages, "mapping " + mapping.uuid + " for " + mapping.function.name, clock_.now());
}

void Shard::fill(std::vector<Delivery>& messages, std::size_t bytes_max) {
  std::size_t bytes = 0;
  for (Delivery& delivery : messages) {
    if (bytes >= bytes_max) break;
    const StoreError error = messages_.read(delivery.queue, delivery.sequence, delivery.message);
    // Dropped meanwhile, by a purge say: then there is nothing to deliver. A record that is damaged is not delivered
    // either, and comes up again after its visibility timeout.
    if (error && error.status != StoreStatus::not_found) {
      spdlog::error("cannot read message {} of a queue: {}", delivery.sequence.value, error.message);
    }
    if (delivery.message != nullptr) bytes += bytes_of(delivery.message->content);
  }
  std::erase_if(messages, [](const Delivery& delivery) { return delivery.message == nullptr; });
}

CallId Shard::internal_call() { return CallId{internal_call_bit | ++internal_calls_}; }

void Shard::start_transfers() {
  while (transfers_open_ < transfers_open_max && !transfers_.empty()) {
    const Transfer transfer = std::move(transfers_.front());
    transfers_.pop_front();
    ++transfers_open_;
    hand_over(transfer);
  }
}

// Every step is posted, also within one shard, so that none runs inside another's turn. The steps refer to shards,
// never to what a step before holds; where a context has stopped, they are dropped with it.
void Shard::hand_over(const Transfer& transfer) {
  const auto fail = [this, &transfer](ErrorCode code) {
    asio::post(context_,
               [this, outcome = TransferSettled{transfer.queue, transfer.sequence, code}] { settle(outcome, {}); });
  };
  const TransferOrigin from{transfer.queue, transfer.sequence};
  std::shared_ptr<const StoredMessage> message;
  if (const StoreError error = storage::read_message(store_, transfer.queue, transfer.sequence, message)) {
    // Where it was dropped meanwhile, its queue knows.
    if (error.status != StoreStatus::not_found) {
      spdlog::error("cannot read message {} of {} to move it: {}", transfer.sequence.value, transfer.origin.name,
                    error.message);
    }
    return fail(ErrorCode::InternalFailure);
  }
  std::optional<QueueName> destination = transfer.destination;
  if (!destination && transfer.kind == TransferKind::redrive) destination = split_arn(message->dead_letter_source);
  if (!destination) return fail(ErrorCode::ResourceNotFound);
  std::string message_id = message->message_id;
  Command accept = acceptance_of(transfer, *destination, std::move(message));
  Shard& target = router_(accept);
  auto answered = [this, &target, from, to = *destination,
                   kind = transfer.kind](const std::optional<Result>& result) mutable {
    TransferSettled outcome{from.queue, from.sequence, std::nullopt};
    // Only a redrive gives it another one.
    std::string new_id = target.log_.end_arrival(from);
    if (kind != TransferKind::redrive) new_id.clear();
    std::function<void()> settled;
    if (const auto* accepted = result ? std::get_if<Accepted>(&*result) : nullptr) {
      asio::post(context_, [this, from, queue = accepted->queue, to = std::move(to), id = std::move(new_id)] {
        log_.expect_departure(from, queue, to, id);
      });
      settled = [&target, command = ForgetArrival{accepted->queue, outcome.queue, outcome.sequence}] {
        asio::post(target.context_, [&target, command] { target.tell(command); });
      };
    } else {
      const auto* error = result ? std::get_if<Error>(&*result) : nullptr;
      outcome.failure = error != nullptr ? error->code : ErrorCode::InternalFailure;
    }
    asio::post(context_, [this, outcome, done = std::move(settled)]() mutable { settle(outcome, std::move(done)); });
  };
  asio::post(target.context_, [&target, from, name = transfer.origin, id = std::move(message_id),
                               request = std::move(accept), done = std::move(answered)]() mutable {
    target.log_.expect_arrival(from, name, id);
    target.submit(target.internal_call(), std::move(request), std::move(done));
  });
}

void Shard::settle(TransferSettled outcome, std::function<void()> settled) {
  const TransferOrigin from{outcome.queue, outcome.sequence};
  submit(internal_call(), outcome, [this, from, done = std::move(settled)](const std::optional<Result>& result) {
    log_.end_departure(from);
    // Only a message that is durably gone from here may be forgotten there.
    if (done && result && std::holds_alternative<Done>(*result)) done();
    --transfers_open_;
    start_transfers();
  });
}

void Shard::start_transactions() {
  while (transactions_open_ < transactions_open_max && !transactions_.empty()) {
    Transaction transaction = std::move(transactions_.front());
    transactions_.pop_front();
    ++transactions_open_;
    hand_over(std::move(transaction));
  }
}

// Posted step by step as transfers are. The engine is told the outcome whatever it is: until then it leaves alone what
// the target is about to write.
void Shard::hand_over(Transaction transaction) {
  auto answered = [this, settled = TransactionSettled{std::move(transaction.origin), transaction.call}](
                      std::optional<Result> result) mutable {
    if (auto* put = result ? std::get_if<RecordsPut>(&*result) : nullptr) {
      for (const auto& entry : put->entries) settled.put.push_back(std::get<RecordPut>(entry));
    } else {
      const auto* error = result ? std::get_if<Error>(&*result) : nullptr;
      settled.failure = error != nullptr ? *error : Error{ErrorCode::KinesisInternalFailure, {}};
    }
    asio::post(context_, [this, outcome = std::move(settled)]() mutable {
      submit(internal_call(), StreamCommand(std::move(outcome)), [this](const std::optional<Result>&) {
        --transactions_open_;
        start_transactions();
      });
    });
  };
  Command accept = StreamCommand(std::move(transaction.accept));
  Shard& target = router_(accept);
  asio::post(target.context_, [&target, request = std::move(accept), done = std::move(answered)]() mutable {
    target.submit(target.internal_call(), std::move(request), std::move(done));
  });
}

void Shard::arm_timer() {
  const std::optional<Instant> next = engine_->next_deadline();
  // A timer that rings too early costs a look at the engine; setting it anew for each message costs more.
  if (!next || (armed_ && *armed_ <= *next)) return;
  const auto wait = clock_.time_until(*next);
  if (!wait) return;
  armed_ = next;
  timer_.expires_after(std::min(*wait, timer_max));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) ring();
  });
}

void Shard::ring() {
  ++work_;
  armed_.reset();
  engine_->advance(clock_.now());
  want_turn();
}

void Shard::clock_changed() {
  timer_.cancel();
  ring();
}

Pulse Shard::pulse(bool with_names) const {
  Pulse pulse;
  pulse.quiet = !turn_wanted_ && releases_.empty() && transfers_.empty() && transfers_open_ == 0 &&
                transactions_.empty() && transactions_open_ == 0;
  pulse.work = work_;
  const std::optional<Instant> deadline = engine_->next_deadline();
  const bool is_due = deadline && *deadline <= clock_.now();
  pulse.next = is_due ? deadline : core::next_stop(*engine_);
  pulse.next_observable = engine_->next_observable();
  pulse.awaited = core::awaited_members(*engine_);
  if (with_names) engine_->name_busy(pulse.busy);
  return pulse;
}

}  // namespace penstock::server
