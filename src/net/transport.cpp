#include "net/transport.hpp"

#include <openssl/ssl.h>
#include <poll.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace penstock::net {

namespace asio = boost::asio;

namespace {
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
}

asio::awaitable<bool> Transport::handshake(asio::ssl::context& context, asio::const_buffer first_bytes) {
  tls_ = std::make_unique<asio::ssl::stream<Tcp::socket&>>(socket_, context);
  const auto [error, used] = co_await tls_->async_handshake(asio::ssl::stream_base::server, first_bytes, as_result);
  co_return !error;
}

asio::awaitable<void> Transport::say_goodbye() {
  if (tls_) co_await tls_->async_shutdown(as_result);
}

std::string_view Transport::application_protocol() const {
  const unsigned char* name = nullptr;
  unsigned length = 0;
  if (tls_) ::SSL_get0_alpn_selected(tls_->native_handle(), &name, &length);
  return {reinterpret_cast<const char*>(name), length};
}

bool Transport::has_gone() {
  pollfd descriptor{socket_.native_handle(), POLLRDHUP, 0};
  return ::poll(&descriptor, 1, 0) > 0;
}

}  // namespace penstock::net
