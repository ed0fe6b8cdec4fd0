#include "server/pages.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>

#include "penstock/stream_names.hpp"
#include "storage/stream_records.hpp"

namespace penstock::server {
namespace {

std::optional<Error> read_all(const Store& store, GroupPolled& polled) {
  std::size_t records_left = polled.count_max;
  std::size_t bytes_left = polled.bytes_max;
  std::size_t read = 0;
  for (; read < polled.batches.size() && records_left > 0 && bytes_left > 0; ++read) {
    RecordsPage& page = polled.batches[read].page;
    page.count_max = std::min(page.count_max, records_left);
    page.bytes_max = std::min(page.bytes_max, bytes_left);
    if (auto error = read_records(store, page)) return error;
    // The first record of a page comes whatever its size, and that of the whole answer is to, so that there is an end
    // to it. Any other waits: polls begin with each shard in turn.
    const bool is_first = records_left == polled.count_max;
    if (page.bytes > bytes_left && !is_first) break;
    records_left -= page.records.size();
    bytes_left -= std::min(bytes_left, page.bytes);
  }
  polled.batches.resize(read);
  return std::nullopt;
}

template <class Shards>
std::optional<Error> read_each(const Store& store, Shards& shards) {
  for (auto& shard : shards) {
    if (auto error = read_records(store, shard.page)) return error;
    // Only where it stands and when it came is looked at, and there may be a thousand of up to 10 MiB.
    for (ReadRecord& each : shard.page.records) {
      each.record.data = {};
      each.record.partition_key = {};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Error> read_records(const Store& store, RecordsPage& page) {
  const StoreError error = storage::read_page(store, page);
  if (!error) return std::nullopt;
  spdlog::error("cannot read the records of {} of {}: {}", format_shard_id(page.shard), page.stream.name,
                error.message);
  return Error{ErrorCode::KinesisInternalFailure, {}};
}

void read_records(const Store& store, Result& result) {
  std::optional<Error> error;
  if (auto* page = std::get_if<RecordsPage>(&result)) error = read_records(store, *page);
  if (auto* polled = std::get_if<GroupPolled>(&result)) error = read_all(store, *polled);
  if (auto* reset = std::get_if<GroupReset>(&result)) error = read_each(store, reset->shards);
  if (auto* lag = std::get_if<GroupLag>(&result)) error = read_each(store, lag->shards);
  if (error) result = std::move(*error);
}

}  // namespace penstock::server
