// What the members of the simulated consumers do: they join, poll, process, are late, die, and come back too late.
#include <algorithm>

#include "consumer_world.hpp"
#include "penstock/stream_names.hpp"

namespace penstock::sim {

namespace {

constexpr std::uint64_t names_max = 6;
constexpr std::size_t done_max = 30;

std::string holder_of(const std::string& member, std::uint64_t session) {
  return member + " in session " + std::to_string(session);
}

std::int64_t seconds_of(Instant at) { return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count(); }

}  // namespace

// ---- Consumers come and go.

GroupStart ConsumerWorld::random_start(const Stream& stream) {
  GroupStart start;
  const std::uint64_t choice = random_.below(8);
  if (choice < 4) {
    start.from.type = IteratorType::trim_horizon;
  } else if (choice < 6) {
    start.from.type = IteratorType::latest;
  } else if (choice < 7) {
    start.from.type = IteratorType::at_timestamp;
    start.from.timestamp = std::min(clock_, now_) - Millis{static_cast<std::int64_t>(random_.below(20'000))};
  } else {
    start.from.type = IteratorType::trim_horizon;
    for (const auto& [index, shard] : stream.ledger.shards()) {
      if (shard.records.empty() || shard.closed || random_.one_in(2)) continue;
      const std::size_t last = random_.below(shard.records.size());
      const SequenceNumber number =
          record_number(index, shard.created_s, RecordIndex{last + 1}, shard.records[last].arrived);
      start.positions.push_back({format_shard_id(index), 0, format_sequence_number(number), {}, {}});
    }
  }
  return start;
}

void ConsumerWorld::create_consumer(Consumer& consumer) {
  ready();
  CreateGroup command{stream_of(consumer).name, consumer.name, random_start(stream_of(consumer))};
  command.lease = Millis{1'000 + static_cast<std::int64_t>(random_.below(8'000))};
  command.mode = random_.one_in(2) ? CommitMode::on_poll : CommitMode::on_commit;
  command.ephemeral = random_.one_in(6);
  const auto incarnation =
      std::make_shared<Incarnation>(ConsumerModel(stream_of(consumer).ledger, GroupInfo{.name = consumer.name}));
  OpenCall call;
  call.decide = [this, &consumer, incarnation, command](const Result& result) {
    const auto* made = answer<GroupDescription>(result);
    if (made == nullptr) return broken("a consumer could not be created: " + answer<Error>(result)->message);
    if (!made->created) return broken("a consumer that is new was there before");
    hold(incarnation->model.created(*made));
    for (const GivenPosition& given : command.start.positions) {
      const ShardIndex shard = *parse_shard_id(given.shard_id);
      const RecordIndex next{parse_sequence_number(given.sequence_number)->index.value + 1};
      if (incarnation->model.of(shard).position.next != next)
        return broken("a consumer begins elsewhere than it was to");
    }
    consumer.now = incarnation;
    consumer.candidates.push_back(incarnation);
    // Until somebody joins, an ephemeral one waits for its lease time.
    incarnation->heard[""] = clock_;
  };
  call.check = [this, incarnation](const Result&) {
    incarnation->created_told = true;
    count("created");
  };
  issue(std::move(command), std::move(call));
  observe();
}

void ConsumerWorld::delete_consumer(Consumer& consumer) {
  ready();
  if (!consumer.now) return;
  const IncarnationPtr incarnation = consumer.now;
  OpenCall call;
  call.decide = [this, &consumer, incarnation, busy = is_busy(consumer)](const Result& result) {
    const auto* error = answer<Error>(result);
    if (busy != (error != nullptr)) return broken("a consumer was deleted in a transaction, or was not without one");
    if (error != nullptr) return;
    incarnation->deleted = true;
    consumer.now.reset();
  };
  call.check = [this, incarnation](const Result& result) {
    if (answer<Error>(result) != nullptr) return;
    incarnation->deleted_told = true;
    count("deleted");
  };
  issue(DeleteGroup{stream_of(consumer).name, consumer.name}, std::move(call));
  observe();
}

bool ConsumerWorld::is_busy(const Consumer& consumer, ShardIndex shard) const {
  return std::ranges::any_of(transactions_, [&](const TransactedPtr& each) {
    return each->is_open && each->incarnation == consumer.now &&
           std::ranges::find(each->steps, shard, &ModelStep::shard) != each->steps.end();
  });
}

bool ConsumerWorld::is_busy(const Consumer& consumer) const {
  return std::ranges::any_of(
      transactions_, [&](const TransactedPtr& each) { return each->is_open && each->incarnation == consumer.now; });
}

// ---- Members.

void ConsumerWorld::spawn(std::size_t consumer) {
  std::string name = "m" + std::to_string(random_.below(names_max));
  const bool is_taken = std::ranges::any_of(
      clients_, [&](const ClientPtr& each) { return !each->gone && each->consumer == consumer && each->name == name; });
  if (is_calm_ && is_taken) return;
  const auto client = std::make_shared<Client>();
  client->consumer = consumer;
  client->name = std::move(name);
  clients_.push_back(client);
  poll(client, Millis{0}, 1 + random_.below(5));
}

void ConsumerWorld::act_as(const ClientPtr& client) {
  if (client->open) {
    if (!is_calm_ && random_.one_in(8)) give_up(client);
    return;
  }
  if (client->sleeps_until > now_) return;
  process(client);
  if (client->transaction) return try_transaction(client, client->transaction);
  const IncarnationPtr& present = consumers_[client->consumer].now;
  // Epochs tell one lease of a consumer from the next, and not one consumer from another with its name.
  if (!present || !client->token || client->token->group != present->model.info().id) {
    client->done.clear();
    client->committed.reset();
  }
  const std::uint64_t choice = random_.below(100);
  const bool on_commit = present && !present->model.is_on_poll();
  if (client->token && choice < 8) return heartbeat(client);
  if (client->token && choice < 11) {
    if (is_calm_ && on_commit && !client->done.empty()) return commit(client, true);
    return leave(client, is_calm_ || !random_.one_in(4));
  }
  if (client->token && choice < 24) return commit(client, is_calm_);
  if (client->token && choice < 34) return transact(client);
  if (!is_calm_ && choice < 40) return rest(client);
  if (!is_calm_ && choice < 43) return end(client);
  if (!is_calm_ && choice < 46) {
    // Its name starts anew, and it may be there all the same.
    const auto other = std::make_shared<Client>();
    other->consumer = client->consumer;
    other->name = client->name;
    clients_.push_back(other);
    if (random_.one_in(2)) client->gone = true;
    return poll(other, Millis{0}, 1 + random_.below(5));
  }
  if (on_commit && !client->done.empty() && (is_calm_ || choice < 75)) return commit(client, true);
  poll(client, random_.one_in(2) ? Millis{0} : Millis{static_cast<std::int64_t>(random_.below(6'000))},
       1 + random_.below(6));
}

void ConsumerWorld::rest(const ClientPtr& client) {
  count("rests");
  client->sleeps_until = now_ + Millis{static_cast<std::int64_t>(random_.below(20'000))};
}

/// Its connection breaks before the answer: it asks again with what it has.
void ConsumerWorld::give_up(const ClientPtr& client) {
  const CallId call = *client->open;
  client->open.reset();
  count("given up");
  const auto found = calls_.find(call);
  if (found == calls_.end() || found->second.decided || found->second.answered_by == Instant{}) return;
  if (random_.one_in(2)) return;
  // The server sees that the connection has gone.
  const Consumer& consumer = consumers_[client->consumer];
  ready();
  if (calls_.at(call).decided) return;
  if (consumer.now) --consumer.now->polls[client->name];
  calls_.erase(call);
  clock_ = std::max(clock_, now_);
  engine_->apply(CallId{}, StreamCommand{CancelPoll{stream_of(consumer).name, consumer.name, call}}, now_);
  observe();
}

// ---- Polls.

/// Why a poll is refused, if it has to be.
std::optional<ErrorCode> ConsumerWorld::refusal_of_poll(const Consumer& consumer, const Client& client) const {
  if (!consumer.now) return ErrorCode::ConsumerNotFound;
  const Incarnation& incarnation = *consumer.now;
  const ConsumerModel& model = incarnation.model;
  const bool is_member = model.has_member(client.name);
  const bool is_of_this = client.token && client.token->group == model.info().id;
  if (client.token && is_member) {
    const auto session = incarnation.sessions.find(client.name);
    const bool is_its = session != incarnation.sessions.end() && session->second == client.token->session;
    if (!is_of_this || !is_its) return ErrorCode::MemberReplaced;
  }
  const auto touches_busy = [&](const HandedOut& handed) {
    return is_busy(consumer, handed.shard) && model.epoch_of(handed.shard) == handed.epoch;
  };
  if (is_of_this && std::ranges::any_of(client.token->handed, touches_busy)) return ErrorCode::ConsumerBusy;
  if (!client.token && is_member && holds_busy(consumer, client.name)) return ErrorCode::ConsumerBusy;
  return std::nullopt;
}

/// Whether a member holds a shard that a transaction is about to write.
bool ConsumerWorld::holds_busy(const Consumer& consumer, const std::string& member) const {
  const auto session = consumer.now->sessions.find(member);
  if (session == consumer.now->sessions.end()) return false;
  return std::ranges::any_of(consumer.now->model.view().shards, [&](const GroupShard& shard) {
    // One that has joined anew has nothing of what its name had.
    return shard.lease.owner == member && shard.lease.session == session->second && is_busy(consumer, shard.shard);
  });
}

void ConsumerWorld::poll(const ClientPtr& client, Millis wait, std::size_t count_max) {
  ready();
  Consumer& consumer = consumers_[client->consumer];
  const IncarnationPtr incarnation = consumer.now;
  const std::optional<ErrorCode> expected = refusal_of_poll(consumer, *client);
  PollGroup command{stream_of(consumer).name, consumer.name, client->name, client->token, wait, count_max, 0};
  command.bytes_max = random_.one_in(4) ? 1 + random_.below(60) : 10'000;
  OpenCall call;
  LostEpochs lost;
  if (!expected) {
    lost = lost_by(*incarnation, *client);
    take_poll(*incarnation, *client);
    if (wait > Millis{0}) call.answered_by = clock_ + std::min(wait, incarnation->model.info().lease / 2);
  }
  call.decide = [this, client, incarnation, expected, lost, count_max](const Result& result) {
    if (!expected) --incarnation->polls[client->name];
    const auto* polled = answer<GroupPolled>(result);
    if (polled == nullptr) return on_poll_refused(incarnation, expected, *answer<Error>(result));
    if (expected) return broken("a poll was answered that had to be refused");
    if (polled->count_max != 0 && polled->count_max != count_max) broken("a poll is answered as if it were another");
    LostEpochs said;
    for (const LostLease& each : polled->lost) said.insert({each.shard, each.epoch});
    if (said != lost) return broken("a poll does not say rightly what was lost");
    hold(check_polled(*incarnation, *client, *polled));
  };
  const CallId id{next_call_ + 1};
  call.check = [this, client, incarnation, id, wait](const Result& result) {
    if (const auto* polled = answer<GroupPolled>(result)) {
      count("polls");
      if (wait > Millis{0} && !polled->batches.empty()) count("polls that waited");
      return on_polled(client, id, incarnation, *polled);
    }
    if (client->open != id) return;
    client->open.reset();
    const ErrorCode code = answer<Error>(result)->code;
    if (code == ErrorCode::ConsumerBusy) return;
    if (code == ErrorCode::MemberReplaced) count("fenced members");
    // It may begin anew.
    client->token.reset();
    client->done.clear();
    client->gone = random_.one_in(2);
  };
  client->open = id;
  issue(std::move(command), std::move(call));
  observe();
}

/// Of what a member's token brings, that which comes under an epoch that is over.
ConsumerWorld::LostEpochs ConsumerWorld::lost_by(const Incarnation& incarnation, const Client& client) {
  LostEpochs lost;
  if (!client.token || client.token->group != incarnation.model.info().id) return lost;
  for (const HandedOut& handed : client.token->handed) {
    const bool is_good =
        incarnation.model.epoch_of(handed.shard) == handed.epoch && incarnation.model.seen(handed.shard) != nullptr;
    if (!is_good) lost.insert({handed.shard, handed.epoch});
  }
  return lost;
}

/// What a poll does before it is answered.
void ConsumerWorld::take_poll(Incarnation& incarnation, const Client& client) {
  ConsumerModel& model = incarnation.model;
  const bool is_member = model.has_member(client.name);
  if (client.token && client.token->group == model.info().id) model.take(*client.token, model.is_on_poll());
  if (!client.token || !is_member) incarnation.sessions[client.name] = 0;
  if (!is_member) count("joins");
  if (is_member && !client.token) count("replaced members");
  // Of one that nobody had joined.
  incarnation.heard.erase("");
  heard(incarnation, client.name);
  incarnation.answered[client.name] = clock_;
  ++incarnation.polls[client.name];
}

void ConsumerWorld::on_poll_refused(const IncarnationPtr& incarnation, const std::optional<ErrorCode>& expected,
                                    const Error& error) {
  if (expected == error.code) return;
  // One that waited may be over since.
  const bool is_over = error.code == ErrorCode::MemberReplaced || error.code == ErrorCode::ConsumerNotFound;
  if (expected || !is_over) return broken("a poll failed: " + error.message);
  after_probe_.emplace_back([this, incarnation, code = error.code] {
    if (code == ErrorCode::ConsumerNotFound && !incarnation->deleted) broken("a poll finds no consumer");
  });
}

/// What a poll's answer says of leases, when it is given.
std::string ConsumerWorld::check_polled(Incarnation& incarnation, const Client& client, const GroupPolled& polled) {
  const ConsumerModel& model = incarnation.model;
  if (polled.member != client.name || polled.group != model.info().id) return "a poll is answered to another";
  const std::uint64_t known = std::exchange(incarnation.sessions[client.name], polled.session);
  if (known != 0 && known != polled.session) return "a member's session has changed";
  heard(incarnation, client.name);
  incarnation.answered[client.name] = clock_;
  for (const GroupBatch& batch : polled.batches) {
    const auto lease = std::ranges::find(polled.leases, batch.page.shard, &HeldLease::shard);
    if (lease == polled.leases.end() || lease->epoch != batch.epoch) return "a batch of a shard that is not held";
    if (lease->revoking) return "a batch of a shard that is to be given up";
    const ConsumerShard& own = model.of(batch.page.shard);
    // One that was granted just now begins where the consumer was.
    const RecordIndex read = batch.epoch == model.epoch_of(batch.page.shard) ? own.read : own.position.next;
    if (batch.position.next != read) {
      return "a batch of " + text_of(batch.page.shard) + " begins at " + std::to_string(batch.position.next.value) +
             ", and its member reads on from " + std::to_string(read.value);
    }
    const RecordIndex tail = model.ledger().tail(batch.page.shard);
    if (batch.page.until != tail) return "a batch does not know its shard's end";
  }
  after_probe_.emplace_back([this, &incarnation, polled] {
    for (const HeldLease& lease : polled.leases) {
      const GroupShard* seen = incarnation.model.seen(lease.shard);
      if (seen == nullptr || seen->lease.epoch != lease.epoch || seen->lease.owner.empty()) continue;
      const bool is_its = seen->lease.owner == polled.member && seen->lease.session == polled.session;
      if (!is_its) broken(text_of(lease.shard) + " is told to one and held by another");
    }
  });
  return {};
}

void ConsumerWorld::on_polled(const ClientPtr& client, CallId call, const IncarnationPtr& incarnation,
                              const GroupPolled& polled) {
  for (const HeldLease& lease : polled.leases) {
    hold(incarnation->model.told(lease.shard, lease.epoch, holder_of(polled.member, polled.session)));
  }
  if (client->open != call || client->gone) return;
  if (loses_answers()) {
    count("lost answers");
    client->open.reset();
    return;
  }
  const auto filled = std::make_shared<GroupPolled>(polled);
  readings_.push_back({[this, client, call, incarnation, filled] {
    std::size_t records = filled->count_max;
    std::size_t bytes = filled->bytes_max;
    std::size_t read = 0;
    for (; read < filled->batches.size() && records > 0 && bytes > 0; ++read) {
      RecordsPage& page = filled->batches[read].page;
      page.count_max = records;
      page.bytes_max = bytes;
      if (!read_page(page)) return false;
      records -= std::min(records, page.records.size());
      bytes -= std::min(bytes, page.bytes);
    }
    filled->batches.resize(read);
    if (client->open != call || client->gone) return true;
    client->open.reset();
    deliver(client, incarnation, std::move(*filled));
    return true;
  }});
}

/// What the protocol makes of an answer: the next token.
void ConsumerWorld::deliver(const ClientPtr& client, const IncarnationPtr& incarnation, GroupPolled polled) {
  GroupToken token{polled.group, polled.session, {}};
  if (client->token && client->token->session != token.session) client->done.clear();
  for (const GroupBatch& batch : polled.batches) {
    const RecordsPage& page = batch.page;
    const std::uint64_t lost = lost_records(batch.position, page);
    // Of a deleted stream's or consumer's there is nothing to tell.
    if (incarnation->deleted) continue;
    hold(incarnation->model.missed(batch.position, page, latest_clock_));
    const std::int64_t at_s = page.records.empty() ? 0 : seconds_of(page.records.back().record.arrived);
    token.handed.push_back(
        {page.shard, batch.epoch, page.next, at_s, first_kept(batch.position, page), batch.position.next});
    if (lost > 0) count("lost records", lost);
  }
  client->token = std::move(token);
  client->unprocessed = std::move(polled);
  if (!is_calm_ && !is_draining_ && random_.one_in(15)) return rest(client);
  process(client);
}

void ConsumerWorld::process(const ClientPtr& client) {
  if (!client->unprocessed) return;
  const GroupPolled polled = *std::exchange(client->unprocessed, std::nullopt);
  Consumer& consumer = consumers_[client->consumer];
  if (!consumer.now || consumer.now->model.info().id != polled.group) return;
  for (const GroupBatch& batch : polled.batches) {
    const RecordsPage& page = batch.page;
    Done& done = client->done[page.shard];
    if (done.epoch != batch.epoch) done = Done{batch.epoch, {}};
    for (const ReadRecord& read : page.records) {
      hold(consumer.now->model.processed(page.shard, read, true));
      done.records.emplace_back(read.index, read.record.arrived);
    }
    done.ends = page.ends_shard();
    if (done.records.size() > done_max) done.records.erase(done.records.begin());
    count("processed", page.records.size());
  }
}

// ---- Other signs of life.

void ConsumerWorld::heartbeat(const ClientPtr& client) {
  ready();
  Consumer& consumer = consumers_[client->consumer];
  const IncarnationPtr incarnation = consumer.now;
  std::optional<ErrorCode> expected = refusal_of_poll(consumer, *client);
  if (expected == ErrorCode::ConsumerBusy) expected.reset();
  if (incarnation && !incarnation->model.has_member(client->name)) expected = ErrorCode::MemberUnknown;
  OpenCall call;
  call.decide = [this, client, incarnation, expected](const Result& result) {
    const auto* polled = answer<GroupPolled>(result);
    if (expected.has_value() == (polled != nullptr)) return broken("a heartbeat is not answered as it has to be");
    if (polled == nullptr) {
      if (answer<Error>(result)->code != *expected) broken("a heartbeat failed: " + answer<Error>(result)->message);
      return;
    }
    if (!polled->batches.empty()) return broken("a heartbeat is answered with records");
    heard(*incarnation, client->name);
  };
  call.check = [this](const Result&) { count("heartbeats"); };
  issue(HeartbeatGroup{stream_of(consumer).name, consumer.name, client->name, *client->token}, std::move(call));
  observe();
}

void ConsumerWorld::leave(const ClientPtr& client, bool commits) {
  ready();
  Consumer& consumer = consumers_[client->consumer];
  const IncarnationPtr incarnation = consumer.now;
  std::optional<ErrorCode> expected = refusal_of_poll(consumer, *client);
  if (expected == ErrorCode::ConsumerBusy) expected.reset();
  if (incarnation && !incarnation->model.has_member(client->name)) expected = ErrorCode::MemberUnknown;
  if (!expected && holds_busy(consumer, client->name)) expected = ErrorCode::ConsumerBusy;
  if (!expected && commits && incarnation->model.is_on_poll()) incarnation->model.take(*client->token, true);
  OpenCall call;
  call.decide = [this, client, incarnation, expected](const Result& result) {
    const auto* error = answer<Error>(result);
    if (expected.has_value() != (error != nullptr) || (error != nullptr && error->code != *expected)) {
      return broken("a member that leaves is not answered as it has to be");
    }
    if (error != nullptr) return;
    incarnation->sessions.erase(client->name);
    incarnation->heard.erase(client->name);
    after_probe_.emplace_back([this, client, incarnation] {
      const bool is_there = !incarnation->deleted && incarnation->model.has_member(client->name);
      if (is_there) broken("a member that left is still there");
    });
  };
  call.check = [this](const Result& result) {
    if (answer<Error>(result) == nullptr) count("leaves");
  };
  issue(LeaveGroup{stream_of(consumer).name, consumer.name, client->name, *client->token, commits}, std::move(call));
  observe();
  if (expected != ErrorCode::ConsumerBusy) client->gone = true;
}

}  // namespace penstock::sim
