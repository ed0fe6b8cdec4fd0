// What there is in a store, by name: for those who look beside a server that uses it, and find what is committed.
#pragma once

#include <set>
#include <vector>

#include "penstock/functions.hpp"
#include "penstock/ids.hpp"
#include "penstock/mappings.hpp"
#include "penstock/store.hpp"
#include "penstock/streams.hpp"

namespace penstock::storage {

struct Inventory {
  std::vector<QueueName> queues;
  std::vector<QueueName> graves;    ///< queues that were deleted, and whose names are kept for a while
  std::vector<StreamName> streams;  ///< also those that are being deleted
  std::vector<FunctionName> functions;
  std::vector<MappingName> mappings;
  std::set<FunctionName> awaited;  ///< functions with asynchronous invokes that are not over
};

StoreError take_inventory(const Store& store, Inventory& inventory);

}  // namespace penstock::storage
