// A handler that tests speak for, behind a listener on a loopback port, and clients that send what they please.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "net/exchange.hpp"
#include "net/listener.hpp"
#include "net/session_group.hpp"

namespace penstock::net::test {

/// After which something that should happen is taken not to.
inline constexpr std::chrono::seconds patience{20};

/// Something that one thread waits for and another one does.
template <class T>
class Happening {
 public:
  void happen(T value) { promise_.set_value(std::move(value)); }
  T await() {
    if (future_.wait_for(patience) != std::future_status::ready) throw std::runtime_error("it did not happen");
    return future_.get();
  }
  bool happened() const { return future_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }

 private:
  std::promise<T> promise_;
  std::future<T> future_ = promise_.get_future();
};

class Server final : public Handler {
 public:
  using Start = std::function<void(const protocol::WireRequest&, Exchange&)>;

  explicit Server(Start on_start, const NetLimits& limits = {})
      : on_start_(std::move(on_start)),
        sessions_(context_.get_executor(), *this, limits),
        listener_(context_, {{&context_, &sessions_}}),
        guard_(boost::asio::make_work_guard(context_)) {
    if (const auto error = listener_.open({"127.0.0.1"}, 0, false)) throw std::runtime_error(error.message);
    listener_.start();
    thread_ = std::thread([this] { context_.run(); });
  }
  ~Server() override {
    run([this] {
      listener_.stop();
      sessions_.stop([this] { guard_.reset(); });
      sessions_.abort();
    });
    thread_.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const { return listener_.port(); }
  SessionGroup& sessions() { return sessions_; }
  /// In the server's thread.
  void run(std::function<void()> what) { boost::asio::post(context_, std::move(what)); }
  /// What is waited for in the server's thread is asked again and again, since nothing tells when it changes.
  void await(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + patience;
    for (;;) {
      Happening<bool> asked;
      run([&] { asked.happen(condition()); });
      if (asked.await()) return;
      if (std::chrono::steady_clock::now() > end) throw std::runtime_error("it did not happen");
      std::this_thread::yield();
    }
  }

  void start(protocol::WireRequest request, Exchange& exchange) override { on_start_(request, exchange); }
  bool takes_large_body(const protocol::WireRequest& head) const override {
    return head.method == "POST" && head.target.starts_with("/large") && head.header("Host").starts_with("localhost");
  }
  protocol::WireResponse refuse(int status, std::string_view reason) override {
    return {status, "text/plain", {}, std::string(reason)};
  }

 private:
  Start on_start_;
  boost::asio::io_context context_{1};
  SessionGroup sessions_;
  Listener listener_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::thread thread_;
};

/// A blocking connection.
class Client {
 public:
  explicit Client(std::uint16_t port, int receive_buffer = 0) {
    if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const timeval limit{patience.count(), 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const int yes = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect");
    }
  }
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// False if the server has closed the connection.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// That many bytes, or fewer if the connection ends before.
  std::string read(std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t read = 0;
    while (read < size) {
      const ssize_t got = ::recv(socket_, bytes.data() + read, size - read, 0);
      if (got < 0 && errno == EAGAIN) throw std::runtime_error("the server sent nothing");
      if (got <= 0) break;
      read += static_cast<std::size_t>(got);
    }
    bytes.resize(read);
    return bytes;
  }
  std::string read_to(std::string_view end) {
    std::string bytes;
    while (!bytes.ends_with(end)) {
      const std::string byte = read(1);
      if (byte.empty()) break;
      bytes += byte;
    }
    return bytes;
  }
  std::string read_to_end() {
    std::string bytes;
    for (std::string more = read(1); !more.empty(); more = read(1)) bytes += more;
    return bytes;
  }
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }

 private:
  int socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

struct Frame {
  int type = -1;  ///< -1: the connection ended
  int flags = 0;
  std::int32_t stream = 0;
  std::string payload;

