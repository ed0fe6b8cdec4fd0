// One connection from its first byte: what it speaks is told by what it sends, on one port.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <list>

#include "net/session_group.hpp"
#include "net/transport.hpp"

namespace penstock::net {

/// What a session has of its connection: its bytes, those read ahead, and its place in the group.
class Connection {
 public:
  static constexpr std::size_t read_bytes = 16U << 10U;
  static constexpr std::size_t read_bytes_max = 256U << 10U;

  Connection(boost::asio::ip::tcp::socket socket, SessionGroup& its_group);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  void set_deadline(std::chrono::seconds from_now) { member->deadline = SessionGroup::Clock::now() + from_now; }
  void clear_deadline() { member->deadline = SessionGroup::Clock::time_point::max(); }
  /// An idle connection may be closed without losing anything, and is not busy in the sense of the group.
  void set_idle(bool idle);

  Transport transport;
  SessionGroup& group;
  const std::list<SessionGroup::Member>::iterator member;
  boost::beast::flat_buffer buffer;  ///< bytes that were read and not used yet
};

/// Ends when the connection does. Never throws on account of what the client sends.
boost::asio::awaitable<void> run_connection(boost::asio::ip::tcp::socket socket, SessionGroup& group);

}  // namespace penstock::net
