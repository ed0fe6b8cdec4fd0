// Functions that another emulator runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runner/url_call.hpp"
#include "workbench.hpp"

namespace penstock::runner {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;
using testing::StartsWith;

// Answers every request with the same.
class Emulator {
 public:
  Emulator(asio::io_context& io, std::string answer)
      : answer_(std::move(answer)), acceptor_(io, {asio::ip::address_v4::loopback(), 0}) {
    accept();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }
  const std::string& request() const { return request_; }

 private:
  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, asio::ip::tcp::socket socket) {
      if (error) return;
      socket_ = std::make_unique<asio::ip::tcp::socket>(std::move(socket));
      read();
      accept();
    });
  }
  void read() {
    socket_->async_read_some(asio::buffer(piece_), [this](const boost::system::error_code& error, std::size_t got) {
      if (error) return;
      request_.append(piece_.data(), got);
      if (!request_.ends_with("}")) return read();
      if (!answer_.empty()) asio::write(*socket_, asio::buffer(answer_));
    });
  }

  const std::string answer_;
  std::string request_;
  std::array<char, 4096> piece_{};
  asio::ip::tcp::acceptor acceptor_;
  std::unique_ptr<asio::ip::tcp::socket> socket_;
};

class UrlCalls : public Workbench {
 protected:
  RunOutcome answered(const std::string& answer) {
    Emulator emulator(io_, answer);
    FunctionRecord record = function(FunctionKind::url);
    record.url = emulator.url() + "/2015-03-31/functions/f/invocations";
    const RunOutcome outcome = invoke(record, R"({"a":1})");
    request_ = emulator.request();
    url_ = record.url;
    return outcome;
  }
  static std::string ok(const std::string& body, const std::string& headers = {}) {
    return "HTTP/1.1 200 OK\r\n" + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  std::string request_;
  std::string url_;
};

TEST_F(UrlCalls, PostTheEvent) {
  const RunOutcome outcome = answered(ok(R"({"batchItemFailures":[]})"));
  EXPECT_TRUE(outcome.succeeded());
  EXPECT_EQ(outcome.payload, R"({"batchItemFailures":[]})");
  EXPECT_THAT(request_, StartsWith("POST /2015-03-31/functions/f/invocations HTTP/1.1\r\n"));
  EXPECT_THAT(request_, HasSubstr("X-Amz-Invocation-Type: RequestResponse\r\n"));
  EXPECT_TRUE(request_.ends_with("\r\n\r\n{\"a\":1}"));
}

TEST_F(UrlCalls, UnderstandTheErrorsOfAFunction) {
  const RunOutcome outcome =
      answered(ok(R"({"errorMessage":"x"})", "X-Amz-Function-Error: Unhandled\r\nX-Amz-Log-Result: bGluZQo=\r\n"));
  EXPECT_EQ(outcome.function_error, "Unhandled");
  EXPECT_EQ(outcome.payload, R"({"errorMessage":"x"})");
  EXPECT_THAT(outcome.log_tail, HasSubstr("\nline\n"));
}

TEST_F(UrlCalls, UnderstandErrorsThatOnlyLookLikeThem) {
  EXPECT_EQ(answered(ok(R"({"errorMessage":"x","errorType":"Error","trace":[]})")).function_error, "Unhandled");
  EXPECT_EQ(answered(ok(R"({"errorMessage":"x","errorType":"Error","mine":1})")).function_error, "");
  EXPECT_THAT(answered(ok("Task timed out after 3.00 seconds")).payload, HasSubstr("Sandbox.Timedout"));
}

TEST_F(UrlCalls, AreThrottledOrFail) {
  EXPECT_EQ(answered("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n").status,
            RunOutcome::Status::throttled);
  const RunOutcome missing = answered("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope");
  EXPECT_EQ(missing.status, RunOutcome::Status::failed);
  EXPECT_EQ(missing.message, url_ + " answered with status 404: nope");
  FunctionRecord record = function(FunctionKind::url);
  record.url = "http://127.0.0.1:1/";
  const RunOutcome refused = invoke(record, "{}");
  EXPECT_EQ(refused.status, RunOutcome::Status::unreached) << "there is nobody, so that it counts for nothing";
  EXPECT_THAT(refused.message, StartsWith("http://127.0.0.1:1/ cannot be reached: Connection refused"));
  record.url = "https://127.0.0.1/";
  EXPECT_THAT(invoke(record, "{}").message, HasSubstr("is not like http://"));
}

TEST_F(UrlCalls, EndAtTheFunctionsTimeout) {
  Emulator emulator(io_, "");
  FunctionRecord record = function(FunctionKind::url);
  record.url = emulator.url();
  record.timeout_seconds = 1;
  EXPECT_THAT(invoke(record, "{}").payload, HasSubstr("Task timed out after 1.00 seconds"));
}

TEST_F(UrlCalls, EndWithTheirPool) {
  Emulator emulator(io_, "");
  FunctionRecord record = function(FunctionKind::url);
  record.url = emulator.url();
  const auto running = start(record, "{}");
  run_until([&] { return !emulator.request().empty(); });
  stop();
  ASSERT_TRUE(running->outcome);
  EXPECT_EQ(running->outcome->status, RunOutcome::Status::unreached);
  pool_.reset();
}

TEST_F(UrlCalls, AreNotMadeAfterTheirPoolIsStopped) {
  Emulator emulator(io_, "");
  FunctionRecord record = function(FunctionKind::url);
  record.url = "http://localhost" + emulator.url().substr(emulator.url().rfind(':'));
  const auto running = start(record, "{}");
  io_.restart();
  io_.run_one();
  stop();
  ASSERT_TRUE(running->outcome);
  EXPECT_EQ(running->outcome->status, RunOutcome::Status::unreached);
  io_.restart();
  io_.run_for(std::chrono::milliseconds(100));
  EXPECT_EQ(emulator.request(), "") << "whose name was still being looked up";
  pool_.reset();
}

TEST(InvokeUrls, AreTakenApart) {
  const auto url = parse_invoke_url("http://[::1]:9001/2015-03-31/functions/f/invocations");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->port, "9001");
  EXPECT_EQ(url->authority, "[::1]:9001");
  EXPECT_EQ(url->target, "/2015-03-31/functions/f/invocations");
  EXPECT_EQ(parse_invoke_url("http://host")->target, "/");
  EXPECT_EQ(parse_invoke_url("http://host")->port, "80");
  for (const char* bad : {"", "host", "ftp://host", "http://", "http://host:x/", "http://a@b/", "http://h/a b",
                          "http://h:123456/", "http://[::1/", "http://h/\r\nX: 1"}) {
    EXPECT_FALSE(parse_invoke_url(bad)) << bad;
  }
}

}  // namespace
}  // namespace penstock::runner
