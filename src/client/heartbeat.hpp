// Renews a member's leases in a thread of its own, while its handler has no time to poll.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "penstock/client.hpp"

namespace penstock::client {

class Heartbeat {
 public:
  /// Its timeout is set here.
  using MakeRequest = std::function<Request(const std::string& token)>;
  using OnLost = std::function<void(const LostLease&)>;

  /// The world outlives this. `on_lost` is told, in the heartbeat's thread, of each lease that is found to be lost.
  Heartbeat(World& world, std::unique_ptr<Line> line, MakeRequest make_request, OnLost on_lost);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  /// From now on the member works on what came with this token.
  void begin(const std::string& token, std::chrono::milliseconds lease);
  /// It is about to poll.
  void end();

  /// Whether the member's lease time is over, or it was replaced, since begin().
  bool is_gone() const;
  /// Whether that lease was found to be lost since begin().
  bool has_lost(const std::string& shard_id, std::uint64_t epoch) const;

 private:
  using Key = std::pair<std::string, std::uint64_t>;

  void work();
  void beat(const Request& request, std::uint64_t generation);
  void tell(const std::vector<LostLease>& lost, std::uint64_t generation);

  World& world_;
  const std::unique_ptr<Line> line_;
  const MakeRequest make_request_;
  const OnLost on_lost_;

  mutable std::mutex mutex_;  // guards all below but the thread
  bool over_ = false;
  bool busy_ = false;
  bool gone_ = false;
  std::string token_;
  std::uint64_t generation_ = 0;  ///< counts begin(), so that what comes late is known to be old
  std::chrono::milliseconds interval_{0};
  std::chrono::steady_clock::time_point next_;
  std::set<Key> lost_;

  std::thread thread_;  ///< from the first begin()
};

}  // namespace penstock::client
