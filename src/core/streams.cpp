#include "core/streams.hpp"

#include <algorithm>
#include <utility>

#include "core/stream_errors.hpp"
#include "core/stream_rules.hpp"
#include "penstock/limits.hpp"

namespace penstock::core {
namespace {

/// Where the streams of an account in a region begin.
StreamName first_of(const StreamName& name, std::string from = {}) {
  return {name.account, name.region, std::move(from)};
}

bool same_account(const StreamName& a, const StreamName& b) { return a.account == b.account && a.region == b.region; }

/// Commands that change nothing of a stream that is not there, and have nobody to tell.
template <class Request>
constexpr bool has_no_answer = std::is_same_v<Request, RecordsRead> || std::is_same_v<Request, EndSubscription> ||
                               std::is_same_v<Request, CancelPoll>;

}  // namespace

Stream* Streams::find(const StreamName& name) {
  const auto found = streams_.find(name);
  return found == streams_.end() ? nullptr : found->second.get();
}

void Streams::recover(RecoveredStream recovered) {
  StreamName name = recovered.info.name;
  auto stream = std::make_unique<Stream>(context_, std::move(recovered));
  by_id_.emplace(stream->id(), stream.get());
  streams_.emplace(std::move(name), std::move(stream));
}

void Streams::recover(StreamAccount account) {
  StreamName name = account.account;
  accounts_.insert_or_assign(std::move(name), std::move(account));
}

void Streams::apply(CallId call, StreamCommand& command, Instant now) {
  std::visit([&](auto& request) { handle(call, request, now); }, command);
}

void Streams::due(const Due& due, Instant now) {
  touched_.push_back(due.stream->id());
  due.stream->due(due, now);
  forget_if_gone(*due.stream);
}

void Streams::name_busy(BusyList& busy) const {
  for (const auto& [name, stream] : streams_) stream->name_busy(busy);
}

void Streams::release_parked() {
  for (const auto& [name, stream] : streams_) stream->release_parked();
}

void Streams::flush() {
  for (const StreamId id : std::exchange(touched_, {})) {
    if (const auto found = by_id_.find(id); found != by_id_.end()) found->second->flush();
  }
}

void Streams::forget_if_gone(Stream& stream) {
  if (!stream.is_gone()) return;
  context_.promise(DropStream{stream.id()});
  by_id_.erase(stream.id());
  streams_.erase(StreamName{stream.info().name});
}

/// Open shards of all the account's streams in its region that this shard of the server has.
std::size_t Streams::open_shards(const StreamName& account) const {
  std::size_t count = 0;
  for (auto it = streams_.lower_bound(first_of(account)); it != streams_.end() && same_account(it->first, account);
       ++it) {
    if (!it->second->is_deleting()) count += it->second->open_shards();
  }
  return count;
}

template <class Request>
void Streams::handle(CallId call, Request& command, Instant now) {
  Stream* stream = find(command.stream);
  if (stream == nullptr) {
    if constexpr (std::is_same_v<Request, GetShardIterator>) {
      return context_.reply(call, shard_does_not_exist(command.stream, command.shard_id));
    } else if constexpr (std::is_same_v<Request, AwaitRecords>) {
      return context_.reply(call, SubscriptionOver{stream_not_found(command.stream)});
    } else if constexpr (std::is_same_v<Request, TransactionSettled>) {
      context_.reply(call, Done{});
      return reply_settled(context_, command);
    } else if constexpr (has_no_answer<Request>) {
      return;
    } else {
      return context_.reply(call, stream_not_found(command.stream));
    }
  }
  touched_.push_back(stream->id());
  stream->handle(call, command, now);
}

void Streams::handle(CallId call, SplitShard& command, Instant now) {
  Stream* stream = find(command.stream);
  if (stream == nullptr) return context_.reply(call, stream_not_found(command.stream));
  touched_.push_back(stream->id());
  stream->split(call, command, open_shards(command.stream) - stream->open_shards(), now);
}

void Streams::handle(CallId call, UpdateShardCount& command, Instant now) {
  Stream* stream = find(command.stream);
  if (stream == nullptr) return context_.reply(call, stream_not_found(command.stream));
  touched_.push_back(stream->id());
  stream->update_count(call, command, open_shards(command.stream) - stream->open_shards(), now);
}

void Streams::handle(CallId call, CreateStream& command, Instant now) {
  if (find(command.stream) != nullptr) return context_.reply(call, stream_exists(command.stream));
  if (auto error = objection_to(command)) return context_.reply(call, std::move(*error));
  const std::int32_t shards = command.shard_count.value_or(kinesis_limits::on_demand_shards);
  const std::size_t others = open_shards(command.stream);
  if (shards > kinesis_limits::stream_shards_max ||
      others + static_cast<std::size_t>(shards) > kinesis_limits::account_shards_max) {
    return context_.reply(call, shard_limit_exceeded(command.stream, others, static_cast<std::size_t>(shards)));
  }
  StreamInfo info;
  do info.id = StreamId{context_.entropy.next()};
  while (info.id.value == 0 || by_id_.contains(info.id));
  info.name = command.stream;
  info.created = now;
  info.on_demand = command.on_demand;
  info.tags = std::move(command.tags);
  info.warm_mibps = command.warm_mibps;
  info.record_kib_max = command.record_kib_max.value_or(kinesis_limits::record_kib_min);
  const StreamId id = info.id;
  auto stream = std::make_unique<Stream>(context_, std::move(info), static_cast<std::size_t>(shards));
  by_id_.emplace(id, stream.get());
  streams_.emplace(command.stream, std::move(stream));
  touched_.push_back(id);
  context_.reply(call, Done{});
}

void Streams::handle(CallId call, DeleteStream& command, Instant now) {
  Stream* stream = find(command.stream);
  if (stream == nullptr) return context_.reply(call, stream_not_found(command.stream));
  if (stream->is_deleting()) {
    if (command.at_once) stream->end_deletion();
    context_.reply(call, Done{});
    return forget_if_gone(*stream);
  }
  if (!stream->info().consumers.empty() && !command.with_consumers) {
    return context_.reply(call, in_use("Stream " + command.stream.name + " under account " + command.stream.account +
                                       " has consumers registered: deregister them, or set EnforceConsumerDeletion."));
  }
  stream->erase(now);
  if (command.at_once) stream->end_deletion();
  context_.reply(call, Done{});
  forget_if_gone(*stream);
}

void Streams::handle(CallId call, ListStreams& command, Instant) {
  StreamList answer;
  for (auto it = streams_.lower_bound(first_of(command.stream, command.after)); it != streams_.end(); ++it) {
    if (!same_account(it->first, command.stream)) break;
    if (it->first.name <= command.after) continue;
    if (answer.streams.size() == command.limit) {
      answer.more = true;
      break;
    }
    const StreamInfo& info = it->second->info();
    answer.streams.push_back(ListedStream{info.name, info.status, info.created, info.on_demand});
  }
  context_.reply(call, std::move(answer));
}

void Streams::handle(CallId call, FindStream& command, Instant) {
  const auto found = by_id_.find(command.id);
  StreamFound answer;
  if (found != by_id_.end() && same_account(found->second->info().name, command.stream)) {
    answer.name = found->second->info().name;
  }
  context_.reply(call, std::move(answer));
}

void Streams::handle(CallId call, DescribeLimits& command, Instant) {
  StreamCounts answer;
  answer.open_shards = open_shards(command.stream);
  for (auto it = streams_.lower_bound(first_of(command.stream));
       it != streams_.end() && same_account(it->first, command.stream); ++it) {
    if (it->second->info().on_demand && !it->second->is_deleting()) ++answer.on_demand_streams;
  }
  context_.reply(call, answer);
}

// ---- The account.

StreamAccount& Streams::account_of(const StreamName& name) {
  StreamAccount& account = accounts_[first_of(name)];
  account.account = first_of(name);
  return account;
}

void Streams::handle(CallId call, DescribeAccount& command, Instant now) {
  context_.reply(call, AccountDescription{account_of(command.stream), now});
}

void Streams::handle(CallId call, UpdateAccount& command, Instant now) {
  StreamAccount& account = account_of(command.stream);
  if (command.commitment_enabled) {
    const bool running = account.commitment_enabled || (account.ended && *account.ended > now);
    account.commitment_enabled = true;
    account.ended.reset();
    if (!running) {
      account.started = now;
      account.earliest_end = now + kinesis_limits::day;
    }
  } else if (account.commitment_enabled) {
    // Until a day is over it goes on, and then ends by itself.
    account.commitment_enabled = false;
    account.ended = std::max(now, account.earliest_end);
  }
  context_.promise(PutStreamAccount{account});
  context_.reply(call, AccountDescription{account, now});
}

}  // namespace penstock::core
