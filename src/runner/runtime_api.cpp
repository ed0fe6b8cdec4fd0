#include "runner/runtime_api.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "runner/api_connection.hpp"
#include "runner/text.hpp"

namespace penstock::runner {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds accept_pause{50};

}  // namespace

ApiReply api_accepted() { return {202, R"({"status":"OK"})"}; }

ApiReply api_error(unsigned status, std::string_view type, std::string_view message) {
  std::string body = "{\"errorMessage\":";
  body.append(json_string(message)).append(",\"errorType\":").append(json_string(type)).append("}");
  return {status, std::move(body)};
}

RuntimeApi::RuntimeApi(asio::io_context& context, RuntimeApiOwner& owner)
    : context_(context), owner_(owner), acceptor_(context), pause_(context) {
  // Asio's exceptions are none of std::system_error.
  error_code error;
  const auto check = [&] {
    if (error) throw std::system_error(error, "the Runtime API has nowhere to listen");
  };
  acceptor_.open(tcp::v4(), error);
  check();
  acceptor_.bind(tcp::endpoint(asio::ip::address_v4::loopback(), 0), error);
  check();
  acceptor_.listen(asio::socket_base::max_listen_connections, error);
  check();
  const tcp::endpoint endpoint = acceptor_.local_endpoint(error);
  check();
  address_ = endpoint.address().to_string() + ":" + std::to_string(endpoint.port());
}

RuntimeApi::~RuntimeApi() { close(); }

void RuntimeApi::start(std::shared_ptr<void> keep) {
  keep_ = std::move(keep);
  accept();
}

void RuntimeApi::accept() {
  acceptor_.async_accept(context_, [this, keep = keep_](const error_code& error, tcp::socket socket) {
    if (!acceptor_.is_open()) return;
    if (error) {
      // There may be no descriptor left, and to try again at once would keep the thread busy.
      pause_.expires_after(accept_pause);
      pause_.async_wait([this, keep](const error_code& closed) {
        if (!closed && acceptor_.is_open()) accept();
      });
      return;
    }
    // One too many is let go.
    if (connections_.size() < connections_max) {
      const auto connection = std::make_shared<ApiConnection>(*this, std::move(socket));
      connections_.push_back(connection);
      connection->start(connection);
    }
    accept();
  });
}

void RuntimeApi::remove(const ApiConnection& connection) {
  std::erase_if(connections_, [&](const auto& other) { return other.get() == &connection; });
}

void RuntimeApi::deliver(ApiEvent event) { std::exchange(waiting_, nullptr)->deliver(std::move(event)); }

void RuntimeApi::close() {
  error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
  for (const auto& connection : connections_) connection->close();
  connections_.clear();
  keep_.reset();
}

}  // namespace penstock::runner
