#include "net/http1_session.hpp"

#include <poll.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/session_group.hpp"

namespace penstock::net {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using protocol::WireRequest;
using protocol::WireResponse;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t read_bytes = 16U << 10U;
constexpr std::size_t read_bytes_max = 256U << 10U;
constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

using Parser = http::request_parser<http::string_body>;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

// Why a request could not be read, as a status; 0 where the client has gone and nobody waits for an answer.
int status_of(const error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) return 431;
  if (error == http::error::body_limit) return 413;
  if (error.category() == http::make_error_code(http::error::bad_method).category()) {
    const bool cut_off = error == http::error::end_of_stream || error == http::error::partial_message;
    return cut_off ? 0 : 400;
  }
  return 0;
}

// True if the client has closed its side, whatever it has sent before that.
bool has_gone(asio::ip::tcp::socket& socket) {
  pollfd descriptor{socket.native_handle(), POLLRDHUP, 0};
  return ::poll(&descriptor, 1, 0) > 0;
}

std::string head_of(const WireResponse& response, bool keep_alive, bool empty_body_counts) {
  std::string head;
  head.reserve(320);
  head.append("HTTP/1.1 ").append(std::to_string(response.status)).push_back(' ');
  head.append(view(http::obsolete_reason(static_cast<http::status>(response.status)))).append("\r\n");
  if (!response.content_type.empty()) head.append("Content-Type: ").append(response.content_type).append("\r\n");
  for (const auto& [name, value] : response.headers) head.append(name).append(": ").append(value).append("\r\n");
  if (empty_body_counts || !response.body.empty()) {
    head.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
  }
  head.append(keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
  return head;
}

class Http1Session {
 public:
  Http1Session(asio::ip::tcp::socket socket, SessionGroup& group)
      : socket_(std::move(socket)), group_(group), member_(group.join(socket_)) {
    buffer_.reserve(read_bytes);
  }
  Http1Session(const Http1Session&) = delete;
  Http1Session& operator=(const Http1Session&) = delete;
  ~Http1Session() {
    group_.release_body(body_reserved_);
    set_idle(true);
    group_.leave(member_);
  }

  asio::awaitable<void> run() {
    for (;;) {
      Parser parser;
      const int problem = co_await read(parser);
      if (problem < 0) co_return;
      if (problem > 0) {
        co_await refuse(problem);
        co_return;
      }
      if (!co_await answer(parser)) co_return;
      release_body();
      // What a long body needed is not held while nothing happens.
      if (buffer_.size() == 0 && buffer_.capacity() > read_bytes) buffer_.shrink_to_fit();
      if (group_.stopping() || move_home()) co_return;
    }
  }

 private:
  void set_deadline(std::chrono::seconds from_now) { member_->deadline = SessionGroup::Clock::now() + from_now; }

  void set_idle(bool idle) {
    if (std::exchange(member_->idle, idle) == idle) return;
    if (idle) {
      group_.end_busy();
    } else {
      group_.begin_busy();
    }
  }

  void release_body() {
    group_.release_body(body_reserved_);
    body_reserved_ = 0;
  }

  // 0: a whole request; positive: the status with which to refuse it; negative: the connection is over.
  asio::awaitable<int> read(Parser& parser) {
    parser.eager(true);
    parser.header_limit(group_.limits().header_bytes_max);
    parser.body_limit(group_.limits().body_bytes_max);
    set_idle(true);
    set_deadline(group_.limits().idle_time_max);
    bool continued = false;
    std::size_t step = read_bytes;
    for (;;) {
      if (buffer_.size() > 0) {
        if (member_->idle) set_deadline(group_.limits().request_time_max);
        set_idle(false);
        error_code error;
        const std::size_t used = parser.put(buffer_.data(), error);
        buffer_.consume(used);
        if (error && error != http::error::need_more) co_return status_of(error) == 0 ? -1 : status_of(error);
        if (parser.is_done()) co_return 0;
        if (!count_body(parser)) co_return 503;
        if (parser.is_header_done() && !continued && expects_continue(parser)) {
          continued = true;
          const auto [failed, sent] = co_await asio::async_write(socket_, asio::buffer(continue_line), as_result);
          if (failed) co_return -1;
        }
      }
      const auto [error, got] = co_await socket_.async_read_some(buffer_.prepare(step), as_result);
      if (error) co_return -1;
      buffer_.commit(got);
      // A long body is read in longer steps.
      if (got == step && step < read_bytes_max) step *= 2;
    }
  }

  static bool expects_continue(const Parser& parser) {
    return boost::beast::iequals(parser.get()[http::field::expect], "100-continue");
  }

  bool count_body(const Parser& parser) {
    const std::size_t held = parser.is_header_done() ? parser.get().body().size() : 0;
    if (held <= body_reserved_) return true;
    if (!group_.reserve_body(held - body_reserved_)) return false;
    body_reserved_ = held;
    return true;
  }

  // True if the connection has been given to another thread. What was read ahead could not go with it.
  bool move_home() {
    if (!lane_ || buffer_.size() > 0) return false;
    SessionGroup* home = group_.better_home(*lane_);
    if (home == nullptr) return false;
    error_code error;
    const auto protocol = socket_.local_endpoint(error).protocol();
    if (error) return false;
    const int descriptor = socket_.release(error);
    if (error) return false;
    home->adopt(protocol, descriptor);
    return true;
  }

  // False if the connection is not to be used again.
  asio::awaitable<bool> answer(Parser& parser) {
    const http::request<http::string_body>& request = parser.get();
    headers_.clear();
    for (const auto& field : request) headers_.push_back({view(field.name_string()), view(field.value())});
    Exchange exchange(socket_.get_executor());
    group_.handler().start(
        WireRequest{view(request.method_string()), view(request.target()), headers_, request.body(), {}}, exchange);
    if (!exchange.completed()) co_await wait_for(exchange);
    lane_ = exchange.lane();
    if (exchange.abandoned()) co_return false;
    const bool keep_alive = request.keep_alive() && !group_.stopping();
    co_return co_await write(exchange, keep_alive, request.method() != http::verb::head) && keep_alive;
  }

  asio::awaitable<void> wait_for(Exchange& exchange) {
    // A long poll ends by itself; how long that takes is the handler's business.
    member_->deadline = SessionGroup::Clock::time_point::max();
    if (!exchange.parks()) {
      co_await exchange.wait(asio::use_awaitable);
      co_return;
    }
    Exchange watch(socket_.get_executor());
    socket_.async_wait(asio::ip::tcp::socket::wait_read, [&](const error_code& error) {
      if (!error && !exchange.completed() && has_gone(socket_)) exchange.cancel();
      watch.complete({});
    });
    group_.end_busy();
    co_await exchange.wait(asio::use_awaitable);
    group_.begin_busy();
    if (watch.completed()) co_return;
    error_code ignored;
    socket_.cancel(ignored);
    // What the watch refers to is in this frame.
    co_await watch.wait(asio::use_awaitable);
  }

  asio::awaitable<bool> write(Exchange& exchange, bool keep_alive, bool with_body) {
    if (exchange.wants_delivery_report() && has_gone(socket_)) {
      exchange.report_undelivered();
      co_return false;
    }
    set_deadline(group_.limits().write_time_max);
    const WireResponse& response = exchange.response();
    const std::string head = head_of(response, keep_alive, true);
    const std::array<asio::const_buffer, 2> parts{asio::buffer(head),
                                                  with_body ? asio::buffer(response.body) : asio::const_buffer{}};
    const auto [error, sent] = co_await asio::async_write(socket_, parts, as_result);
    if (error) {
      exchange.report_undelivered();
      co_return false;
    }
    co_return true;
  }

  asio::awaitable<void> refuse(int status) {
    const WireResponse response =
        group_.handler().refuse(status, view(http::obsolete_reason(static_cast<http::status>(status))));
    set_deadline(group_.limits().write_time_max);
    const std::string all = head_of(response, false, true) + response.body;
    const auto [error, sent] = co_await asio::async_write(socket_, asio::buffer(all), as_result);
    if (error) co_return;
    // Closing with unread bytes would reset the connection, and the client might never see why.
    error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    std::size_t drained = 0;
    while (drained < group_.limits().body_bytes_max) {
      buffer_.clear();
      const auto [end, got] = co_await socket_.async_read_some(buffer_.prepare(read_bytes), as_result);
      if (end) co_return;
      drained += got;
    }
  }

  asio::ip::tcp::socket socket_;
  SessionGroup& group_;
  std::list<SessionGroup::Member>::iterator member_;
  boost::beast::flat_buffer buffer_;
  std::vector<protocol::Header> headers_;
  std::size_t body_reserved_ = 0;
  std::optional<std::size_t> lane_;  // where the last request was answered
};

}  // namespace

asio::awaitable<void> run_http1_session(asio::ip::tcp::socket socket, SessionGroup& group) {
  Http1Session session(std::move(socket), group);
  co_await session.run();
}

}  // namespace penstock::net
