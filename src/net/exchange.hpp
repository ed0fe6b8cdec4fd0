// One request and its answer, between the session that carries them and the server that answers.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "protocol/wire.hpp"

namespace penstock::net {

/// Lives in its session's coroutine, which keeps it until `complete` was called: the handler calls it exactly once for
/// every exchange it was given, also after a cancel. All of it runs in the session's thread.
class Exchange {
 public:
  explicit Exchange(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// The session's executor: `complete` is to be called on it.
  const boost::asio::any_io_executor& executor() const { return executor_; }

  /// For the handler, before it returns from start: the answer may take long, so the session watches whether the client
  /// goes away, and calls `cancel` if it does.
  void may_park(std::function<void()> cancel) { cancel_ = std::move(cancel); }

  /// For the handler, before it returns from start: the answer comes from the thread with this index. A connection
  /// whose requests go elsewhere may be moved there.
  void answered_in(std::size_t lane) { lane_ = lane; }
  std::optional<std::size_t> lane() const { return lane_; }

  /// `undelivered` is called if the answer did not reach the client.
  void complete(protocol::WireResponse response, std::function<void()> undelivered = {}) {
    response_ = std::move(response);
    undelivered_ = std::move(undelivered);
    if (auto waiter = std::move(waiter_)) waiter->wake();
  }

  /// In place of complete, after a cancel: there is no answer, and nobody to read it.
  void abandon() {
    abandoned_ = true;
    complete({});
  }

  bool abandoned() const { return abandoned_; }
  bool completed() const { return response_.has_value(); }
  bool parks() const { return static_cast<bool>(cancel_); }
  void cancel() {
    if (auto once = std::exchange(cancel_, {})) once();
  }
  protocol::WireResponse& response() { return *response_; }
  void report_undelivered() {
    if (auto once = std::exchange(undelivered_, {})) once();
  }
  bool wants_delivery_report() const { return static_cast<bool>(undelivered_); }

  /// Resumes once the exchange is completed.
  template <class CompletionToken>
  auto wait(CompletionToken&& token) {
    return boost::asio::async_initiate<CompletionToken, void()>(
        [this](auto handler) {
          if (completed()) {
            std::move(handler)();
          } else {
            waiter_ = std::make_unique<WaiterOf<decltype(handler)>>(std::move(handler));
          }
        },
        token);
  }

 private:
  struct Waiter {
    Waiter() = default;
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    virtual ~Waiter() = default;
    virtual void wake() = 0;
  };
  template <class CompletionHandler>
  struct WaiterOf final : Waiter {
    explicit WaiterOf(CompletionHandler h) : handler(std::move(h)) {}
    void wake() override { std::move(handler)(); }
    CompletionHandler handler;
  };

  boost::asio::any_io_executor executor_;
  std::optional<protocol::WireResponse> response_;
  std::function<void()> undelivered_;
  std::function<void()> cancel_;
  std::unique_ptr<Waiter> waiter_;
  std::optional<std::size_t> lane_;
  bool abandoned_ = false;
};

/// What answers requests. One per thread; called in that thread only.
class Handler {
 public:
  Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  virtual ~Handler() = default;

  /// Begins to answer. The request's views live until this returns; the exchange until it is completed.
  virtual void start(protocol::WireRequest request, Exchange& exchange) = 0;

  /// The answer to bytes that are no request that could be started; after it the connection is closed.
  virtual protocol::WireResponse refuse(int status, std::string_view reason) = 0;
};

}  // namespace penstock::net
