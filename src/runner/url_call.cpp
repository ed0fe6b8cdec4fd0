#include "runner/url_call.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <utility>

#include "runner/outcomes.hpp"
#include "runner/text.hpp"

namespace penstock::runner {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using boost::system::system_error;

namespace {

constexpr unsigned http_version = 11;
constexpr std::string_view scheme = "http://";
/// Of an answer that says what is wrong.
constexpr std::size_t reason_bytes_max = 512;

// The runtime interface emulator answers a function's error as it does a success, so that only the body's form tells:
// an object of nothing but what runtimes put into their accounts of errors.
bool looks_like_error(const std::string& body) {
  if (body.find("\"errorType\"") == std::string::npos || body.find("\"errorMessage\"") == std::string::npos)
    return false;
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(body).get(object) != simdjson::SUCCESS) return false;
  constexpr std::array<std::string_view, 6> known{"errorType",  "errorMessage", "requestId",
                                                  "stackTrace", "trace",        "cause"};
  return std::all_of(object.begin(), object.end(), [&](const simdjson::dom::key_value_pair& field) {
    return std::find(known.begin(), known.end(), field.key) != known.end();
  });
}

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::optional<InvokeUrl> parse_invoke_url(const std::string& url) {
  if (!url.starts_with(scheme)) return std::nullopt;
  const std::string rest = url.substr(scheme.size());
  const std::size_t path = std::min(rest.find_first_of("/?"), rest.size());
  InvokeUrl parts;
  parts.authority = rest.substr(0, path);
  parts.target = path == rest.size() ? "/" : rest.substr(path);
  if (parts.target.front() == '?') parts.target.insert(0, "/");
  const bool bracketed = parts.authority.starts_with('[');
  const std::size_t host_end = bracketed ? parts.authority.find(']') : 0;
  if (host_end == std::string::npos) return std::nullopt;
  const std::size_t colon = parts.authority.find(':', host_end);
  parts.host = bracketed ? parts.authority.substr(1, host_end - 1) : parts.authority.substr(0, colon);
  parts.port = colon == std::string::npos ? "80" : parts.authority.substr(colon + 1);
  const auto is_ordinary = [](unsigned char c) { return c > 0x20 && c < 0x7F; };
  const bool digits = !parts.port.empty() && parts.port.size() <= 5 &&
                      std::all_of(parts.port.begin(), parts.port.end(), [](char c) { return c >= '0' && c <= '9'; });
  const bool plain = std::all_of(url.begin(), url.end(), is_ordinary) && url.find('#') == std::string::npos &&
                     parts.authority.find('@') == std::string::npos;
  if (parts.host.empty() || !digits || !plain) return std::nullopt;
  return parts;
}

RunOutcome outcome_of(InvokeAnswer answer, const std::string& url, const std::string& request_id) {
  if (answer.status == 429) {
    RunOutcome throttled;
    throttled.status = RunOutcome::Status::throttled;
    throttled.message = url + " has no room for the invocation.";
    return throttled;
  }
  if (answer.status < 200 || answer.status > 299) {
    return failed(url + " answered with status " + std::to_string(answer.status) + ": " +
                  answer.body.substr(0, reason_bytes_max));
  }
  RunOutcome outcome;
  outcome.function_error = std::move(answer.function_error);
  // It says so in words where other emulators have an error.
  if (outcome.function_error.empty() && answer.body.starts_with("Task timed out after ")) {
    return unhandled("Sandbox.Timedout", "RequestId: " + request_id + " Error: " + answer.body);
  }
  if (outcome.function_error.empty() && looks_like_error(answer.body)) outcome.function_error = "Unhandled";
  outcome.payload = std::move(answer.body);
  return outcome;
}

UrlCall::UrlCall(const Workshop& workshop, Invoke invoke, Over over)
    : workshop_(workshop),
      invoke_(std::move(invoke)),
      over_(std::move(over)),
      function_(*invoke_.request.function),
      log_(workshop.logs, function_.name),
      stream_(workshop.io),
      timer_(workshop.io) {}

void UrlCall::start(const std::shared_ptr<UrlCall>& self) {
  started_at_ = Clock::now();
  log_.start(invoke_.request.request_id);
  timer_.expires_after(std::chrono::seconds(function_.timeout_seconds));
  timer_.async_wait([this, self](const error_code& error) {
    if (!error && !ended_) expire();
  });
  asio::post(workshop_.io, [this, self] {
    if (ended_) return;
    asio::co_spawn(workshop_.io, call(), [this, self](const std::exception_ptr& thrown, RunOutcome outcome) {
      if (thrown) outcome = failed(function_.url + " cannot be invoked.");
      finish(std::move(outcome));
    });
  });
}

asio::awaitable<RunOutcome> UrlCall::call() {
  const auto url = parse_invoke_url(function_.url);
  if (!url) co_return failed("The function's URL '" + function_.url + "' is not like http://host:port/path.");
  try {
    InvokeAnswer answer = co_await exchange(*url);
    // It may have ended meanwhile, and its pool with it.
    if (ended_) co_return RunOutcome{};
    if (const auto lines = decode_base64(answer.log_result)) {
      LineBreaker breaker(workshop_.sandbox.line_bytes_max);
      breaker.add(*lines, [this](std::string_view line) { log_.line(line); });
      breaker.flush([this](std::string_view line) { log_.line(line); });
    }
    co_return outcome_of(std::move(answer), function_.url, invoke_.request.request_id);
  } catch (const system_error& error) {
    const error_code code = error.code();
    if (code == http::error::body_limit) co_return response_too_large();
    const std::string message = function_.url + " cannot be reached: " + code.message();
    // What came to nobody cannot have done anything; after that it is not known.
    co_return connected_ ? failed(message) : unreached(message);
  }
}

asio::awaitable<InvokeAnswer> UrlCall::exchange(const InvokeUrl& url) {
  using asio::ip::tcp;
  error_code not_an_address;
  const auto address = asio::ip::make_address(url.host, not_an_address);
  if (not_an_address) {
    tcp::resolver resolver(workshop_.io);
    const auto found = co_await resolver.async_resolve(url.host, url.port, asio::use_awaitable);
    // To connect would open the stream again.
    if (ended_) throw system_error(asio::error::operation_aborted);
    co_await stream_.async_connect(found, asio::use_awaitable);
  } else {
    const auto port = static_cast<std::uint16_t>(std::stoul(url.port));
    co_await stream_.async_connect(tcp::endpoint(address, port), asio::use_awaitable);
  }
  if (ended_) throw system_error(asio::error::operation_aborted);
  connected_ = true;
  error_code ignored;
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);

