// One connection of a function process to its Runtime API.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "runner/capped_body.hpp"
#include "runner/runtime_api.hpp"

namespace penstock::runner {

/// Reads all the time, also while a call waits, so that the end of the connection is noticed and no read has to be
/// cancelled when an event comes; takes one request after the other. Writes at once, without going through the event
/// loop, where the socket takes all of it.
class ApiConnection {
 public:
  ApiConnection(RuntimeApi& api, boost::asio::ip::tcp::socket socket);

  void start(const std::shared_ptr<ApiConnection>& self);
  /// Answers the call to `next` that waits.
  void deliver(ApiEvent event);
  void close();

 private:
  using Parser = boost::beast::http::request_parser<CappedBody>;

  void read(const std::shared_ptr<ApiConnection>& self);
  void take(const std::shared_ptr<ApiConnection>& self);
  /// True if a whole request was read.
  bool parse();
  void serve();
  bool is_of_runtime() const;
  ApiReply reply_to(std::string_view method, std::string_view target, bool& waits);
  ApiReport report_of(std::string_view request_id);
  void write(unsigned status, std::string_view headers, std::shared_ptr<const std::string> body);
  void write_rest(std::size_t sent);
  void end();

  RuntimeApi& api_;
  boost::asio::ip::tcp::socket socket_;
  std::weak_ptr<ApiConnection> self_;
  std::shared_ptr<void> keep_;
  boost::beast::flat_buffer buffer_;
  std::size_t step_;
  std::optional<Parser> parser_;
  std::string head_;  ///< of the answer that is being written
  std::shared_ptr<const std::string> body_;
  bool reading_ = false;
  bool busy_ = false;   ///< a request is not answered yet
  bool waits_ = false;  ///< which is a call to `next`
  bool keep_alive_ = true;
  bool open_ = true;
};

}  // namespace penstock::runner
