// What all parts of a server look at: what there is, and where it lives.
#pragma once

#include <cstddef>
#include <vector>

#include "penstock/store.hpp"
#include "protocol/wire.hpp"
#include "server/clock.hpp"
#include "server/disk_space.hpp"
#include "server/guard.hpp"
#include "server/routing.hpp"

namespace penstock::server {

class Authority;
class Control;
class Faults;
class LargeRequests;
class Metrics;
class Shard;
class TriggerHost;
class UsedServices;

/// Outlives whoever looks at it.
struct Service {
  protocol::ServiceContext context;
  Guard guard;
  const Authority* authority = nullptr;  ///< null where whoever asks may
  std::vector<Shard*> shards;
  TriggerHost* triggers = nullptr;
  Control* control = nullptr;
  Faults* faults = nullptr;  ///< null where there are to be none
  LargeRequests* large_requests = nullptr;
  Metrics* metrics = nullptr;
  UsedServices* used = nullptr;
  const DiskSpace* disk_space = nullptr;
  const Store* store = nullptr;
  const Clock* clock = nullptr;
  bool strict_limits = false;
  /// RedrivePolicies are taken without asking the queue that they name, which may have changed its mind since, or be
  /// gone: what is so elsewhere can be so here.
  bool takes_redrive_policies_as_they_are = false;

  /// The index of the shard that owns a queue or a stream.
  std::size_t owner_of(const QueueName& queue) const { return server::owner_of(queue, shards.size()); }
  std::size_t owner_of(const StreamName& stream) const { return server::owner_of(stream, shards.size()); }
  std::size_t owner_of(const Command& command) const { return server::owner_of(command, shards.size()); }
};

}  // namespace penstock::server
