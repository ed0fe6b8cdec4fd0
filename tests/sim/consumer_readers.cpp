// Readers of the simulated world, which follow a consumer by GetShardIterator and GetRecords alone.
#include <algorithm>

#include "consumer_world.hpp"
#include "penstock/stream_names.hpp"

namespace penstock::sim {

namespace {

constexpr std::size_t readers_max = 4;

}  // namespace

void ConsumerWorld::act_as_reader() {
  if (readers_.empty() || (readers_.size() < readers_max && random_.one_in(6))) return start_reading();
  const std::size_t chosen = random_.below(readers_.size());
  const ReaderPtr reader = readers_[chosen];
  // It may stop at any moment, and nobody hears of it.
  if (random_.one_in(20)) {
    readers_.erase(readers_.begin() + static_cast<std::ptrdiff_t>(chosen));
  } else if (reader->at && !reader->open) {
    read_on(reader);
  }
}

void ConsumerWorld::start_reading() {
  ready();
  const auto reader = std::make_shared<Reader>();
  reader->consumer = random_.below(consumers_.size());
  Consumer& consumer = consumers_[reader->consumer];
  if (!consumer.now || consumer.now->model.view().shards.empty()) return;
  reader->incarnation = consumer.now;
  const std::vector<GroupShard>& shards = consumer.now->model.view().shards;
  const GroupShard before = shards[random_.below(shards.size())];
  reader->shard = before.shard;
  if (random_.one_in(2)) reader->name = "r" + std::to_string(random_.below(3));
  GetShardIterator command{stream_of(consumer).name, format_shard_id(before.shard)};
  command.reader = GroupReader{consumer.name, reader->name};
  command.start.type = random_.one_in(2) ? IteratorType::trim_horizon : IteratorType::latest;
  const RecordLedger::Shard& shard = stream_of(consumer).ledger.shard(before.shard);
  if (random_.one_in(6) && !shard.records.empty()) {
    const std::size_t at = random_.below(shard.records.size());
    command.start.type = IteratorType::at_sequence_number;
    command.start.sequence_number = format_sequence_number(
        record_number(before.shard, shard.created_s, RecordIndex{at + 1}, shard.records[at].arrived));
  }
  const std::string name = reader->name.empty() ? "default" : reader->name;
  const bool is_its = before.lease.session == 0 && before.lease.owner == name;
  const bool is_free = before.lease.owner.empty() || is_its;
  const bool is_busy_now = is_busy(consumer, before.shard);
  OpenCall call;
  call.decide = [this, reader, command, before, is_free, is_busy_now](const Result& result) {
    const auto* error = answer<Error>(result);
    if (error == nullptr) {
      if (is_busy_now || before.lease.session != 0) return broken("a reader got a shard that another holds");
      return on_started(reader, command, before, *answer<ShardPosition>(result));
    }
    // A closed shard that has expired has no iterators, though a consumer may have to do with it for a moment.
    if (error->code == ErrorCode::KinesisResourceNotFound && before.closed) return;
    // A reader that stopped reading is known by its time alone.
    const bool may_fail = !is_free || is_busy_now;
    if (error->code != ErrorCode::KinesisThroughputExceeded || !may_fail) {
      broken("a reader got no iterator: " + error->message);
    }
    count("held against readers");
  };
  call.check = [this, reader](const Result& result) {
    const auto* at = answer<ShardPosition>(result);
    if (at == nullptr) return;
    const std::string holder = "a reader's iterator " + std::to_string(++next_name_);
    hold(reader->incarnation->model.told(at->shard, at->hold->epoch, holder));
    reader->at = *at;
    readers_.push_back(reader);
    count("readers");
  };
  issue(std::move(command), std::move(call));
  observe();
}

void ConsumerWorld::on_started(const ReaderPtr& reader, const GetShardIterator& command, const GroupShard& before,
                               const ShardPosition& at) {
  ConsumerModel& model = reader->incarnation->model;
  ConsumerShard& own = model.of(before.shard);
  model.order_is_over();
  if (!at.hold || at.hold->commits) return broken("a reader's first iterator does not say under which lease it reads");
  if (at.hold->epoch <= before.lease.epoch) broken("a reader's epoch has not grown");
  const bool resumes = command.start.type != IteratorType::at_sequence_number;
  reader->begun = resumes ? RecordIndex{} : at.from;
  if (!resumes) return;
  if (at.from < own.position.next) return broken("a reader starts before its consumer's position");
  for (std::uint64_t i = own.position.next.value; i < at.from.value; ++i) {
    const LedgerRecord& record = *model.ledger().shard(before.shard).find(RecordIndex{i});
    const bool is_old = record.arrived < own.position.not_before;
    if (!is_old && record.arrived > RecordLedger::expired_by(latest_clock_)) return broken("a reader starts too late");
  }
  pass_lost(model, before.shard, at.from);
}

void ConsumerWorld::read_on(const ReaderPtr& reader) {
  ready();
  Consumer& consumer = consumers_[reader->consumer];
  const ShardPosition at = *reader->at;
  const IncarnationPtr incarnation = consumer.now;
  std::optional<ErrorCode> expected;
  const GroupShard* seen = incarnation ? incarnation->model.seen(at.shard) : nullptr;
  const bool is_of_another = incarnation != reader->incarnation;
  // Where a consumer is deleted and created again within a millisecond, which never happens but here.
  if (is_of_another && seen != nullptr && seen->lease.epoch == at.hold->epoch) return;
  const bool is_gone = is_of_another || seen == nullptr;
  if (is_gone || seen->lease.session != 0 || seen->lease.owner.empty() || seen->lease.epoch != at.hold->epoch) {
    expected = ErrorCode::KinesisExpiredIterator;
  } else if (is_busy(consumer, at.shard)) {
    expected = ErrorCode::KinesisThroughputExceeded;
  } else {
    ConsumerModel& model = incarnation->model;
    ConsumerShard& own = model.of(at.shard);
    if (at.hold->commits && at.from > own.position.next) {
      model.pass_over(at.shard, {.next = reader->begun});
      own.position = GroupPosition{.next = at.from, .at_s = at.hold->at_s};
      own.read = at.from;
      count("commits by iterators");
    }
  }
  const CallId id{next_call_ + 1};
  OpenCall call;
  call.decide = [this, expected, at, incarnation, is_missing = seen == nullptr](const Result& result) {
    const auto* error = answer<Error>(result);
    if (is_missing && error != nullptr) return;
    if (expected.has_value() != (error != nullptr) || (error != nullptr && error->code != *expected)) {
      return broken("a reader is not answered as it has to be" + (error == nullptr ? "" : ": " + error->message));
    }
    if (error == nullptr) on_read_decided(*incarnation, at, *answer<RecordsPage>(result));
  };
  call.check = [this, reader, id](const Result& result) {
    if (reader->open != id) return;
    const auto* page = answer<RecordsPage>(result);
    if (page != nullptr && !loses_answers()) return on_read(reader, id, *page);
    reader->open.reset();
    if (page != nullptr || answer<Error>(result)->code == ErrorCode::KinesisThroughputExceeded) return;
    count("fenced readers");
    std::erase(readers_, reader);
  };
  reader->open = id;
  issue(GetRecords{stream_of(consumer).name, at.id, at.shard, at.from, at.not_before, 1 + random_.below(5), at.hold},
        std::move(call));
  observe();
}

/// What retention has taken of what is next is counted as soon as a reader comes upon it.
void ConsumerWorld::pass_lost(ConsumerModel& model, ShardIndex shard, RecordIndex head) {
  ConsumerShard& own = model.of(shard);
  if (own.position.next >= head) return;
  own.frontier = std::max(own.frontier, own.position.next);
  model.count_lost(shard, head, true);
  own.position = GroupPosition{.next = head, .not_before = own.position.not_before};
  own.read = head;
}

void ConsumerWorld::on_read_decided(Incarnation& incarnation, const ShardPosition& at, const RecordsPage& page) {
  if (at.from == incarnation.model.of(at.shard).position.next) pass_lost(incarnation.model, at.shard, page.from);
}

void ConsumerWorld::on_read(const ReaderPtr& reader, CallId call, RecordsPage page) {
  const auto filled = std::make_shared<RecordsPage>(std::move(page));
  readings_.push_back({[this, reader, call, filled] {
    if (!read_page(*filled)) return false;
    if (reader->open != call) return true;
    reader->open.reset();
    if (reader->incarnation->deleted || consumers_[reader->consumer].now != reader->incarnation) return true;
    ConsumerModel& model = reader->incarnation->model;
    hold(model.missed({.next = reader->at->from, .not_before = reader->at->not_before}, *filled, latest_clock_));
    for (const ReadRecord& read : filled->records) hold(model.processed(filled->shard, read, false));
    count("read by iterators", filled->records.size());
    if (filled->records.empty() && filled->ends_shard() && reader->at->hold->commits) {
      std::erase(readers_, reader);
      return true;
    }
    // What the protocol makes of it: the next iterator.
    if (!filled->records.empty()) {
      const Instant arrived = filled->records.back().record.arrived;
      reader->at->hold->at_s = std::chrono::floor<std::chrono::seconds>(arrived).time_since_epoch().count();
    } else if (filled->next != reader->at->from) {
      reader->at->hold->at_s = 0;
    }
    reader->at->hold->commits = true;
    reader->at->from = filled->next;
    return true;
  }});
}

}  // namespace penstock::sim
