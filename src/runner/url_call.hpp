// One invocation of a function that another emulator runs, by its Invoke endpoint.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runner/invoke.hpp"
#include "runner/log_book.hpp"

namespace penstock::runner {

/// `http://host[:port][/path]`, in its parts.
struct InvokeUrl {
  std::string host;
  std::string port;
  std::string authority;  ///< as the Host header has it
  std::string target;
};
/// Nothing if it is no such URL. There is no TLS: emulators have none.
std::optional<InvokeUrl> parse_invoke_url(const std::string& url);

/// What an emulator's answer means.
struct InvokeAnswer {
  unsigned status = 0;
  std::string function_error;  ///< X-Amz-Function-Error
  std::string log_result;      ///< X-Amz-Log-Result, base64
  std::string body;
};
RunOutcome outcome_of(InvokeAnswer answer, const std::string& url, const std::string& request_id);

class UrlCall {
 public:
  using Over = std::function<void(UrlCall&)>;

  /// `over` is called after the invocation has its outcome, and not from within start().
  UrlCall(const Workshop& workshop, Invoke invoke, Over over);

  void start(const std::shared_ptr<UrlCall>& self);
  void end();
  void abandon();
  const FunctionName& function() const { return function_.name; }

 private:
  boost::asio::awaitable<RunOutcome> call();
  boost::asio::awaitable<InvokeAnswer> exchange(const InvokeUrl& url);
  void expire();
  void finish(RunOutcome outcome);

  const Workshop& workshop_;
  Invoke invoke_;
  Over over_;
  const FunctionRecord& function_;
  InvocationLog log_;
  boost::beast::tcp_stream stream_;
  boost::asio::steady_timer timer_;  ///< of the whole call: a name that is being resolved cannot be interrupted
  Clock::time_point started_at_;
  bool late_ = false;
  bool connected_ = false;
  bool ended_ = false;
};

}  // namespace penstock::runner
