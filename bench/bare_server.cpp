// The least that a Boost.Beast server can do with a SendMessage or a PutRecords: read the request whole, answer the
// bytes that Penstock would answer. It stores nothing, parses no JSON and checks nothing, and so is the yardstick for
// everything that Penstock does beside HTTP.
#include <signal.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cstdio>
#include <cxxopts.hpp>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

// The executor's own type instead of any_io_executor: no type erasure between the server and the socket.
using Context = asio::io_context;
using Token = asio::use_awaitable_t<Context::executor_type>;
using Socket = Token::as_default_on_t<asio::basic_stream_socket<asio::ip::tcp, Context::executor_type>>;

/// As many bytes as a server would answer for 500 records of a stream.
std::string put_records_answer() {
  constexpr int records = 500;
  std::string body = R"({"FailedRecordCount":0,"Records":[)";
  for (int i = 0; i < records; ++i) {
    if (i > 0) body.push_back(',');
    body.append(R"({"SequenceNumber":"49650000000000000000000000000000000000000000000000000002",)"
                R"("ShardId":"shardId-000000000000"})");
  }
  return body.append("]}");
}

std::string_view body_for(std::string_view target) {
  static const std::string records_put = put_records_answer();
  if (target.ends_with(".PutRecords")) return records_put;
  // The generator makes its queue or its stream first, and so does anyone who tries this server by hand.
  if (target.ends_with(".CreateQueue")) return R"({"QueueUrl":"http://127.0.0.1/000000000000/bench"})";
  if (target.ends_with(".DescribeStream")) return R"({"StreamDescription":{"StreamStatus":"ACTIVE"}})";
  return R"({"MD5OfMessageBody":"49f68a5c8493ec2c0bf489821c21fc3b",)"
         R"("MessageId":"cbc4d9b1-dd2f-450b-9074-1d5d240e3f75"})";
}

http::response<http::string_body> answer_to(std::string_view target) {
  http::response<http::string_body> response{http::status::ok, 11};
  response.set(http::field::content_type, "application/x-amz-json-1.0");
  response.set("x-amzn-RequestId", "2e97aea2-dfc4-4220-a062-10b856c5af7e");
  response.set(http::field::date, "Thu, 01 Jan 2026 00:00:00 GMT");
  response.set(http::field::connection, "keep-alive");
  response.body() = body_for(target);
  response.prepare_payload();
  return response;
}

asio::awaitable<void, Context::executor_type> serve(Socket socket) {
  boost::beast::flat_buffer buffer;
  boost::system::error_code error;
  socket.set_option(asio::ip::tcp::no_delay(true), error);
  for (;;) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(4U << 20U);
    co_await http::async_read(socket, buffer, parser, asio::redirect_error(Token{}, error));
    if (error) co_return;
    const http::response<http::string_body> response = answer_to(parser.get()["X-Amz-Target"]);
    http::response_serializer<http::string_body> serializer{response};
    co_await http::async_write(socket, serializer, asio::redirect_error(Token{}, error));
    if (error) co_return;
  }
}

/// One thread listens and deals the connections out in turn, so that each has as many as the others.
class BareServer {
 public:
  explicit BareServer(std::size_t threads) {
    for (std::size_t i = 0; i < threads; ++i) contexts_.push_back(std::make_unique<Context>(1));
    acceptor_ = std::make_unique<asio::ip::tcp::acceptor>(
        *contexts_.front(), asio::ip::tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
  }

  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(acceptor_->local_endpoint().port()); }

  void run() {
    accept();
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < contexts_.size(); ++i) {
      threads.emplace_back([context = contexts_[i].get()] {
        const auto stay = asio::make_work_guard(*context);
        context->run();
      });
    }
    contexts_.front()->run();
    for (auto& thread : threads) thread.join();
  }

 private:
  void accept() {
    Context& context = *contexts_[next_++ % contexts_.size()];
    auto socket = std::make_shared<Socket>(context);
    acceptor_->async_accept(*socket, [this, &context, socket](const boost::system::error_code& error) {
      if (!error) asio::co_spawn(context.get_executor(), serve(std::move(*socket)), asio::detached);
      accept();
    });
  }

  std::vector<std::unique_ptr<Context>> contexts_;
  std::unique_ptr<asio::ip::tcp::acceptor> acceptor_;
  std::size_t next_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    cxxopts::Options options("bench_bare_server", "Answers every request with a SendMessage answer.");
    options.add_options()("threads", "each with its own io_context", cxxopts::value<std::size_t>()->default_value("2"))(
        "ready-file", "the endpoint is written here", cxxopts::value<std::string>()->default_value(""))("help",
                                                                                                        "this text");
    const auto given = options.parse(argc, argv);
    if (given.count("help") > 0) {
      std::cout << options.help();
      return 0;
    }
    BareServer server(given["threads"].as<std::size_t>());
    std::cout << server.endpoint() << std::endl;
    if (const std::string path = given["ready-file"].as<std::string>(); !path.empty()) {
      std::ofstream(path + ".new") << server.endpoint() << "\n";
      std::filesystem::rename(path + ".new", path);
    }
    server.run();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_bare_server: " << error.what() << "\n";
    return 1;
  }
}
