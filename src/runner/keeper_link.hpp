// The server's end of the keeper, which it starts when the first process is wanted, and again if somebody has killed
// it.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "runner/descriptor.hpp"
#include "runner/spawn_request.hpp"

namespace penstock::runner {

/// What a process is given besides its request. All of them are close-on-exec here.
struct SpawnFiles {
  Descriptor standard_input;
  Descriptor standard_output;
  Descriptor standard_error;
  Descriptor cgroup;  ///< none if it enters no cgroup
};

class KeeperLink {
 public:
  /// `executable` is started with the arguments `keeper` and a descriptor's number, and calls run_keeper. It and what
  /// it starts may have `descriptors_max` files open, by their soft limit: 0 is as many as this process.
  KeeperLink(boost::asio::io_context& context, std::string executable, std::uint64_t descriptors_max);
  KeeperLink(const KeeperLink&) = delete;
  KeeperLink& operator=(const KeeperLink&) = delete;
  ~KeeperLink();

  /// Starts the process under a guard of its own, and returns the channel to that: its reports come from there, and the
  /// process lives no longer than the channel is open. Throws std::system_error if there can be none.
  Descriptor spawn(const SpawnRequest& request, SpawnFiles files);

 private:
  struct Packet {
    std::string bytes;
    Descriptor channel;
    SpawnFiles files;
  };

  void start_keeper();
  bool send(Packet& packet);
  void flush();
  void watch_end();
  void watch_death();
  void bury();

  boost::asio::io_context& context_;
  const std::string executable_;
  const std::uint64_t descriptors_max_;
  pid_t keeper_ = -1;
  /// Handlers that outlive a keeper, or this, see by its not being there any more.
  std::shared_ptr<boost::asio::posix::stream_descriptor> socket_;
  std::vector<pid_t> dead_;                                       ///< keepers that have gone and are not waited for yet
  std::shared_ptr<boost::asio::posix::stream_descriptor> grave_;  ///< the last one's, readable when it is dead
  std::deque<Packet> waiting_;  ///< that the keeper was too busy to take; as many as there are environments at most
};

}  // namespace penstock::runner
