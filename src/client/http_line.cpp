#include "client/http_line.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/system/system_error.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <cerrno>
#include <cstdint>
#include <exception>
#include <limits>
#include <mutex>
#include <random>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "protocol/text.hpp"

namespace penstock::client {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using boost::system::system_error;

namespace {

constexpr unsigned http_version = 11;
/// How long a request that is interrupted is given to be read by the server, from when it was sent. A poll that is read
/// only after the next request, by which its member leaves, would take it for a member again.
constexpr std::chrono::milliseconds settle_time{100};

int make_bell() {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  return fd;
}

http::request<http::string_body> to_http(const Request& request, const Endpoint& endpoint) {
  http::request<http::string_body> out;
  out.version(http_version);
  out.method_string(request.method);
  out.target(endpoint.path + request.target);
  out.set(http::field::host, endpoint.authority);
  if (!request.body.empty()) out.set(http::field::content_type, "application/json");
  for (const auto& [name, value] : request.headers) out.set(name, value);
  out.body() = request.body;
  out.prepare_payload();
  return out;
}

}  // namespace

Endpoint parse_endpoint(const std::string& text) {
  const auto refuse = [&](const char* why) { throw std::invalid_argument("the endpoint '" + text + "' " + why); };
  const auto parsed = boost::urls::parse_uri(text);
  if (!parsed || parsed->host().empty()) refuse("is not like http://host:port");
  const boost::urls::url_view& url = parsed.value();
  if (url.scheme() != "http") refuse("is not http, which is all that this client speaks");
  if (url.has_userinfo() || url.has_query() || url.has_fragment()) refuse("has more than a host, a port and a path");
  Endpoint endpoint{url.host_address(), 80, std::string(url.encoded_path()), std::string(url.encoded_host())};
  if (url.has_port() && !url.port().empty()) {
    endpoint.port = url.port_number();
    if (endpoint.port == 0) refuse("has a port that is none");
    endpoint.authority += ":" + std::to_string(endpoint.port);
  }
  while (endpoint.path.ends_with('/')) endpoint.path.pop_back();
  return endpoint;
}

struct HttpLine::Attempt {
  std::optional<Answer> answer;
  bool stale = false;  ///< the connection was an old one, which the server had closed: nothing of an answer came
  bool interrupted = false;
  bool reached = false;                           ///< there was a connection
  std::chrono::steady_clock::time_point sent_at;  ///< epoch if it is not
  std::string failure;                            ///< of the endpoint, which goes before it
};

namespace {

/// What an endpoint did, as its name is followed by: one that is there is told apart from one that is not.
std::string failure_of(const error_code& code, bool reached) {
  const bool late = code == boost::beast::error::timeout;
  if (reached) return late ? "was reached, but did not answer in time" : "was reached, but: " + code.message();
  return "cannot be reached: " + (late ? "there was no connection in time" : code.message());
}

}  // namespace

HttpLine::HttpLine(Endpoint endpoint)
    : endpoint_(std::move(endpoint)), bell_fd_(make_bell()), bell_(context_, bell_fd_) {}

asio::awaitable<void> HttpLine::connect() {
  stream_.expires_after(connect_time_max);
  error_code no_address;
  const auto address = asio::ip::make_address(endpoint_.host, no_address);
  if (!no_address) {
    co_await stream_.async_connect(tcp::endpoint(address, endpoint_.port), asio::use_awaitable);
  } else {
    // Resolving is bounded by the resolver's own time limits, since getaddrinfo cannot be called off.
    const std::string port = std::to_string(endpoint_.port);
    const auto found = co_await resolver_.async_resolve(endpoint_.host, port, asio::use_awaitable);
    stream_.expires_after(connect_time_max);
    co_await stream_.async_connect(found, asio::use_awaitable);
  }
  error_code ignored;
  stream_.socket().set_option(tcp::no_delay(true), ignored);
  connected_ = true;
}

asio::awaitable<void> HttpLine::converse(const Request& request, Attempt& attempt) {
  const bool reused = connected_;
  bool answered = false;
  try {
    if (!reused) co_await connect();
    attempt.reached = true;
    stream_.expires_after(request.timeout);
    const auto message = to_http(request, endpoint_);
    attempt.sent_at = std::chrono::steady_clock::now();
    co_await http::async_write(stream_, message, asio::use_awaitable);
    http::response_parser<http::empty_body> head;
    head.body_limit(answer_bytes_max);
    if (request.method == "HEAD") head.skip(true);
    co_await http::async_read_header(stream_, buffer_, head, asio::use_awaitable);
    answered = true;
    if (request.on_piece && http::to_status_class(head.get().result()) == http::status_class::successful) {
      const int status = static_cast<int>(head.get().result_int());
      co_await read_pieces(head, request);
      attempt.answer = Answer{status, {}};
      co_return;
    }
    http::response_parser<http::string_body> parser(std::move(head));
    co_await http::async_read(stream_, buffer_, parser, asio::use_awaitable);
    stream_.expires_never();
    if (!parser.keep_alive()) close();
    auto response = parser.release();
    attempt.answer = Answer{static_cast<int>(response.result_int()), std::move(response.body())};
    for (const auto& field : response) {
      std::string name(field.name_string());
      std::ranges::transform(name, name.begin(), protocol::to_lower);
      attempt.answer->headers.emplace_back(std::move(name), std::string(field.value()));
    }
  } catch (const system_error& error) {
    close();
    const error_code code = error.code();
    attempt.stale = reused && !answered &&
                    (code == http::error::end_of_stream || code == asio::error::connection_reset ||
                     code == asio::error::broken_pipe || code == asio::error::eof);
    attempt.failure = failure_of(code, attempt.reached);
  }
}

// A connection on which an answer was left in the middle is of no use any more.
asio::awaitable<void> HttpLine::read_pieces(http::response_parser<http::empty_body>& head, const Request& request) {
  http::response_parser<http::buffer_body> parser(std::move(head));
  parser.body_limit(boost::none);
  std::array<char, piece_bytes> piece{};
  try {
    while (!parser.is_done()) {
      parser.get().body().data = piece.data();
      parser.get().body().size = piece.size();
      stream_.expires_after(request.timeout);
      error_code error;
      co_await http::async_read_some(stream_, buffer_, parser, asio::redirect_error(asio::use_awaitable, error));
      if (error && error != http::error::need_buffer) throw system_error(error);
      request.on_piece({piece.data(), piece.size() - parser.get().body().size});
    }
  } catch (...) {
    close();
    throw;
  }
  stream_.expires_never();
  if (!parser.keep_alive()) close();
}

HttpLine::Attempt HttpLine::attempt(const Request& request) {
  Attempt attempt;
  std::exception_ptr thrown;
  context_.restart();
  asio::co_spawn(context_, converse(request, attempt), [&](const std::exception_ptr& error) {
    thrown = error;
    bell_.cancel();
    settled_.cancel();
  });
  if (request.interruptible) {
    bell_.async_wait(asio::posix::stream_descriptor::wait_read, [&](const error_code& error) {
      if (error || attempt.answer) return;
      attempt.interrupted = true;
      settled_.expires_at(attempt.sent_at + settle_time);
      settled_.async_wait([&](const error_code& answered) {
        if (answered) return;
        resolver_.cancel();
        stream_.cancel();
      });
    });
  }
  context_.run();
  if (thrown) std::rethrow_exception(thrown);
  return attempt;
}

std::optional<Answer> HttpLine::exchange(const Request& request) {
  Attempt done = attempt(request);
  // Servers close connections on which nothing happens for a while. No server closes one on which it has begun to
  // answer for that reason, and whoever calls has to bear that a request is carried out twice anyway.
  if (done.stale && !done.interrupted) done = attempt(request);
  if (done.answer) return std::move(done.answer);
  if (done.interrupted) {
    be_interrupted();
    return std::nullopt;
  }
  throw Unreachable("http://" + endpoint_.authority + " " + done.failure);
}

void HttpLine::close() {
  stream_.close();
  buffer_.clear();
  connected_ = false;
}

void HttpLine::be_interrupted() {
  std::uint64_t rung = 0;
  [[maybe_unused]] const ssize_t got = ::read(bell_fd_, &rung, sizeof rung);
}

void HttpLine::wait_until(std::chrono::steady_clock::time_point until) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left <= std::chrono::milliseconds(0)) return;
    const auto timeout = std::min<std::int64_t>(left.count(), std::numeric_limits<int>::max());
    pollfd bell{bell_fd_, POLLIN, 0};
    if (::poll(&bell, 1, static_cast<int>(timeout)) > 0) return be_interrupted();
  }
}

void HttpLine::interrupt() noexcept {
  const int before = errno;  // of whoever is interrupted by the signal
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t put = ::write(bell_fd_, &one, sizeof one);
  errno = before;
}

namespace {

class RealWorld final : public World {
 public:
  std::chrono::steady_clock::time_point now() override { return std::chrono::steady_clock::now(); }
  double random() override {
    const std::lock_guard lock(mutex_);
    return std::uniform_real_distribution<double>()(device_);
  }
  std::unique_ptr<Line> open(const std::string& endpoint) override {
    return std::make_unique<HttpLine>(parse_endpoint(endpoint));
  }

 private:
  std::mutex mutex_;
  // No generator with a seed of 32 bits: keys that tell transactions apart are made of this.
  std::random_device device_;
};

}  // namespace

std::shared_ptr<World> real_world() { return std::make_shared<RealWorld>(); }

}  // namespace penstock::client
