// The open connections of one thread: counted, timed and told to end.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <string_view>
#include <vector>

#include "net/exchange.hpp"
#include "net/limits.hpp"
#include "net/tls.hpp"

namespace penstock::net {

/// Used in one thread only. Sessions live in their coroutines; the group knows their sockets, one sweep a second closes
/// those whose deadline is over, which costs a request no timer of its own.
class SessionGroup {
 public:
  using Clock = std::chrono::steady_clock;

  /// A session that knows better than its socket what it is to do. Either call may end it, and no other one.
  class Session {
   public:
    Session() = default;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    virtual ~Session() = default;
    virtual void on_sweep(Clock::time_point now) = 0;
    virtual void on_stop() = 0;
  };

  struct Member {
    boost::asio::ip::tcp::socket* socket = nullptr;
    Clock::time_point deadline;
    bool idle = true;            ///< between two requests: may be closed without losing anything
    Session* session = nullptr;  ///< if there is one, deadline and idle are its own business
  };

  SessionGroup(boost::asio::any_io_executor executor, Handler& handler, const NetLimits& limits);

  /// The groups of all threads, this one included, in the order of the lanes that handlers name. Outlives the group.
  /// REQUIRES: called before the first connection, if at all.
  void set_peers(const std::vector<SessionGroup*>& peers) { peers_ = &peers; }

  /// Clients that begin with TLS get it. REQUIRES: called before the first connection, if at all. Outlives the group.
  void set_tls(Tls& tls) { tls_ = &tls; }
  Tls* tls() const { return tls_; }

  /// Begins a session on an accepted socket of this group's executor.
  void accept(boost::asio::ip::tcp::socket socket);

  /// No request is begun any more; idle connections are closed, the others after their answer, of which the handler is
  /// to end those that are streamed. `drained` is called once none is left.
  void stop(std::function<void()> drained);
  /// Closes what is left, answers or not.
  void abort();

  bool stopping() const { return stopping_; }
  /// Any thread.
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

  /// Where a connection had better live whose requests are answered in `lane`; null to stay. A client that is alone is
  /// best off in the thread that answers it, since a change of thread costs it two wake-ups a request; many are best
  /// spread over all threads.
  SessionGroup* better_home(std::size_t lane) const;
  /// Continues, in its own thread, a connection that another group had. Any thread.
  void adopt(boost::asio::ip::tcp::socket::protocol_type protocol, int descriptor);
  Handler& handler() { return handler_; }
  const NetLimits& limits() const { return limits_; }

  /// A request is being read, answered or written, and not parked. Calls of both are paired.
  void begin_busy() { busy_.store(busy_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
  void end_busy() { busy_.store(busy_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed); }

  std::list<Member>::iterator join(boost::asio::ip::tcp::socket& socket);
  void leave(std::list<Member>::iterator member);
  /// Counts body bytes against the thread's budget; false if they do not fit.
  bool reserve_body(std::size_t bytes);
  void release_body(std::size_t bytes) { body_bytes_ -= bytes; }
  /// The same for what waits to be sent.
  bool reserve_answer(std::size_t bytes);
  void release_answer(std::size_t bytes) { answer_bytes_ -= bytes; }
  /// Counts a request of HTTP/2 against the thread's calls; false, and not counted, if it is one too many.
  bool begin_call();
  void end_call() { --calls_; }

 private:
  void sweep();
  std::size_t busy() const { return busy_.load(std::memory_order_relaxed); }

  boost::asio::any_io_executor executor_;
  Handler& handler_;
  const NetLimits limits_;
  boost::asio::steady_timer sweep_timer_;
  std::list<Member> members_;
  // Written by this thread, read by the others too.
  std::atomic<std::size_t> size_{0};
  std::atomic<std::size_t> busy_{0};
  const std::vector<SessionGroup*>* peers_ = nullptr;
  Tls* tls_ = nullptr;
  std::size_t body_bytes_ = 0;
  std::size_t answer_bytes_ = 0;
  std::size_t calls_ = 0;
  bool sweeping_ = false;
  bool stopping_ = false;
  std::function<void()> drained_;
};

}  // namespace penstock::net
