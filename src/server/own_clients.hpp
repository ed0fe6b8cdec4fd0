// The server as its own client in every account and region that there are, for exports and imports: what there was
// elsewhere it makes here, whatever has become of it there since.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "config/requests.hpp"
#include "server/own_client.hpp"
#include "server/service.hpp"

namespace penstock::server {

struct Home {
  std::string account;
  std::string region;
  friend auto operator<=>(const Home&, const Home&) = default;
};

class OwnClients {
 public:
  /// Accounts in regions that are kept a client for. Beyond them there is none: data with so many are not of this
  /// world.
  static constexpr std::size_t homes_max = 10'000;

  /// As OwnClient has it.
  OwnClients(const Service& service, boost::asio::io_context& context) : service_(service), context_(context) {}

  /// Waits for the answer. Any thread but those that answer. Throws OwnClient::Closed.
  config::Answer ask(const Home& home, const config::Request& request);
  void close();

 private:
  const Service& service_;
  boost::asio::io_context& context_;
  std::mutex mutex_;  // protects all below
  std::map<Home, std::unique_ptr<OwnClient>> clients_;
  bool closed_ = false;
};

}  // namespace penstock::server
