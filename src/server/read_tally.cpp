#include "server/read_tally.hpp"

#include <variant>

namespace penstock::server {

void ReadTally::add(const RecordsPage& page) {
  if (page.records.empty()) return;
  const ReadCount read{page.records.size(), page.bytes};
  total_.add(read);
  if (by_stream_.size() < streams_max || by_stream_.contains(page.id)) by_stream_[page.id].add(read);
}

void ReadTally::add(const Result& result) {
  if (const auto* page = std::get_if<RecordsPage>(&result)) add(*page);
  if (const auto* polled = std::get_if<GroupPolled>(&result)) {
    for (const auto& batch : polled->batches) add(batch.page);
  }
}

}  // namespace penstock::server
