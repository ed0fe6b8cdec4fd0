#include "net/connection.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string_view>
#include <utility>

#include "net/http1_session.hpp"
#include "net/http2_session.hpp"

namespace penstock::net {

namespace asio = boost::asio;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// What a client of HTTP/2 sends first (RFC 9113, 3.4), and the type of the record that a TLS client begins with.
constexpr std::string_view http2_preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr unsigned char tls_handshake_record = 0x16;

// For a client to answer that it closes, too.
constexpr std::chrono::seconds goodbye_time_max{2};

enum class Speaks { nothing, http1, http2, tls };

std::string_view bytes_of(const Connection& connection) {
  const auto data = connection.buffer.data();
  return {static_cast<const char*>(data.data()), data.size()};
}

// Reads until the first bytes tell.
asio::awaitable<Speaks> listen_to(Connection& connection) {
  for (;;) {
    const std::string_view first = bytes_of(connection);
    if (!first.empty()) {
      const bool tls_is_new = connection.group.tls() != nullptr && !connection.transport.secure();
      if (tls_is_new && static_cast<unsigned char>(first.front()) == tls_handshake_record) co_return Speaks::tls;
      const std::size_t known = std::min(first.size(), http2_preface.size());
      if (first.substr(0, known) != http2_preface.substr(0, known)) co_return Speaks::http1;
      if (known == http2_preface.size()) co_return Speaks::http2;
      if (connection.member->idle) connection.set_deadline(connection.group.limits().request_time_max);
      connection.set_idle(false);
    }
    const auto [error, got] =
        co_await connection.transport.async_read_some(connection.buffer.prepare(Connection::read_bytes), as_result);
    if (error) co_return Speaks::nothing;
    connection.buffer.commit(got);
  }
}

asio::awaitable<Speaks> negotiate(Connection& connection) {
  connection.set_deadline(connection.group.limits().handshake_time_max);
  const bool agreed =
      co_await connection.transport.handshake(connection.group.tls()->context(), connection.buffer.data());
  if (!agreed) co_return Speaks::nothing;
  connection.buffer.clear();
  connection.set_deadline(connection.group.limits().idle_time_max);
  if (connection.transport.application_protocol() == "h2") co_return Speaks::http2;
  co_return co_await listen_to(connection);
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, SessionGroup& its_group)
    : transport(std::move(socket)), group(its_group), member(its_group.join(transport.socket())) {
  buffer.reserve(read_bytes);
}

Connection::~Connection() {
  set_idle(true);
  group.leave(member);
}

void Connection::set_idle(bool idle) {
  if (std::exchange(member->idle, idle) == idle) return;
  if (idle) {
    group.end_busy();
  } else {
    group.begin_busy();
  }
}

asio::awaitable<void> run_connection(asio::ip::tcp::socket socket, SessionGroup& group) {
  Connection connection(std::move(socket), group);
  Speaks speaks = co_await listen_to(connection);
  if (speaks == Speaks::tls) speaks = co_await negotiate(connection);
  if (speaks == Speaks::http1) {
    co_await run_http1_session(connection);
  } else if (speaks == Speaks::http2) {
    co_await run_http2_session(connection);
  }
  if (!connection.transport.secure() || speaks == Speaks::nothing) co_return;
  connection.set_idle(true);
  connection.set_deadline(goodbye_time_max);
  if (!group.stopping()) co_await connection.transport.say_goodbye();
}

}  // namespace penstock::net
