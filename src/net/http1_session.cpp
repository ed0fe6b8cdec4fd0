#include "net/http1_session.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/connection.hpp"

namespace penstock::net {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using protocol::WireRequest;
using protocol::WireResponse;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t read_bytes = Connection::read_bytes;
constexpr std::size_t read_bytes_max = Connection::read_bytes_max;
constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view line_end = "\r\n";
constexpr std::string_view last_chunk = "0\r\n\r\n";

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

// How the client is to know where the body ends.
enum class Framing { length, chunked, close };

std::string head_of(const WireResponse& response, bool keep_alive, Framing framing) {
  std::string head;
  head.reserve(320);
  head.append("HTTP/1.1 ").append(std::to_string(response.status)).push_back(' ');
  head.append(view(http::obsolete_reason(static_cast<http::status>(response.status)))).append("\r\n");
  const bool content = has_content(response);
  if (content && !response.content_type.empty()) {
    head.append("Content-Type: ").append(response.content_type).append("\r\n");
  }
  for (const auto& [name, value] : response.headers) head.append(name).append(": ").append(value).append("\r\n");
  if (framing == Framing::length) {
    if (content) head.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
  } else if (framing == Framing::chunked) {
    head.append("Transfer-Encoding: chunked\r\n");
  }
  head.append(keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
  return head;
}

std::string chunk_size_line(std::size_t size) {
  std::array<char, 2 * sizeof size> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16);
  return std::string(digits.data(), end.ptr).append(line_end);
}

class Http1Session final : public SessionGroup::Session {
 public:
  explicit Http1Session(Connection& connection)
      : connection_(connection),
        transport_(connection.transport),
        group_(connection.group),
        buffer_(connection.buffer) {}
  ~Http1Session() override {
    connection_.member->session = nullptr;
    group_.release_body(body_reserved_);
    group_.release_answer(answer_reserved_);
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

  // Both only while an answer is streamed.
  void on_sweep(SessionGroup::Clock::time_point now) override {
    if (connection_.member->deadline > now) return;
    error_code ignored;
    transport_.socket().close(ignored);
  }
  // Whoever answers hears of the stop as well, and ends the stream.
  void on_stop() override {}

 private:
  void release_body() {
    group_.release_body(body_reserved_);
    body_reserved_ = 0;
  }

  // Counts what is to be sent, as the streams of HTTP/2 do.
  bool reserve_answer(std::size_t bytes) {
    if (!group_.reserve_answer(bytes)) return false;
    answer_reserved_ = bytes;
    return true;
  }
  void release_answer() { group_.release_answer(std::exchange(answer_reserved_, 0)); }

  // 0: a whole request; positive: the status with which to refuse it; negative: the connection is over.
  asio::awaitable<int> read(Parser& parser) {
    parser.eager(true);
    parser.header_limit(group_.limits().header_bytes_max);
    // What is to be read is not known before the target is, and by then some of the body may have been.
    parser.body_limit(std::max(group_.limits().large_body_bytes_max, group_.limits().body_bytes_max));
    connection_.set_idle(true);
    connection_.set_deadline(group_.limits().idle_time_max);
    takes_large_body_.reset();
    bool continued = false;
    std::size_t step = read_bytes;
    for (;;) {
      if (buffer_.size() > 0) {
        if (connection_.member->idle) connection_.set_deadline(group_.limits().request_time_max);
        connection_.set_idle(false);
        error_code error;
        const std::size_t used = parser.put(buffer_.data(), error);
        buffer_.consume(used);
        if (error && error != http::error::need_more) co_return status_of(error) == 0 ? -1 : status_of(error);
        if (parser.is_header_done() && is_too_large(parser)) co_return 413;
        if (parser.is_done()) co_return 0;
        if (!count_body(parser)) co_return 503;
        if (parser.is_header_done() && !continued && expects_continue(parser)) {
          continued = true;
          const auto [failed, sent] = co_await asio::async_write(transport_, asio::buffer(continue_line), as_result);
          if (failed) co_return -1;
        }
      }
      const auto [error, got] = co_await transport_.async_read_some(buffer_.prepare(step), as_result);
      if (error) co_return -1;
      buffer_.commit(got);
      // A long body is read in longer steps.
      if (got == step && step < read_bytes_max) step *= 2;
    }
  }

  bool is_too_large(const Parser& parser) {
    const std::uint64_t announced = parser.content_length().value_or(0);
    const std::uint64_t size = std::max<std::uint64_t>(announced, parser.get().body().size());
    if (size <= group_.limits().body_bytes_max) return false;
    if (size > group_.limits().large_body_bytes_max) return true;
    if (!takes_large_body_) takes_large_body_ = group_.handler().takes_large_body(request_of(parser.get()));
    return !*takes_large_body_;
  }

  // Of what has been read of it; its body is left out.
  WireRequest request_of(const http::request<http::string_body>& request) {
    headers_.clear();
    for (const auto& field : request) headers_.push_back({view(field.name_string()), view(field.value())});
    return {.method = view(request.method_string()),
            .target = view(request.target()),
            .headers = headers_,
            .secure = transport_.secure()};
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
    if (!lane_ || buffer_.size() > 0 || transport_.secure()) return false;
    SessionGroup* home = group_.better_home(*lane_);
    if (home == nullptr) return false;
    error_code error;
    const auto protocol = transport_.socket().local_endpoint(error).protocol();
    if (error) return false;
    const int descriptor = transport_.socket().release(error);
    if (error) return false;
    home->adopt(protocol, descriptor);
    return true;
  }

  // False if the connection is not to be used again.
  asio::awaitable<bool> answer(Parser& parser) {
    const http::request<http::string_body>& request = parser.get();
    WireRequest asked = request_of(request);
    asked.body = request.body();
    Exchange exchange(transport_.get_executor());
    group_.handler().start(asked, exchange);
    if (!exchange.has_news()) co_await wait_for(exchange);
    lane_ = exchange.lane();
    if (exchange.abandoned()) co_return false;
    const bool keep_alive = request.keep_alive() && !group_.stopping();
    const bool with_body = request.method() != http::verb::head;
    if (!exchange.streams()) {
      const bool sends_body = with_body && has_content(exchange.response());
      co_return co_await write(exchange, keep_alive, sends_body) && keep_alive;
    }
    // Clients of HTTP/1.0 know no chunks.
    const Framing framing = request.version() < 11 ? Framing::close : Framing::chunked;
    co_return co_await stream(exchange, framing, keep_alive && framing == Framing::chunked, with_body);
  }

  asio::awaitable<void> wait_for(Exchange& exchange) {
    // A long poll ends by itself; how long that takes is the handler's business.
    connection_.clear_deadline();
    if (!exchange.parks()) {
      co_await exchange.wait(asio::use_awaitable);
      co_return;
    }
    begin_watch(exchange);
    co_await exchange.wait(asio::use_awaitable);
    co_await end_watch();
  }

  // Cancels the exchange if the client goes away, until end_watch. Nobody is kept busy by what is watched.
  void begin_watch(Exchange& exchange) {
    group_.end_busy();
    watched_ = &exchange;
    watch_.emplace(transport_.get_executor());
    // A TLS client says goodbye before it closes, and what it says has to be read.
    if (transport_.secure()) return watch_by_reading();
    transport_.socket().async_wait(asio::ip::tcp::socket::wait_read, [this](const error_code& error) {
      if (!error && transport_.has_gone()) watched_->cancel();
      watch_->complete({});
    });
  }

  // What is read meanwhile is the beginning of the next request.
  void watch_by_reading() {
    transport_.async_read_some(buffer_.prepare(read_bytes), [this](const error_code& error, std::size_t got) {
      buffer_.commit(got);
      if (!error && !ending_watch_ && buffer_.size() < read_bytes_max) return watch_by_reading();
      if (error && error != asio::error::operation_aborted) watched_->cancel();
      watch_->complete({});
    });
  }

  asio::awaitable<void> end_watch() {
    group_.begin_busy();
    if (!watch_->completed()) {
      ending_watch_ = true;
      error_code ignored;
      transport_.socket().cancel(ignored);
      // What the watch refers to has to outlive it.
      co_await watch_->wait(asio::use_awaitable);
      ending_watch_ = false;
    }
    watched_ = nullptr;
  }

  asio::awaitable<bool> write(Exchange& exchange, bool keep_alive, bool with_body) {
    if (exchange.wants_delivery_report() && transport_.has_gone()) {
      exchange.report_undelivered();
      co_return false;
    }
    if (with_body && !reserve_answer(exchange.response().body.size())) {
      // The answer is lost, as it is for a client that goes away.
      exchange.report_undelivered();
      exchange.response() =
          group_.handler().refuse(503, view(http::obsolete_reason(http::status::service_unavailable)));
    }
    connection_.set_deadline(group_.limits().write_time_max);
    const WireResponse& response = exchange.response();
    const std::string head = head_of(response, keep_alive, Framing::length);
    const std::array<asio::const_buffer, 2> parts{asio::buffer(head),
                                                  with_body ? asio::buffer(response.body) : asio::const_buffer{}};
    const auto [error, sent] = co_await asio::async_write(transport_, parts, as_result);
    release_answer();
    if (error) {
      exchange.report_undelivered();
      co_return false;
    }
    co_return true;
  }

  // False if the connection is not to be used again.
  asio::awaitable<bool> stream(Exchange& exchange, Framing framing, bool keep_alive, bool with_body) {
    begin_watch(exchange);
    connection_.member->session = this;
    exchange.take_head();
    const std::string head = head_of(exchange.response(), keep_alive, framing);
    bool open = co_await write_piece(head, with_body ? exchange.response().body : std::string_view{}, framing);
    exchange.response().body = {};
    while (open && !exchange.abandoned()) {
      if (const std::string* piece = exchange.piece()) {
        open = !with_body || co_await write_piece({}, *piece, framing);
        if (open) exchange.piece_taken();
      } else if (exchange.completed()) {
        break;
      } else {
        connection_.clear_deadline();
        co_await exchange.wait(asio::use_awaitable);
      }
    }
    if (open && !exchange.abandoned() && with_body && framing == Framing::chunked) {
      open = co_await write_all(std::array{asio::buffer(last_chunk)});
    }
    exchange.cancel();
    while (!exchange.completed()) co_await exchange.wait(asio::use_awaitable);
    connection_.member->session = nullptr;
    co_await end_watch();
    co_return open&& keep_alive && !exchange.abandoned();
  }

  // `head` goes before the chunk. An empty piece makes none: it would be the last one. One that is over the budget ends
  // the stream, as a client that does not take its piece does.
  asio::awaitable<bool> write_piece(std::string_view head, std::string_view piece, Framing framing) {
    if (!reserve_answer(piece.size())) co_return false;
    const bool chunk = framing == Framing::chunked && !piece.empty();
    const std::string size = chunk ? chunk_size_line(piece.size()) : std::string();
    const bool written = co_await write_all(std::array{asio::buffer(head), asio::buffer(size), asio::buffer(piece),
                                                       asio::buffer(chunk ? line_end : std::string_view{})});
    release_answer();
    co_return written;
  }

  template <std::size_t count>
  asio::awaitable<bool> write_all(std::array<asio::const_buffer, count> parts) {
    connection_.set_deadline(group_.limits().write_time_max);
    const auto [error, sent] = co_await asio::async_write(transport_, parts, as_result);
    co_return !error;
  }

  asio::awaitable<void> refuse(int status) {
    const WireResponse response =
        group_.handler().refuse(status, view(http::obsolete_reason(static_cast<http::status>(status))));
    connection_.set_deadline(group_.limits().write_time_max);
    const std::string all = head_of(response, false, Framing::length) + response.body;
    const auto [error, sent] = co_await asio::async_write(transport_, asio::buffer(all), as_result);
    if (error) co_return;
    // Closing with unread bytes would reset the connection, and the client might never see why.
    error_code ignored;
    transport_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    std::size_t drained = 0;
    while (drained < group_.limits().body_bytes_max) {
      buffer_.clear();
      const auto [end, got] = co_await transport_.async_read_some(buffer_.prepare(read_bytes), as_result);
      if (end) co_return;
      drained += got;
    }
  }

  Connection& connection_;
  Transport& transport_;
  SessionGroup& group_;
  boost::beast::flat_buffer& buffer_;
  std::vector<protocol::Header> headers_;
  std::size_t body_reserved_ = 0;
  std::optional<bool> takes_large_body_;  ///< of the request that is being read, once it has been asked
  std::size_t answer_reserved_ = 0;
  std::optional<std::size_t> lane_;  // where the last request was answered
  Exchange* watched_ = nullptr;
  std::optional<Exchange> watch_;  // completed when nothing watches any more
  bool ending_watch_ = false;
};

}  // namespace

asio::awaitable<void> run_http1_session(Connection& connection) {
  Http1Session session(connection);
  co_await session.run();
}

}  // namespace penstock::net
