// HTTP/2 on one connection: many requests at a time, each an exchange of its own.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace penstock::net {

class Connection;

/// Ends when the session does; the connection is of no more use then, except to say goodbye. Never throws on account of
/// what the client sends.
boost::asio::awaitable<void> run_http2_session(Connection& connection);

}  // namespace penstock::net
