// Commits, transactions, resets and questions about lag in the simulated world, and what each answer is held against.
#include <algorithm>

#include "consumer_world.hpp"
#include "penstock/stream_names.hpp"

namespace penstock::sim {

namespace {

constexpr std::string_view shard_end = "SHARD_END";
/// For so long a client that got no answer tries again: the key is remembered longer.
constexpr Millis patience{200'000};

}  // namespace

// ---- Positions.

/// What a member may say of what it has processed: of each shard the latest record, or else of some any one.
std::vector<GivenPosition> ConsumerWorld::positions_of(const Client& client, const Stream& stream, bool latest) {
  std::vector<GivenPosition> positions;
  for (const auto& [index, done] : client.done) {
    if (!stream.ledger.knows(index) || (!latest && random_.one_in(3))) continue;
    const RecordLedger::Shard& shard = stream.ledger.shard(index);
    if (done.records.empty()) {
      if (done.ends) positions.push_back({format_shard_id(index), done.epoch, std::string(shard_end), {}, {}});
      continue;
    }
    const std::size_t chosen = latest ? done.records.size() - 1 : random_.below(done.records.size());
    const auto& [record, arrived] = done.records[chosen];
    GivenPosition& position = positions.emplace_back();
    position.shard_id = format_shard_id(index);
    position.epoch = done.epoch;
    if (!is_calm_ && !is_draining_ && random_.one_in(25)) position.epoch += random_.one_in(2) ? 1 : -1;
    position.sequence_number = format_sequence_number(record_number(index, shard.created_s, record, arrived));
    const bool is_all = shard.closed && RecordIndex{record.value + 1} == shard.tail();
    if (is_all && random_.one_in(2)) {
      position.sequence_number = shard_end;
    } else if (!latest && random_.one_in(5)) {
      position.sub_sequence_number = random_.below(4);
    }
    if (random_.one_in(5)) position.metadata = "meta" + std::to_string(++next_name_);
  }
  return positions;
}

std::vector<ModelStep> ConsumerWorld::steps_of(const Stream& stream,
                                               const std::vector<GivenPosition>& positions) const {
  std::vector<ModelStep> steps;
  for (const GivenPosition& each : positions) {
    ModelStep& step = steps.emplace_back(ModelStep{*parse_shard_id(each.shard_id), {}, each.metadata});
    if (each.sequence_number == shard_end) {
      step.position.next = stream.ledger.tail(step.shard);
      continue;
    }
    const SequenceNumber number = *parse_sequence_number(each.sequence_number);
    step.position.next = RecordIndex{number.index.value + (each.sub_sequence_number ? 0 : 1)};
    step.position.sub = each.sub_sequence_number;
  }
  return steps;
}

/// Why positions are refused, if they have to be.
std::optional<ErrorCode> ConsumerWorld::refusal_of(const Consumer& consumer,
                                                   const std::vector<GivenPosition>& positions,
                                                   const std::vector<ModelStep>& steps, bool force) const {
  const ConsumerModel& model = consumer.now->model;
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const ShardIndex shard = steps[i].shard;
    const GroupShard* seen = model.seen(shard);
    if (seen == nullptr) return ErrorCode::InvalidPosition;
    if (seen->lease.epoch == 0 || seen->lease.epoch != positions[i].epoch) return ErrorCode::LeaseLost;
    if (is_busy(consumer, shard)) return ErrorCode::ConsumerBusy;
    if (positions[i].sequence_number == shard_end && !seen->closed) return ErrorCode::InvalidPosition;
    if (!force && is_behind(steps[i].position, model.of(shard).position)) return ErrorCode::PositionConflict;
  }
  return std::nullopt;
}

// ---- Commits.

void ConsumerWorld::commit(const ClientPtr& client, bool latest) {
  ready();
  Consumer& consumer = consumers_[client->consumer];
  CommitGroup command{stream_of(consumer).name, consumer.name, positions_of(*client, stream_of(consumer), latest)};
  if (!is_calm_ && !is_draining_) {
    command.force = random_.one_in(latest ? 8 : 2);
    if (random_.one_in(3)) command.key = "key" + std::to_string(++next_name_);
    if (client->committed && random_.one_in(5)) command = *client->committed;
  }
  if (command.positions.empty()) return;
  client->committed = command;
  OpenCall call;
  std::optional<ErrorCode> expected;
  bool repeats = false;
  if (!consumer.now) {
    expected = ErrorCode::ConsumerNotFound;
  } else {
    const auto key = consumer.now->model.keys.find(command.key);
    repeats = key != consumer.now->model.keys.end() && key->second.at + group_limits::key_life > clock_;
    const auto steps = steps_of(stream_of(consumer), command.positions);
    if (!repeats) expected = refusal_of(consumer, command.positions, steps, command.force);
  }
  call.decide = [this, &consumer, command, expected, repeats](const Result& result) {
    const auto* committed = answer<GroupCommitted>(result);
    if (committed == nullptr) {
      const Error& error = *answer<Error>(result);
      if (expected != error.code) broken("a commit was refused: " + error.message);
      return;
    }
    if (expected) return broken("a commit was taken that had to be refused");
    if (committed->repeated != repeats) return broken("a commit does not know whether it is repeated");
    if (!repeats) on_committed(consumer, command);
  };
  call.check = [this, client, command, latest](const Result& result) {
    if (const auto* error = answer<Error>(result)) {
      count("refused commits");
      if (error->code != ErrorCode::ConsumerBusy) client->done.clear();
      return;
    }
    count("commits");
    if (!latest) return;
    for (const GivenPosition& each : command.positions) client->done.erase(*parse_shard_id(each.shard_id));
  };
  issue(std::move(command), std::move(call));
  observe();
}

void ConsumerWorld::on_committed(Consumer& consumer, const CommitGroup& command) {
  Incarnation& incarnation = *consumer.now;
  for (const ModelStep& step : steps_of(stream_of(consumer), command.positions)) {
    if (is_behind(step.position, incarnation.model.of(step.shard).position)) count("forced back");
    const std::string owner = incarnation.model.seen(step.shard)->lease.owner;
    incarnation.model.move_to(step);
    if (incarnation.model.has_member(owner)) heard(incarnation, owner);
  }
  if (!command.key.empty()) incarnation.model.keys[command.key] = CommitKey{command.key, clock_, {}};
}

// ---- Transactions.

void ConsumerWorld::transact(const ClientPtr& client) {
  ready();
  Consumer& consumer = consumers_[client->consumer];
  if (!consumer.now) return;
  const auto transaction = std::make_shared<Transacted>();
  transaction->consumer = client->consumer;
  transaction->incarnation = consumer.now;
  transaction->asked_at = clock_;
  TransactGroup& command = transaction->command;
  command.stream = stream_of(consumer).name;
  command.group = consumer.name;
  command.positions = positions_of(*client, stream_of(consumer), true);
  if (command.positions.empty()) return;
  command.target = target().name;
  if (!is_calm_ && random_.one_in(15)) command.target.name = "nowhere";
  const std::string name = "t" + std::to_string(++next_name_);
  for (std::uint64_t i = 1 + random_.below(3); i > 0; --i) {
    command.entries.push_back({name, name + "/" + std::to_string(i), {random_.next(), random_.next()}});
  }
  if (!random_.one_in(3)) command.key = "key" + std::to_string(++next_name_);
  transactions_.push_back(transaction);
  client->transaction = transaction;
  try_transaction(client, transaction);
}

std::optional<ErrorCode> ConsumerWorld::refusal_of(const Consumer& consumer, const Transacted& transaction) const {
  const TransactGroup& command = transaction.command;
  const bool is_under_way = std::ranges::any_of(transactions_, [&](const TransactedPtr& each) {
    return each->is_open && each->incarnation == consumer.now && each->command.key == command.key;
  });
  if (is_under_way && !command.key.empty()) return ErrorCode::ConsumerBusy;
  const auto steps = steps_of(stream_of(consumer), command.positions);
  if (const auto refusal = refusal_of(consumer, command.positions, steps, false)) return refusal;
  const bool goes_forward = std::ranges::any_of(steps, [&](const ModelStep& step) {
    return is_behind(consumer.now->model.of(step.shard).position, step.position);
  });
  if (!goes_forward) return ErrorCode::PositionConflict;
  return std::nullopt;
}

/// The first time, or again because there was no answer.
void ConsumerWorld::try_transaction(const ClientPtr& client, const TransactedPtr& transaction) {
  ready();
  Consumer& consumer = consumers_[transaction->consumer];
  const bool is_over = consumer.now != transaction->incarnation || transaction->asked_at + patience < latest_clock_;
  if (is_over) return client->transaction.reset();
  const auto key = consumer.now->model.keys.find(transaction->command.key);
  const bool repeats = key != consumer.now->model.keys.end() && key->second.at + group_limits::key_life > clock_;
  const auto expected = repeats ? std::nullopt : refusal_of(consumer, *transaction);
  // Positions may have been set back since, and then it would be another.
  if (transaction->took_effect && !repeats && !expected) return client->transaction.reset();
  if (transaction->took_effect) count("transactions tried again");
  const CallId id{next_call_ + 1};
  if (!repeats && !expected) {
    transaction->is_open = true;
    transaction->call = id;
    transaction->begun = clock_;
    transaction->settled_turn = 0;
    transaction->put.clear();
    transaction->steps = steps_of(stream_of(consumer), transaction->command.positions);
  }
  OpenCall call;
  call.decide = [this, transaction, expected, repeats](const Result& result) {
    on_transacted(transaction, expected, repeats, result);
  };
  call.check = [this, client, transaction, id](const Result& result) {
    const auto* error = answer<Error>(result);
    if (error == nullptr) {
      count("transactions");
      transaction->was_told = true;
      for (const RecordPut& put : transaction->put) target().ledger.acknowledged(put);
    }
    if (client->open != id) return;
    client->open.reset();
    if (loses_answers() || (error != nullptr && error->code == ErrorCode::ConsumerBusy)) return;
    client->transaction.reset();
    client->done.clear();
  };
  client->open = id;
  issue(transaction->command, std::move(call));
  observe();
}

void ConsumerWorld::on_transacted(const TransactedPtr& transaction, const std::optional<ErrorCode>& expected,
                                  bool repeats, const Result& result) {
  const auto* done = answer<GroupTransacted>(result);
  if (done == nullptr) {
    const Error& error = *answer<Error>(result);
    const bool has_no_target =
        !expected && error.code == ErrorCode::KinesisResourceNotFound && transaction->command.target != target().name;
    if (expected != error.code && !has_no_target) broken("a transaction was refused: " + error.message);
    return;
  }
  if (expected) return broken("a transaction was taken that had to be refused");
  if (done->repeated != repeats) return broken("a transaction does not know whether it is repeated");
  if (done->put != transaction->put) return broken("a transaction does not say where its records are");
}

void ConsumerWorld::accept_transaction(Transaction transaction) {
  ready();
  const auto found = std::ranges::find(transactions_, transaction.call, [](const auto& each) { return each->call; });
  if (found == transactions_.end() || !(*found)->is_open) return broken("a transaction that nobody asked for");
  OpenCall call;
  call.decide = [this, its = *found](const Result& result) {
    const auto* put = answer<RecordsPut>(result);
    if (put == nullptr) return;
    for (std::size_t i = 0; i < put->entries.size(); ++i) {
      const auto& place = std::get<RecordPut>(put->entries[i]);
      its->put.push_back(place);
      hold(target().ledger.put({its->command.entries[i].data, its->command.entries[i].partition_key}, place, clock_));
    }
  };
  call.check = [this, its = *found, origin = transaction.origin](const Result& result) {
    TransactionSettled settled{origin, its->call};
    if (const auto* error = answer<Error>(result)) settled.failure = *error;
    settled.put = its->put;
    errands_.emplace_back([this, its, settled] { settle_transaction(its, settled); });
  };
  issue(std::move(transaction.accept), std::move(call));
  observe();
}

void ConsumerWorld::settle_transaction(const TransactedPtr& transaction, const TransactionSettled& settled) {
  ready();
  Incarnation& incarnation = *transaction->incarnation;
  transaction->is_open = false;
  transaction->settled_turn = last_turn_ + 1;
  transaction->took_effect = !settled.failure;
  for (const ModelStep& step : transaction->steps) {
    const GroupShard* seen = incarnation.model.seen(step.shard);
    // Retention may have taken the shard meanwhile.
    if (seen == nullptr) continue;
    if (!settled.failure) incarnation.model.move_to(step);
    if (incarnation.model.has_member(seen->lease.owner)) heard(incarnation, seen->lease.owner);
  }
  const std::string& key = transaction->command.key;
  if (!settled.failure && !key.empty()) incarnation.model.keys[key] = {key, transaction->begun, settled.put};
  issue(settled, {});
  observe();
}

// ---- Resets.

void ConsumerWorld::reset(Consumer& consumer) {
  ready();
  if (!consumer.now) return;
  const Stream& stream = stream_of(consumer);
  ResetGroup command{stream.name, consumer.name};
  command.dry_run = random_.one_in(2);
  const std::uint64_t type = random_.below(5);
  command.to.type = static_cast<IteratorType>(type);
  std::vector<ShardIndex> shards;
  for (const GroupShard& each : consumer.now->model.view().shards) {
    if (!stream.ledger.shard(each.shard).records.empty()) shards.push_back(each.shard);
  }
  if (command.to.type == IteratorType::at_timestamp) {
    command.to.timestamp = std::min(now_, clock_) - Millis{static_cast<std::int64_t>(random_.below(20'000))};
  } else if (command.to.type != IteratorType::trim_horizon && command.to.type != IteratorType::latest) {
    if (shards.empty()) return;
    const ShardIndex index = shards[random_.below(shards.size())];
    const RecordLedger::Shard& shard = stream.ledger.shard(index);
    const std::size_t at = random_.below(shard.records.size());
    command.shard_id = format_shard_id(index);
    command.to.sequence_number =
        format_sequence_number(record_number(index, shard.created_s, RecordIndex{at + 1}, shard.records[at].arrived));
  }
  const bool busy = is_busy(consumer);
  OpenCall call;
  call.decide = [this, &consumer, command, busy](const Result& result) {
    const auto* error = answer<Error>(result);
    if (error != nullptr && (!busy || error->code != ErrorCode::ConsumerBusy)) broken("a reset: " + error->message);
    if (error == nullptr && busy) broken("a reset in a transaction");
    if (error == nullptr) on_reset(consumer, command, *answer<GroupReset>(result));
  };
  call.check = [this, dry = command.dry_run](const Result& result) {
    if (answer<Error>(result) == nullptr) count(dry ? "dry runs" : "resets");
  };
  issue(std::move(command), std::move(call));
  observe();
}

void ConsumerWorld::on_reset(Consumer& consumer, const ResetGroup& command, const GroupReset& reset) {
  const IncarnationPtr incarnation = consumer.now;
  ConsumerModel& model = incarnation->model;
  if (reset.dry_run != command.dry_run) return broken("a reset does not know whether it is one");
  if (command.shard_id.empty() && reset.shards.size() != model.view().shards.size()) {
    return broken("a reset leaves shards out");
  }
  for (const ShardReset& step : reset.shards) {
    hold(check_reset(stream_of(consumer), command, step));
    if (command.dry_run) continue;
    const ShardIndex shard = step.shard.shard;
    model.pass_over(shard, step.to);
    model.of(shard).position = step.to;
    model.of(shard).read = model.of(shard).frontier = step.to.next;
    for (std::size_t i = step.to.next.value; i <= model.fates(shard).size(); ++i)
      model.fates(shard)[i - 1].counted = false;
    model.order_is_over();
    after_probe_.emplace_back([this, incarnation, shard, epoch = model.epoch_of(shard)] {
      // An ephemeral one may be over with its last reader.
      const bool is_fenced = incarnation->deleted || incarnation->model.epoch_of(shard) > epoch;
      if (!is_fenced) broken("a reset leaves an epoch as it was");
    });
  }
}

/// What a reset passes over is older than where it is to go, or gone.
std::string ConsumerWorld::check_reset(const Stream& stream, const ResetGroup& command, const ShardReset& step) const {
  const ShardIndex index = step.shard.shard;
  const RecordIndex tail = stream.ledger.tail(index);
  if (step.to.next > tail) return "a reset goes behind the end of a shard";
  std::uint64_t wanted = 1;
  switch (command.to.type) {
    case IteratorType::latest:
      return step.to.next == tail ? "" : "a reset to LATEST goes elsewhere";
    case IteratorType::at_timestamp:
      if (step.to.not_before != *command.to.timestamp) return "a reset to a time forgets it";
      break;
    case IteratorType::trim_horizon:
      break;
    case IteratorType::at_sequence_number:
    case IteratorType::after_sequence_number:
      wanted = parse_sequence_number(*command.to.sequence_number)->index.value;
      if (command.to.type == IteratorType::after_sequence_number) ++wanted;
      break;
  }
  if (step.to.next.value < wanted) return "a reset goes back too far";
  for (std::uint64_t i = wanted; i < step.to.next.value; ++i) {
    const Instant arrived = stream.ledger.shard(index).find(RecordIndex{i})->arrived;
    if (arrived < step.to.not_before || arrived <= RecordLedger::expired_by(latest_clock_)) continue;
    return "a reset passes over " + place_of(index, RecordIndex{i});
  }
  return {};
}

// ---- Lag.

void ConsumerWorld::ask_for_lag(Consumer& consumer) {
  ready();
  if (!consumer.now) return;
  const IncarnationPtr incarnation = consumer.now;
  OpenCall call;
  call.decide = [this, incarnation, &stream = stream_of(consumer)](const Result& result) {
    const auto* lag = answer<GroupLag>(result);
    if (lag == nullptr) return broken("lag was answered with something else");
    if (lag->shards.size() != incarnation->model.view().shards.size()) return broken("lag leaves shards out");
    for (const ShardLag& each : lag->shards) {
      const ConsumerShard& own = incarnation->model.of(each.shard.shard);
      if (each.shard.lease.position.next != own.position.next) return broken("lag is of another position");
      if (each.page.until != stream.ledger.tail(each.page.shard)) return broken("lag does not know a shard's end");
    }
  };
  call.check = [this, incarnation](const Result& result) {
    const auto lag = std::make_shared<GroupLag>(*answer<GroupLag>(result));
    readings_.push_back({[this, incarnation, lag] {
      for (ShardLag& each : lag->shards) {
        if (!read_page(each.page)) return false;
        if (incarnation->deleted || !incarnation->model.ledger().knows(each.page.shard)) continue;
        // From the first that is there on, all are to come; those before it are lost.
        hold(incarnation->model.missed(each.shard.lease.position, each.page, latest_clock_));
        if (each.page.records.empty() && each.page.next != each.page.until) broken("lag without a record");
      }
      count("lags");
      return true;
    }});
  };
  issue(DescribeLag{stream_of(consumer).name, consumer.name, {}, group_limits::list_max}, std::move(call));
  observe();
}

}  // namespace penstock::sim
