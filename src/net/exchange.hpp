// One request and its answer, between the session that carries them and the server that answers.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/operation_names.hpp"
#include "protocol/wire.hpp"

namespace penstock::net {

/// Whether a body goes with an answer. One of 204 has none, nor what describes one, its type and its length.
inline bool has_content(const protocol::WireResponse& response) { return response.status != 204; }

/// What the handler keeps of a request until it is answered.
struct RequestNotes {
  std::string request_id;
  protocol::OperationName asked;
  std::chrono::steady_clock::time_point began{};
  bool waits = false;  ///< for something to happen, rather than only for the server
};

/// Lives in its session until it has ended: the handler calls one of `complete`, `end_stream` and `abandon`, once, for
/// every exchange it was given, also after a cancel. All of it runs in the session's thread.
///
/// An answer is whole (`complete`) or streamed: `begin_stream`, any number of `write_piece`, `end_stream`.
class Exchange {
 public:
  /// A session that is told of news rather than waiting for them.
  class Listener {
   public:
    Listener() = default;
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    virtual ~Listener() = default;
    /// There are news, see has_news. May destroy the exchange if it has ended.
    virtual void on_news(Exchange& exchange) = 0;
  };

  explicit Exchange(boost::asio::any_io_executor executor, Listener* listener = nullptr)
      : executor_(std::move(executor)), listener_(listener) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// The session's executor: all calls of the handler are to be made on it.
  const boost::asio::any_io_executor& executor() const { return executor_; }

  /// The handler's own.
  RequestNotes& notes() { return notes_; }

  /// For the handler, before it returns from start: the answer may take long, so the session watches whether the client
  /// goes away, and calls `cancel` if it does: once, and not after the exchange has ended. The handler then calls
  /// `abandon`, at once or later. A stream is cancelled, too, when the client does not take a piece in time; what is
  /// unsent then is dropped. That the sessions are told to stop cancels nothing: the handler is to end its streams.
  void may_park(std::function<void()> cancel) { cancel_ = std::move(cancel); }

  /// For the handler, before it returns from start: the answer comes from the thread with this index. A connection
  /// whose requests go elsewhere may be moved there.
  void answered_in(std::size_t lane) { lane_ = lane; }
  std::optional<std::size_t> lane() const { return lane_; }

  /// `undelivered` is called if the answer did not reach the client.
  void complete(protocol::WireResponse response, std::function<void()> undelivered = {}) {
    response_ = std::move(response);
    undelivered_ = std::move(undelivered);
    end();
  }

  /// The answer's length is not known: its head goes out at once, and its body, unless it is empty, as the first piece.
  /// REQUIRES: may_park was called.
  void begin_stream(protocol::WireResponse head) {
    if (cancelled_) return;
    streams_ = true;
    head_waits_ = true;
    response_ = std::move(head);
    tell();
  }

  /// Sends a piece without waiting for more. `written` is called once the socket, or the window of HTTP/2, has taken
  /// it, and never after a cancel or `end_stream`; it may write the next one. REQUIRES: begin_stream was called, and
  /// every piece before this one was written.
  void write_piece(std::string piece, std::function<void()> written) {
    if (cancelled_) return;
    piece_ = std::move(piece);
    written_ = std::move(written);
    tell();
  }

  /// Ends a stream as `complete` ends other answers. A piece that is not written yet goes out before.
  void end_stream() {
    written_ = {};
    if (cancelled_) {
      abandon();
    } else {
      end();
    }
  }

  /// In place of the others, after a cancel: there is no answer, and nobody to read it.
  void abandon() {
    abandoned_ = true;
    written_ = {};
    end();
  }

  // From here on for the session.

  bool abandoned() const { return abandoned_; }
  /// True once the handler has no more to say.
  bool completed() const { return completed_; }
  bool parks() const { return static_cast<bool>(cancel_); }
  bool streams() const { return streams_; }
  void cancel() {
    if (completed_) return;
    cancelled_ = true;
    written_ = {};
    if (auto once = std::exchange(cancel_, {})) once();
  }
  /// The whole answer, or the head of a stream.
  protocol::WireResponse& response() { return *response_; }
  void report_undelivered() {
    if (auto once = std::exchange(undelivered_, {})) once();
  }
  bool wants_delivery_report() const { return static_cast<bool>(undelivered_); }

  /// The head is in the session's hands.
  void take_head() { head_waits_ = false; }
  /// The piece that waits to be sent, until piece_taken is called; null if there is none.
  const std::string* piece() const { return piece_ ? &*piece_ : nullptr; }
  void piece_taken() {
    piece_.reset();
    if (auto once = std::exchange(written_, {})) once();
  }

  /// True if the session has something to do: the end of the exchange, or a head or a piece to send.
  bool has_news() const { return completed_ || (!cancelled_ && (head_waits_ || piece_)); }

  /// Resumes once there are news. For sessions that are no listeners.
  template <class CompletionToken>
  auto wait(CompletionToken&& token) {
    return boost::asio::async_initiate<CompletionToken, void()>(
        [this](auto handler) {
          if (has_news()) {
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

  void end() {
    completed_ = true;
    cancel_ = {};
    tell();
  }

  // The last thing that any call does: the session may destroy the exchange.
  void tell() {
    if (listener_ != nullptr) {
      listener_->on_news(*this);
    } else if (auto waiter = std::move(waiter_)) {
      waiter->wake();
    }
  }

  boost::asio::any_io_executor executor_;
  Listener* listener_;
  RequestNotes notes_;
  std::optional<protocol::WireResponse> response_;
  std::optional<std::string> piece_;
  std::function<void()> written_;
  std::function<void()> undelivered_;
  std::function<void()> cancel_;
  std::unique_ptr<Waiter> waiter_;
  std::optional<std::size_t> lane_;
  bool completed_ = false;
  bool abandoned_ = false;
  bool cancelled_ = false;
  bool streams_ = false;
  bool head_waits_ = false;
};

/// What answers requests. One per thread; called in that thread only.
class Handler {
 public:
  Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  virtual ~Handler() = default;

  /// Begins to answer. The request's views live until this returns; the exchange until it has ended.
  virtual void start(protocol::WireRequest request, Exchange& exchange) = 0;

  /// Whether the body of such a request may come to NetLimits::large_body_bytes_max. Asked once its head is there and
  /// its body is known to be larger than others may be; what there is of the body is not in `head`.
  virtual bool takes_large_body(const protocol::WireRequest& /*head*/) const { return false; }

  /// The answer to bytes that are no request that could be started; after it the connection is closed.
  virtual protocol::WireResponse refuse(int status, std::string_view reason) = 0;
};

}  // namespace penstock::net
