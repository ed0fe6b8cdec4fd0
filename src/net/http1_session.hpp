// HTTP/1.1 on one connection: requests in turn, each answered before the next is begun.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace penstock::net {

class Connection;

/// Ends when the session does; the connection is of no more use then, except to say goodbye. Never throws on account of
/// what the client sends.
boost::asio::awaitable<void> run_http1_session(Connection& connection);

}  // namespace penstock::net