  bool ends_stream() const { return (flags & NGHTTP2_FLAG_END_STREAM) != 0; }
  /// The error code of RST_STREAM, or of GOAWAY.
  std::uint32_t code() const {
    const std::size_t at = type == NGHTTP2_GOAWAY ? 4 : 0;
    std::uint32_t number = 0;
    for (std::size_t i = at; i < at + 4; ++i) number = number << 8U | static_cast<unsigned char>(payload.at(i));
    return number;
  }
};

inline std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

inline std::string frame(int type, int flags, std::int32_t stream, std::string_view payload = {}) {
  return number(payload.size(), 3) + number(static_cast<unsigned>(type), 1) + number(static_cast<unsigned>(flags), 1) +
         number(static_cast<std::uint32_t>(stream), 4) + std::string(payload);
}

/// An integer of HPACK behind a pattern that leaves it this many bits.
inline std::string hpack_integer(unsigned pattern, int bits, std::size_t value) {
  const std::size_t most = (1U << bits) - 1U;
  if (value < most) return number(pattern | value, 1);
  std::string text = number(pattern | most, 1);
  for (value -= most; value >= 128; value >>= 7U) text += number((value & 127U) | 128U, 1);
  return text + number(value, 1);
}
inline std::string hpack_text(std::string_view text) { return hpack_integer(0, 7, text.size()) + std::string(text); }
/// A header that no table is to remember.
inline std::string hpack_header(std::string_view name, std::string_view value) {
  return number(0, 1) + hpack_text(name) + hpack_text(value);
}

/// A client of HTTP/2 that knows no manners: it sends frames, and is given frames.
class Http2Client : public Client {
 public:
  explicit Http2Client(std::uint16_t port, std::string_view settings = {}) : Client(port) {
    nghttp2_hd_inflate_new(&inflater_);
    send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(NGHTTP2_SETTINGS, 0, 0, settings));
    first_ = next();
    // Until then it is the protocol's own, small windows that hold.
    send(frame(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0));
  }
  ~Http2Client() { nghttp2_hd_inflate_del(inflater_); }
  Http2Client(const Http2Client&) = delete;
  Http2Client& operator=(const Http2Client&) = delete;

  static std::string head(std::string_view method, std::string_view path) {
    return hpack_header(":method", method) + hpack_header(":scheme", "http") + hpack_header(":path", path) +
           hpack_header(":authority", "localhost:1");
  }
  bool get(std::int32_t stream, std::string_view path = "/", std::string_view more = {}) {
    return send(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, stream,
                      head("GET", path) + std::string(more)));
  }
  bool post(std::int32_t stream, std::string_view more = {}) {
    return send(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream, head("POST", "/") + std::string(more)));
  }
  bool data(std::int32_t stream, std::string_view bytes, bool last) {
    return send(frame(NGHTTP2_DATA, last ? NGHTTP2_FLAG_END_STREAM : 0, stream, bytes));
  }
  bool reset(std::int32_t stream) { return send(frame(NGHTTP2_RST_STREAM, 0, stream, number(NGHTTP2_CANCEL, 4))); }
  bool open_window(std::int32_t stream, std::uint32_t by) {
    return send(frame(NGHTTP2_WINDOW_UPDATE, 0, stream, number(by, 4)));
  }

  /// What the server sent first.
  const Frame& first() const { return first_; }
  Frame next() {
    const std::string head = read(9);
    if (head.size() < 9) return {};
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(head[at]); };
    Frame got{byte(3), byte(4), byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8), {}};
    got.payload = read(static_cast<std::size_t>(byte(0) << 16 | byte(1) << 8 | byte(2)));
    if (got.type == NGHTTP2_HEADERS) inflate(got);
    return got;
  }
  /// The next frame of that type, and of that stream; other frames are passed over.
  Frame next(int type, std::int32_t stream) {
    for (;;) {
      Frame got = next();
      if (got.type == -1 || (got.type == type && got.stream == stream)) return got;
    }
  }
  /// All data of a stream to its end.
  std::string body(std::int32_t stream) {
    std::string all;
    for (;;) {
      const Frame got = next(NGHTTP2_DATA, stream);
      all += got.payload;
      if (got.type == -1 || got.ends_stream()) return all;
    }
  }
  /// The headers of the last answer that began.
  const std::map<std::string, std::string>& headers() const { return headers_; }
  std::string status(std::int32_t stream) {
    return next(NGHTTP2_HEADERS, stream).type == -1 ? "" : headers_.at(":status");
  }

 private:
  void inflate(const Frame& got) {
    headers_.clear();
    const auto* at = reinterpret_cast<const std::uint8_t*>(got.payload.data());
    const std::uint8_t* const end = at + got.payload.size();
    for (;;) {
      nghttp2_nv header{};
      int flags = 0;
      const ssize_t used =
          nghttp2_hd_inflate_hd2(inflater_, &header, &flags, at, static_cast<std::size_t>(end - at), 1);
      ASSERT_GE(used, 0);
      at += used;
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        headers_[std::string(header.name, header.name + header.namelen)] =
            std::string(header.value, header.value + header.valuelen);
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_);
  }

  nghttp2_hd_inflater* inflater_ = nullptr;
  Frame first_;
  std::map<std::string, std::string> headers_;
};

}  // namespace penstock::net::test
