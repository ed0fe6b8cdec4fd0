// The open connections of one thread: counted, timed and told to end.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>

#include "net/exchange.hpp"
#include "net/limits.hpp"

namespace penstock::net {

/// Used in one thread only. Sessions live in their coroutines; the group knows their sockets, one sweep a second closes
/// those whose deadline is over, which costs a request no timer of its own.
class SessionGroup {
 public:
  using Clock = std::chrono::steady_clock;

  struct Member {
    boost::asio::ip::tcp::socket* socket = nullptr;
    Clock::time_point deadline;
    bool idle = true;  ///< between two requests: may be closed without losing anything
  };

  SessionGroup(boost::asio::any_io_executor executor, Handler& handler, const NetLimits& limits);

  /// Begins a session on an accepted socket of this group's executor.
  void accept(boost::asio::ip::tcp::socket socket);

  /// No request is begun any more; idle connections are closed, the others after their answer. `drained` is called once
  /// none is left.
  void stop(std::function<void()> drained);
  /// Closes what is left, answers or not.
  void abort();

  bool stopping() const { return stopping_; }
  std::size_t size() const { return members_.size(); }
  Handler& handler() { return handler_; }
  const NetLimits& limits() const { return limits_; }

  std::list<Member>::iterator join(boost::asio::ip::tcp::socket& socket);
  void leave(std::list<Member>::iterator member);
  /// Counts body bytes against the thread's budget; false if they do not fit.
  bool reserve_body(std::size_t bytes);
  void release_body(std::size_t bytes) { body_bytes_ -= bytes; }

 private:
  void sweep();

  boost::asio::any_io_executor executor_;
  Handler& handler_;
  const NetLimits limits_;
  boost::asio::steady_timer sweep_timer_;
  std::list<Member> members_;
  std::size_t body_bytes_ = 0;
  bool sweeping_ = false;
  bool stopping_ = false;
  std::function<void()> drained_;
};

}  // namespace penstock::net
