// Whether there is room to accept more. Checked before the disk is full, since a write that fails half way leaves no
// choice but to stop.
#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <string>

namespace penstock::server {

/// Below this, what adds data is answered with 503; receiving and deleting go on, which is how room is made.
inline constexpr std::uint64_t free_bytes_min = 128ULL << 20U;

class DiskSpace {
 public:
  /// An empty directory means that nothing is kept on disk: there is always room.
  DiskSpace(boost::asio::io_context& context, std::string directory);

  void start();
  void stop() { timer_.cancel(); }

  /// Any thread.
  bool has_room() const { return has_room_.load(std::memory_order_relaxed); }

 private:
  void check();

  boost::asio::steady_timer timer_;
  const std::string directory_;
  std::atomic<bool> has_room_{true};
};

}  // namespace penstock::server
