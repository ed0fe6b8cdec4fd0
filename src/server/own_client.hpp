// The server as its own client: requests that come from within, and are understood and answered as those that come over
// the network are.
#pragma once

#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>

#include "config/requests.hpp"
#include "net/exchange.hpp"
#include "server/frontend.hpp"
#include "server/service.hpp"

namespace penstock::server {

class OwnClient {
 public:
  /// There will be no answer, since the server is stopping.
  class Closed : public std::runtime_error {
   public:
    Closed() : std::runtime_error("the server is stopping") {}
  };

  /// Requests begin and end in `context`, a thread of the server's. Whoever says what functions there are in a file on
  /// this machine may have it run programs, from wherever else requests are taken.
  /// `index_above_shards` tells its calls from those of others: 2 is Insider's.
  OwnClient(const Service& service, boost::asio::io_context& context, std::size_t index_above_shards = 1);
  OwnClient(const OwnClient&) = delete;
  OwnClient& operator=(const OwnClient&) = delete;
  /// REQUIRES: the context runs no more.
  ~OwnClient();

  /// Waits for the answer. Any thread but those that answer. Throws Closed.
  config::Answer ask(const config::Request& request);
  /// Lets go of whoever waits. Any thread.
  void close();

 private:
  struct Call;

  void begin(const std::shared_ptr<Call>& call, const config::Request& request);

  boost::asio::io_context& context_;
  const Service service_;
  Frontend frontend_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::shared_ptr<Call>> open_;  // by mutex_
  bool closed_ = false;                   // by mutex_
};

}  // namespace penstock::server
