#include "server/request_tally.hpp"

#include <algorithm>

namespace penstock::server {
namespace {

void count(RequestTally::Operation& operation, int status, std::uint64_t answers) {
  auto& statuses = operation.statuses;
  const auto found = std::ranges::find(statuses, status, &std::pair<int, std::uint64_t>::first);
  if (found != statuses.end()) {
    found->second += answers;
  } else {
    statuses.emplace_back(status, answers);
  }
}

}  // namespace

void RequestTally::observe(const protocol::OperationName& asked, int status, double seconds) {
  Operation& operation = operations_[asked];
  count(operation, status, 1);
  operation.seconds.observe(seconds);
}

void RequestTally::add(const RequestTally& other) {
  for (const auto& [name, theirs] : other.operations_) {
    Operation& ours = operations_[name];
    for (const auto& [status, answers] : theirs.statuses) count(ours, status, answers);
    ours.seconds.add(theirs.seconds);
  }
  refused_ += other.refused_;
}

}  // namespace penstock::server
