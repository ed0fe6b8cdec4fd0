#include "runner/api_connection.hpp"

#include <array>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <utility>

namespace penstock::runner {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr std::size_t read_bytes = 8U << 10U;
constexpr std::size_t read_bytes_max = 256U << 10U;
/// What may be sent ahead while a call waits.
constexpr std::size_t ahead_bytes_max = 64U << 10U;
/// Node's client puts an account of an error of up to 1 MiB into a header.
constexpr std::uint32_t header_bytes_max = (1U << 20U) + (64U << 10U);
/// Of which no more is kept than an answer may be long.
constexpr std::uint64_t body_bytes_max = 1U << 30U;

constexpr std::string_view root = "/2018-06-01/runtime/";
constexpr std::string_view error_type_field = "Lambda-Runtime-Function-Error-Type";
constexpr std::string_view error_body_field = "Lambda-Runtime-Function-Error-Body";

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

ApiConnection::ApiConnection(RuntimeApi& api, asio::ip::tcp::socket socket)
    : api_(api), socket_(std::move(socket)), step_(read_bytes) {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
}

void ApiConnection::start(const std::shared_ptr<ApiConnection>& self) {
  self_ = self;
  keep_ = api_.keep_;
  read(self);
}

void ApiConnection::read(const std::shared_ptr<ApiConnection>& self) {
  if (reading_ || !open_ || (busy_ && buffer_.size() > ahead_bytes_max)) return;
  reading_ = true;
  socket_.async_read_some(buffer_.prepare(step_), [this, self](const error_code& error, std::size_t got) {
    reading_ = false;
    if (!open_) return;
    if (error) return end();
    buffer_.commit(got);
    // A long body is read in longer steps.
    if (got == step_ && step_ < read_bytes_max) step_ *= 2;
    take(self);
  });
}

// Serves what has been read, as far as it is whole.
void ApiConnection::take(const std::shared_ptr<ApiConnection>& self) {
  while (open_ && !busy_ && buffer_.size() > 0 && parse()) serve();
  read(self);
}

bool ApiConnection::parse() {
  if (!parser_) {
    parser_.emplace();
    parser_->eager(true);
    parser_->header_limit(header_bytes_max);
    parser_->body_limit(body_bytes_max);
  }
  error_code error;
  const std::size_t used = parser_->put(buffer_.data(), error);
  buffer_.consume(used);
  if (error && error != http::error::need_more) {
    end();
    return false;
  }
  return parser_->is_done();
}

void ApiConnection::serve() {
  busy_ = true;
  step_ = read_bytes;
  const auto& request = parser_->get();
  keep_alive_ = request.keep_alive();
  const ApiReply reply = is_of_runtime()
                             ? reply_to(view(request.method_string()), view(request.target()), waits_)
                             : api_error(403, "Forbidden", "The Runtime API is for the function's runtime.");
  parser_.reset();
  if (!open_) return;
  if (waits_) {
    api_.waiting_ = this;
    return api_.owner_.on_waiting();
  }
  const auto keep = keep_;
  write(reply.status, "Content-Type: application/json\r\n", std::make_shared<const std::string>(reply.body));
  api_.owner_.on_replied();
}

// Pages in a browser reach every port of this machine, and under names of their own; no runtime sends what they send.
bool ApiConnection::is_of_runtime() const {
  const auto& request = parser_->get();
  for (const char* const of_pages : {"Origin", "Referer", "Sec-Fetch-Site"}) {
    if (request.find(of_pages) != request.end()) return false;
  }
  return view(request[http::field::host]) == api_.address();
}

ApiReport ApiConnection::report_of(std::string_view request_id) {
  auto& request = parser_->get();
  ApiReport report;
  report.request_id = request_id;
  report.too_large = request.body().too_large;
  report.body = std::move(request.body().text);
  report.error_type = view(request[{error_type_field.data(), error_type_field.size()}]);
  report.error_body = view(request[{error_body_field.data(), error_body_field.size()}]);
  return report;
}

ApiReply ApiConnection::reply_to(std::string_view method, std::string_view target, bool& waits) {
  waits = false;
  target = target.substr(0, target.find('?'));
  constexpr std::string_view invocation = "invocation/";
  if (target.starts_with(root)) {
    std::string_view call = target.substr(root.size());
    if (method == "GET" && call == "invocation/next") {
      ApiReply refusal;
      waits = api_.owner_.on_next(refusal);
      return refusal;
    }
    if (method == "POST" && call == "init/error") return api_.owner_.on_init_error(report_of({}));
    if (method == "POST" && call.starts_with(invocation)) {
      call.remove_prefix(invocation.size());
      const std::size_t slash = call.find('/');
      const std::string_view what = slash == std::string_view::npos ? std::string_view() : call.substr(slash);
      if (what == "/response") return api_.owner_.on_response(report_of(call.substr(0, slash)));
      if (what == "/error") return api_.owner_.on_error(report_of(call.substr(0, slash)));
    }
  }
  return api_error(404, "NotFound", "The Runtime API has no such call.");
}

void ApiConnection::deliver(ApiEvent event) {
  waits_ = false;
  write(200, event.headers, std::move(event.payload));
}

void ApiConnection::write(unsigned status, std::string_view headers, std::shared_ptr<const std::string> body) {
  const std::string_view reason = view(http::obsolete_reason(static_cast<http::status>(status)));
  head_.clear();
  head_.append("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reason).append("\r\n").append(headers);
  head_.append("Content-Length: ").append(std::to_string(body->size()));
  head_.append(keep_alive_ ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n");
  body_ = std::move(body);
  const std::array<asio::const_buffer, 2> parts{asio::buffer(head_), asio::buffer(*body_)};
  error_code error;
  const std::size_t sent = socket_.write_some(parts, error);
  if (error && error != asio::error::would_block) return end();
  write_rest(error ? 0 : sent);
}

void ApiConnection::write_rest(std::size_t sent) {
  const auto finished = [this] {
    body_.reset();
    busy_ = false;
    if (!keep_alive_) end();
  };
  if (sent == head_.size() + body_->size()) return finished();
  const std::size_t of_head = std::min(sent, head_.size());
  const std::array<asio::const_buffer, 2> parts{asio::buffer(head_) + of_head, asio::buffer(*body_) + (sent - of_head)};
  asio::async_write(socket_, parts, [this, self = self_.lock(), finished](const error_code& error, std::size_t) {
    if (!open_) return;
    if (error) return end();
    finished();
    take(self);
  });
}

void ApiConnection::close() {
  if (!open_) return;
  open_ = false;
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
  if (api_.waiting_ == this) api_.waiting_ = nullptr;
}

// From within: the owner has to know.
void ApiConnection::end() {
  if (!open_) return;
  const auto self = self_.lock();
  const auto keep = keep_;
  const bool waited = std::exchange(waits_, false);
  close();
  api_.remove(*this);
  if (waited) api_.owner_.on_next_gone();
}

}  // namespace penstock::runner
