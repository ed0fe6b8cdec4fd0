// The Runtime API's HTTP: a listener for one environment, and its connections. What the calls mean is its owner's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::runner {

class ApiConnection;

/// What is answered at once.
struct ApiReply {
  unsigned status = 202;
  std::string body;
};

ApiReply api_accepted();
ApiReply api_error(unsigned status, std::string_view type, std::string_view message);

/// A function's answer or its account of an error.
struct ApiReport {
  std::string request_id;  ///< empty for one of the init phase
  std::string body;
  bool too_large = false;
  std::string error_type;  ///< Lambda-Runtime-Function-Error-Type, of the header or, where it is streamed, the trailer
  std::string error_body;  ///< base64, of the trailer
};

/// An event on its way to the process.
struct ApiEvent {
  std::string headers;  ///< lines, each with its end
  std::shared_ptr<const std::string> payload;
};

/// What an environment makes of the calls.
class RuntimeApiOwner {
 public:
  RuntimeApiOwner() = default;
  RuntimeApiOwner(const RuntimeApiOwner&) = delete;
  RuntimeApiOwner& operator=(const RuntimeApiOwner&) = delete;
  virtual ~RuntimeApiOwner() = default;

  /// True if the call is to wait for the event that RuntimeApi::deliver brings; when it does, on_waiting is called.
  virtual bool on_next(ApiReply& refusal) = 0;
  virtual void on_waiting() = 0;
  /// The connection of the call that waits has ended.
  virtual void on_next_gone() = 0;
  /// The reply to any other call has been handed to the kernel.
  virtual void on_replied() = 0;
  virtual ApiReply on_response(ApiReport report) = 0;
  virtual ApiReply on_error(ApiReport report) = 0;
  virtual ApiReply on_init_error(ApiReport report) = 0;
};

class RuntimeApi {
 public:
  /// Of one environment; runtimes have one or two.
  static constexpr std::size_t connections_max = 64;

  /// Listens on a free port of 127.0.0.1. Throws std::system_error.
  RuntimeApi(boost::asio::io_context& context, RuntimeApiOwner& owner);
  ~RuntimeApi();

  /// `host:port`, which is what clients want.
  const std::string& address() const { return address_; }
  /// `keep` owns the owner, and lives as long as anything here is under way.
  void start(std::shared_ptr<void> keep);
  void close();

  /// REQUIRES: a call to `next` waits.
  void deliver(ApiEvent event);

 private:
  friend class ApiConnection;

  void accept();
  void remove(const ApiConnection& connection);

  boost::asio::io_context& context_;
  RuntimeApiOwner& owner_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::string address_;
  boost::asio::steady_timer pause_;  ///< after an accept that failed
  std::shared_ptr<void> keep_;
  std::vector<std::shared_ptr<ApiConnection>> connections_;
  ApiConnection* waiting_ = nullptr;  ///< of the call to `next` that waits
};

}  // namespace penstock::runner
