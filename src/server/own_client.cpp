#include "server/own_client.hpp"

#include <boost/asio/post.hpp>
#include <utility>
#include <vector>

namespace penstock::server {

namespace {

Service trusting(const Service& service) {
  Service own = service;
  own.authority = nullptr;
  return own;
}

}  // namespace

/// One request until it is answered.
struct OwnClient::Call final : net::Exchange::Listener {
  Call(OwnClient& owner, boost::asio::io_context& context) : client(owner), exchange(context.get_executor(), this) {}

  void on_news(net::Exchange& /*exchange*/) override {
    if (!exchange.completed()) return;
    config::Answer taken{503, {}};
    if (!exchange.abandoned()) taken = {exchange.response().status, std::move(exchange.response().body)};
    const std::lock_guard lock(client.mutex_);
    answer = std::move(taken);
    client.changed_.notify_all();
  }

  OwnClient& client;
  net::Exchange exchange;
  std::optional<config::Answer> answer;  // by the client's mutex_
};

// Above the shards and the triggers, so that its calls have numbers of their own, and all of them go through the
// shards' mailboxes.
OwnClient::OwnClient(const Service& service, boost::asio::io_context& context, std::size_t index_above_shards)
    : context_(context),
      service_(trusting(service)),
      frontend_(service_, service_.shards.size() + index_above_shards) {}

OwnClient::~OwnClient() = default;

config::Answer OwnClient::ask(const config::Request& request) {
  auto call = std::make_shared<Call>(*this, context_);
  std::unique_lock lock(mutex_);
  if (closed_) throw Closed();
  open_.insert(call);
  boost::asio::post(context_, [this, call, request] { begin(call, request); });
  changed_.wait(lock, [&] { return call->answer || closed_; });
  // One that is not answered stays until nothing can answer it any more.
  if (!call->answer) throw Closed();
  open_.erase(call);
  return std::move(*call->answer);
}

void OwnClient::begin(const std::shared_ptr<Call>& call, const config::Request& request) {
  std::vector<protocol::Header> headers;
  frontend_.start(config::as_received(request, headers), call->exchange);
}

void OwnClient::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

}  // namespace penstock::server