  http::request<http::empty_body> request(http::verb::post, url.target, http_version);
  request.set(http::field::host, url.authority);
  request.set(http::field::content_type, "application/json");
  request.set(http::field::connection, "close");
  request.set("X-Amz-Invocation-Type", "RequestResponse");
  request.set("X-Amz-Log-Type", "Tail");
  if (!invoke_.request.client_context.empty()) request.set("X-Amz-Client-Context", invoke_.request.client_context);
  const std::string& payload = *invoke_.request.payload;
  request.content_length(payload.size());
  http::request_serializer<http::empty_body> serializer(request);
  co_await http::async_write_header(stream_, serializer, asio::use_awaitable);
  co_await asio::async_write(stream_, asio::buffer(payload), asio::use_awaitable);

  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(answer_bytes_max);
  co_await http::async_read(stream_, buffer, parser, asio::use_awaitable);
  auto response = parser.release();
  InvokeAnswer answer;
  answer.status = response.result_int();
  answer.function_error = view(response["X-Amz-Function-Error"]);
  answer.log_result = view(response["X-Amz-Log-Result"]);
  answer.body = std::move(response.body());
  co_return answer;
}

void UrlCall::finish(RunOutcome outcome) {
  if (ended_) return;
  timer_.cancel();
  const std::string& id = invoke_.request.request_id;
  if (outcome.status != RunOutcome::Status::answered) log_.failure(id, outcome);
  if (late_) {
    log_.line(timestamp() + " " + id + " Task timed out after " +
              two_decimals(static_cast<double>(function_.timeout_seconds)) + " seconds");
  }
  log_.end(id, function_.memory_mib, milliseconds_since(started_at_), 0, outcome);
  ended_ = true;
  // What is under way still refers to the request.
  end_invoke(workshop_.io, {.request = {}, .ended = std::move(invoke_.ended)}, std::move(outcome));
  over_(*this);
}

void UrlCall::expire() {
  stream_.close();
  if (!connected_) return finish(unreached(function_.url + " cannot be reached within the function's timeout."));
  late_ = true;
  finish(timed_out(invoke_.request.request_id, static_cast<double>(function_.timeout_seconds)));
}

void UrlCall::end() {
  stream_.close();
  finish(shutting_down());
}

void UrlCall::abandon() {
  ended_ = true;
  timer_.cancel();
  stream_.close();
}

}  // namespace penstock::runner
