// HTTP/1.1 on one connection: requests in turn, each answered before the next is begun.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace penstock::net {

class SessionGroup;

/// Ends when the connection does. Never throws on account of what the client sends.
boost::asio::awaitable<void> run_http1_session(boost::asio::ip::tcp::socket socket, SessionGroup& group);

}  // namespace penstock::net
