// The bytes of a connection: TCP, or TLS over it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace penstock::net {

/// An AsyncReadStream and AsyncWriteStream as Asio has them, so that sessions are written once. What it costs them is
/// one branch for each operation.
class Transport {
 public:
  using executor_type = boost::asio::any_io_executor;
  using Tcp = boost::asio::ip::tcp;

  explicit Transport(Tcp::socket socket) : socket_(std::move(socket)) {}
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  executor_type get_executor() { return socket_.get_executor(); }
  Tcp::socket& socket() { return socket_; }
  bool secure() const { return tls_ != nullptr; }

  /// Answers a TLS client whose first bytes were read already. False if it came to nothing.
  boost::asio::awaitable<bool> handshake(boost::asio::ssl::context& context, boost::asio::const_buffer first_bytes);
  /// Tells a TLS client that nothing more comes.
  boost::asio::awaitable<void> say_goodbye();
  /// The protocol that the handshake settled on; empty if none was asked for.
  std::string_view application_protocol() const;

  /// True if the client has closed its side, whatever it has sent before that.
  bool has_gone();

  template <class Buffers, class CompletionToken>
  auto async_read_some(const Buffers& buffers, CompletionToken&& token) {
    return boost::asio::async_initiate<CompletionToken, void(boost::system::error_code, std::size_t)>(
        [this, buffers](auto handler) {
          if (tls_) {
            tls_->async_read_some(buffers, std::move(handler));
          } else {
            socket_.async_read_some(buffers, std::move(handler));
          }
        },
        token);
  }

  template <class Buffers, class CompletionToken>
  auto async_write_some(const Buffers& buffers, CompletionToken&& token) {
    return boost::asio::async_initiate<CompletionToken, void(boost::system::error_code, std::size_t)>(
        [this, buffers](auto handler) {
          if (tls_) {
            tls_->async_write_some(buffers, std::move(handler));
          } else {
            socket_.async_write_some(buffers, std::move(handler));
          }
        },
        token);
  }

 private:
  Tcp::socket socket_;
  std::unique_ptr<boost::asio::ssl::stream<Tcp::socket&>> tls_;
};

}  // namespace penstock::net
