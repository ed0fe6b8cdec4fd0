// A process that runs under a guard, as the server sees it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

#include "runner/descriptor.hpp"
#include "runner/spawn_request.hpp"

namespace penstock::runner {

class Child {
 public:
  /// A report; nothing if the channel was closed before the process's end was reported, since its guard was killed.
  using Reported = std::function<void(const ChildReport*)>;

  /// Throws std::system_error if the channel cannot be watched.
  Child(boost::asio::io_context& context, Descriptor channel);

  /// `owner`, which owns this and what `reported` refers to, lives until close() or until the last report has come,
  /// which is that of an exit, of a failure, or nothing.
  void watch(std::shared_ptr<void> owner, Reported reported);

  /// To the process group.
  void signal(int signal);
  /// Kills the process, and all that descends from it, if it has not ended.
  void close();

 private:
  boost::asio::posix::stream_descriptor channel_;
};

}  // namespace penstock::runner
