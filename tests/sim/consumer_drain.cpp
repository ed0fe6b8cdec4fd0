// The end of a history of consumers: nothing goes wrong any more, members share what there is, and everything is read.
#include <algorithm>

#include "consumer_world.hpp"

namespace penstock::sim {

namespace {

constexpr int rounds_max = 300;
constexpr int quiet_rounds = 10;  ///< more than what a lease lasts
constexpr std::size_t records_max = 1'000;

}  // namespace

std::vector<ConsumerWorld::ClientPtr> ConsumerWorld::members_for(std::size_t consumer, std::size_t members) {
  std::vector<ClientPtr> chosen;
  for (const ClientPtr& client : clients_) {
    if (client->gone || client->consumer != consumer) continue;
    // Where nothing may go wrong, those that are there go on. Others die.
    if (is_calm_) {
      chosen.push_back(client);
    } else {
      client->gone = true;
    }
  }
  while (chosen.size() < members) {
    const auto client = std::make_shared<Client>();
    client->consumer = consumer;
    client->name = "late" + std::to_string(++next_name_);
    clients_.push_back(client);
    chosen.push_back(client);
  }
  return chosen;
}

/// All of them poll, in time, until nothing can be on its way any more.
void ConsumerWorld::converge(std::size_t index, const std::vector<ClientPtr>& members) {
  const Consumer& consumer = consumers_[index];
  std::string before;
  for (int round = 0, quiet = 0; round < rounds_max && quiet < quiet_rounds && broken_.empty(); ++round) {
    for (const ClientPtr& client : members) {
      client->open.reset();
      process(client);
      if (!consumer.now) return;
      if (!consumer.now->model.is_on_poll() && !client->done.empty()) {
        commit(client, true);
        pump();
      }
      // Whatever its answer, it is as good as none.
      client->gone = false;
      poll(client, Millis{0}, records_max);
      pump();
      if (!broken_.empty() || !consumer.now) return;
    }
    // Where nothing may go wrong, nobody waits for anybody's end.
    if (!is_calm_) time_passed(consumer.now->model.info().lease / 4);
    ready();
    std::string present = consumer.now ? consumer.now->model.describe() : "";
    quiet = present == before ? quiet + 1 : 0;
    before = std::move(present);
  }
  pump();
}

void ConsumerWorld::check_shares(const Consumer& consumer, const std::vector<ClientPtr>& members) {
  const ConsumerModel& model = consumer.now->model;
  std::map<std::string, std::size_t> shares;
  for (const ClientPtr& client : members) shares[client->name] = 0;
  std::size_t total = 0;
  for (const GroupShard& shard : model.view().shards) {
    if (model.is_done(shard.shard) || model.is_blocked(shard.shard)) continue;
    ++total;
    if (!shares.contains(shard.lease.owner)) {
      return broken(text_of(shard.shard) + " is held by nobody that polls, but by '" + shard.lease.owner + "'");
    }
    ++shares[shard.lease.owner];
  }
  for (const auto& [name, share] : shares) {
    const bool is_fair = share == total / shares.size() || share == (total + shares.size() - 1) / shares.size();
    if (is_fair) continue;
    return broken("member " + name + " has " + std::to_string(share) + " of " + std::to_string(total) +
                  " shards, and there are " + std::to_string(shares.size()) + " members");
  }
}

void ConsumerWorld::drain() {
  is_draining_ = true;
  readers_.clear();
  // Also clears a failure that is still to come.
  if (!is_calm_) crash(random_.one_in(2));
  if (broken_.empty()) pump();
  // Once with some members, and once with one that takes over from them all.
  for (const std::size_t members : {1 + random_.below(4), std::uint64_t{1}}) {
    for (std::size_t i = 0; i < consumers_.size() && broken_.empty(); ++i) {
      if (!consumers_[i].now) continue;
      const std::vector<ClientPtr> chosen = members_for(i, members);
      converge(i, chosen);
      if (!broken_.empty() || !consumers_[i].now) continue;
      check_shares(consumers_[i], chosen);
      hold(consumers_[i].now->model.all_is_processed(is_calm_, latest_clock_));
    }
    for (int i = 0; i < 5 && broken_.empty(); ++i) put_some();
    if (broken_.empty()) pump();
  }
  if (broken_.empty()) check_transactions();
  if (broken_.empty()) delete_everything();
}

void ConsumerWorld::check_transactions() {
  for (const TransactedPtr& transaction : transactions_) {
    const std::vector<PutEntry>& entries = transaction->command.entries;
    std::size_t there = 0;
    for (const PutEntry& entry : entries) {
      const std::size_t copies = target().ledger.count(entry.data);
      if (copies > 1) return broken(name_of(entry.data) + " was put " + std::to_string(copies) + " times");
      there += copies;
    }
    if (there != (transaction->took_effect ? entries.size() : 0)) {
      return broken("of a transaction that " + std::string(transaction->took_effect ? "took" : "did not take") +
                    " effect there are " + std::to_string(there) + " records");
    }
  }
}

void ConsumerWorld::delete_everything() {
  for (Consumer& consumer : consumers_) {
    if (consumer.now) delete_consumer(consumer);
  }
  pump();
}

}  // namespace penstock::sim
