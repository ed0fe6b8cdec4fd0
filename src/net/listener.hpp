// Listening sockets, and the way of each accepted connection to one of the threads.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "net/session_group.hpp"

namespace penstock::net {

/// Where accepted connections go.
struct Lane {
  boost::asio::io_context* context = nullptr;
  SessionGroup* sessions = nullptr;
};

struct ListenError {
  std::string message;  ///< one line for the operator; empty if all went well
  explicit operator bool() const { return !message.empty(); }
};

/// Accepts in the thread of `context`, hands connections to the lanes in turn.
class Listener {
 public:
  Listener(boost::asio::io_context& context, std::vector<Lane> lanes);

  /// Binds every address to one port; port 0 picks one that is free on all. With `skip_missing`, an address that the
  /// machine does not have is passed over as long as one remains.
  ListenError open(const std::vector<std::string>& addresses, std::uint16_t port, bool skip_missing);
  void start();
  /// No connection is accepted any more.
  void stop();

  std::uint16_t port() const { return port_; }
  /// The addresses that are listened on.
  std::vector<std::string> addresses() const;

 private:
  ListenError bind_all(const std::vector<boost::asio::ip::address>& addresses, std::uint16_t port, bool skip_missing,
                       bool& in_use);
  void accept_on(std::size_t index);

  boost::asio::io_context& context_;
  std::vector<Lane> lanes_;
  std::vector<boost::asio::ip::tcp::acceptor> acceptors_;
  std::size_t next_lane_ = 0;
  std::uint16_t port_ = 0;
};

}  // namespace penstock::net
