// What an operator sees of streams and their consumers.
#include <algorithm>
#include <utility>

#include "core/groups.hpp"
#include "core/stream.hpp"
#include "core/streams.hpp"

namespace penstock::core {

namespace {

std::size_t taken(std::size_t steps, std::size_t taken) { return steps - std::min(steps, taken); }

}  // namespace

// A stream comes before its consumers, which are many where anything is.
void Streams::survey(SurveyPlace& place, std::size_t steps, Survey& survey) const {
  for (auto it = place.stream ? streams_.lower_bound(*place.stream) : streams_.begin(); it != streams_.end(); ++it) {
    const Stream& stream = *it->second;
    if (stream.is_deleting()) continue;
    if (place.stream != it->first) {
      if (steps == 0) return;
      survey.streams.push_back(stream.view());
      place.stream = it->first;
      place.consumer.clear();
      steps = taken(steps, stream.shard_count());
    }
    if (!stream.groups().survey(place, steps, survey)) return;
  }
  place.over = true;
}

void Stream::count_put(std::uint64_t records, std::uint64_t bytes) {
  for (StreamTally* tally : {&tally_, &context_.tally.streams}) {
    tally->records_put += records;
    tally->bytes_put += bytes;
  }
}

StreamView Stream::view() const {
  StreamView view{info_.name, info_.id, tally_};
  view.open_shards = open_shards();
  view.subscriptions = subscriptions_.size();
  for (const auto& [index, shard] : shards_.all()) {
    view.records_stored += shard.cursor.tail.value - shard.cursor.head.value;
    view.bytes_stored += shard.bytes;
    view.parked += shard.parked_reads.size();
  }
  return view;
}

bool Groups::survey(SurveyPlace& place, std::size_t& steps, Survey& survey) const {
  for (auto it = groups_.upper_bound(place.consumer); it != groups_.end(); ++it) {
    if (steps == 0) return false;
    survey.consumers.push_back(it->second->view());
    place.consumer = it->first;
    steps = taken(steps, shards_.all().size());
  }
  return true;
}

ConsumerView Group::view() const {
  const Stream& stream = home_.stream();
  ConsumerView view{stream.info().name, stream.id(), info_.name};
  view.members = pollers_.size();
  view.parked = static_cast<std::size_t>(
      std::ranges::count_if(pollers_, [](const auto& entry) { return entry.second.waits.has_value(); }));
  for (const auto& [index, shard] : home_.shards().all()) {
    const Lease* lease = find_lease(index);
    if (lease != nullptr && lease->position.next >= shard.cursor.tail) continue;
    const RecordsPage next = glimpse(shard, record_of(index).position);
    if (next.from == next.until) continue;
    view.records_behind += next.until.value - next.from.value;
    view.backlogs.push_back({index, next.from, next.until, next.not_before});
  }
  return view;
}

}  // namespace penstock::core
