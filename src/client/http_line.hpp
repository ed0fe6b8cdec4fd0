// HTTP/1.1 over TCP, one connection that is kept, and the waits beside it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "penstock/client.hpp"

namespace penstock::client {

/// Of one answer. The largest that a server gives is a look into a queue: 16 MiB of messages, every byte of which may
/// be escaped, and a thousand times what is told of one. A poll has less: 10 MiB of data in base64, and ten thousand
/// partition keys, every byte of which may be escaped.
inline constexpr std::size_t answer_bytes_max = 40U << 20U;
/// Of an answer that is taken piece by piece.
inline constexpr std::size_t piece_bytes = 64U << 10U;
inline constexpr std::chrono::seconds connect_time_max{5};

/// Where a server is.
struct Endpoint {
  std::string host;  ///< a name or an address, this without brackets
  std::uint16_t port = 0;
  std::string path;       ///< before that of each request; empty or "/..."
  std::string authority;  ///< as the Host header has it
};

/// Throws std::invalid_argument.
Endpoint parse_endpoint(const std::string& text);

class HttpLine final : public Line {
 public:
  /// Throws std::system_error if the process has no descriptor left.
  explicit HttpLine(Endpoint endpoint);

  std::optional<Answer> exchange(const Request& request) override;
  void wait_until(std::chrono::steady_clock::time_point until) override;
  void interrupt() noexcept override;

 private:
  /// What became of one attempt on a connection.
  struct Attempt;

  boost::asio::awaitable<void> converse(const Request& request, Attempt& attempt);
  boost::asio::awaitable<void> read_pieces(boost::beast::http::response_parser<boost::beast::http::empty_body>& head,
                                           const Request& request);
  boost::asio::awaitable<void> connect();
  Attempt attempt(const Request& request);
  void close();
  void be_interrupted();

  Endpoint endpoint_;
  boost::asio::io_context context_{1};
  boost::asio::ip::tcp::resolver resolver_{context_};
  boost::beast::tcp_stream stream_{context_};
  boost::beast::flat_buffer buffer_;
  boost::asio::steady_timer settled_{context_};
  const int bell_fd_;                           ///< an eventfd, not 0 once it is interrupted
  boost::asio::posix::stream_descriptor bell_;  ///< which owns it
  bool connected_ = false;
};

}  // namespace penstock::client
