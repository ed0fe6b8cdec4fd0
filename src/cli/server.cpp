#include "cli/server.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "client/caller.hpp"

namespace penstock::cli {

namespace {

constexpr std::chrono::seconds answer_time_max{30};

}  // namespace

Server::Server(const Arguments& arguments)
    : place_{arguments.stream, {}, arguments.region, arguments.account}, world_(client::real_world()) {
  try {
    line_ = world_->open(arguments.endpoint);
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
}

client::Place Server::place(const std::string& consumer) const {
  client::Place place = place_;
  place.consumer = consumer;
  return place;
}

client::Answer Server::ask(const char* method, const std::string& target, std::string body) {
  // A request that is not interruptible is answered or throws.
  client::Answer answer = line_->exchange({method, target, std::move(body), answer_time_max, false}).value();
  client::check(answer);
  return answer;
}

std::vector<std::string> Server::consumers() {
  std::vector<std::string> names;
  bool more = true;
  while (more) {
    std::vector<std::string> query;
    if (!names.empty()) query.push_back("ExclusiveStartConsumer=" + client::percent_encode(names.back()));
    auto page = get<client::wire::ListOutput>(client::target_of(place(), {}, query));
    const std::size_t before = names.size();
    if (page.consumers) {
      for (auto& consumer : *page.consumers) names.push_back(consumer.consumer_name.value_or(""));
    }
    more = page.has_more_consumers.value_or(false) && names.size() > before;
  }
  return names;
}

client::wire::LagOutput Server::lag(const std::string& consumer) {
  client::wire::LagOutput whole;
  std::string after;
  bool more = true;
  while (more) {
    std::vector<std::string> query;
    if (!after.empty()) query.push_back("ExclusiveStartShardId=" + client::percent_encode(after));
    auto page = get<client::wire::LagOutput>(client::target_of(place(consumer), "lag", query));
    auto shards = page.shards ? std::move(*page.shards) : std::vector<client::wire::ConsumerShard>();
    more = page.has_more_shards.value_or(false) && !shards.empty();
    if (after.empty()) {
      whole = std::move(page);
      whole.shards.emplace();
      whole.has_more_shards = false;
    } else {
      whole.records_behind = whole.records_behind.value_or(0) + page.records_behind.value_or(0);
      whole.millis_behind = std::max(whole.millis_behind.value_or(0), page.millis_behind.value_or(0));
      // Those of shards that are gone are in each page's sum.
      for (const auto& shard : shards) {
        whole.lost_records = whole.lost_records.value_or(0) + shard.lost_records.value_or(0);
      }
    }
    if (!shards.empty()) after = shards.back().shard_id.value_or("");
    std::move(shards.begin(), shards.end(), std::back_inserter(*whole.shards));
  }
  return whole;
}

}  // namespace penstock::cli
