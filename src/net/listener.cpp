#include "net/listener.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <utility>

namespace penstock::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr int backlog = 1'024;
// How often a port that is free on one address but not on the next is given back and another one drawn.
constexpr int port_draws_max = 16;
// Out of descriptors, accepting at once again would spin.
constexpr std::chrono::milliseconds accept_retry{50};

std::string text_of(const asio::ip::address& address, std::uint16_t port) {
  const std::string host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  return host + ":" + std::to_string(port);
}

bool is_missing_family(const error_code& error) {
  return error == asio::error::address_family_not_supported ||
         error == error_code(EADDRNOTAVAIL, boost::system::system_category());
}

}  // namespace

Listener::Listener(asio::io_context& context, std::vector<Lane> lanes) : context_(context), lanes_(std::move(lanes)) {}

ListenError Listener::open(const std::vector<std::string>& addresses, std::uint16_t port, bool skip_missing) {
  std::vector<asio::ip::address> parsed;
  for (const std::string& text : addresses) {
    error_code error;
    parsed.push_back(asio::ip::make_address(text == "localhost" ? "127.0.0.1" : text, error));
    if (error) return {"the host " + text + " is not an IP address"};
  }
  for (int draw = 0; draw < port_draws_max; ++draw) {
    bool in_use = false;
    ListenError error = bind_all(parsed, port, skip_missing, in_use);
    if (!error || !in_use || port != 0) return error;
  }
  return {"no port is free on all addresses"};
}

ListenError Listener::bind_all(const std::vector<asio::ip::address>& addresses, std::uint16_t port, bool skip_missing,
                               bool& in_use) {
  acceptors_.clear();
  port_ = port;
  std::string skipped;
  for (const asio::ip::address& address : addresses) {
    const tcp::endpoint endpoint(address, port_);
    tcp::acceptor acceptor(context_);
    error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && address.is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(backlog, error);
    if (error && skip_missing && is_missing_family(error)) {
      skipped = "cannot listen on " + text_of(address, port_) + ": " + error.message();
      continue;
    }
    if (error) {
      in_use = error == asio::error::address_in_use;
      return {"cannot listen on " + text_of(address, port_) + ": " + error.message()};
    }
    port_ = acceptor.local_endpoint().port();
    acceptors_.push_back(std::move(acceptor));
  }
  if (acceptors_.empty()) return {skipped};
  return {};
}

std::vector<std::string> Listener::addresses() const {
  std::vector<std::string> all;
  for (const auto& acceptor : acceptors_) all.push_back(text_of(acceptor.local_endpoint().address(), port_));
  return all;
}

void Listener::start() {
  for (std::size_t index = 0; index < acceptors_.size(); ++index) accept_on(index);
}

void Listener::accept_on(std::size_t index) {
  // Chosen before the accept: the socket belongs to its lane's context from the beginning.
  const Lane lane = lanes_[next_lane_++ % lanes_.size()];
  acceptors_[index].async_accept(*lane.context, [this, index, lane](const error_code& error, tcp::socket socket) {
    if (!acceptors_[index].is_open()) return;
    if (error == asio::error::operation_aborted) return;
    if (error) {
      auto timer = std::make_shared<asio::steady_timer>(context_, accept_retry);
      timer->async_wait([this, index, timer](const error_code&) {
        if (acceptors_[index].is_open()) accept_on(index);
      });
      return;
    }
    asio::post(*lane.context,
               [lane, accepted = std::move(socket)]() mutable { lane.sessions->accept(std::move(accepted)); });
    accept_on(index);
  });
}

void Listener::stop() {
  for (auto& acceptor : acceptors_) {
    error_code ignored;
    acceptor.close(ignored);
  }
}

}  // namespace penstock::net
