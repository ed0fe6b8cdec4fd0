// The least Runtime API that a Boost.Beast server can offer: every `next` is answered at once with the same event,
// every response is taken. It has no queue, no log, no limits and no time to keep, and so is the yardstick for the rate
// at which Penstock runs batches through the same processes.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cxxopts.hpp>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Context = asio::io_context;
using Token = asio::use_awaitable_t<Context::executor_type>;
using Socket = Token::as_default_on_t<asio::basic_stream_socket<asio::ip::tcp, Context::executor_type>>;

struct Pong {
  std::string event;
  std::uint64_t responses = 0;
};

asio::awaitable<void, Context::executor_type> serve(Socket socket, Pong& pong) {
  boost::beast::flat_buffer buffer;
  boost::system::error_code error;
  socket.set_option(asio::ip::tcp::no_delay(true), error);
  for (;;) {
    http::request<http::string_body> request;
    co_await http::async_read(socket, buffer, request, asio::redirect_error(Token{}, error));
    if (error) co_return;
    http::response<http::string_body> response;
    if (request.method() == http::verb::get) {
      response.set("Lambda-Runtime-Aws-Request-Id", "2e97aea2-dfc4-4220-a062-10b856c5af7e");
      response.set("Lambda-Runtime-Deadline-Ms", "1893456000000");
      response.set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:bench");
      response.set(http::field::content_type, "application/json");
      response.body() = pong.event;
    } else {
      ++pong.responses;
      response.result(http::status::accepted);
      response.body() = R"({"status":"OK"})";
    }
    response.prepare_payload();
    http::response_serializer<http::string_body> serializer{response};
    co_await http::async_write(socket, serializer, asio::redirect_error(Token{}, error));
    if (error) co_return;
  }
}

void accept(asio::ip::tcp::acceptor& acceptor, Context& context, Pong& pong) {
  auto socket = std::make_shared<Socket>(context);
  acceptor.async_accept(*socket, [&, socket](const boost::system::error_code& error) {
    if (!error) asio::co_spawn(context.get_executor(), serve(std::move(*socket), pong), asio::detached);
    accept(acceptor, context, pong);
  });
}

pid_t start(const std::string& program, const std::string& api, const std::string& trace, bool yields) {
  std::string variable = "AWS_LAMBDA_RUNTIME_API=" + api;
  std::string trace_variable = "PENSTOCK_BENCH_TRACE=" + trace;
  std::string name = program;
  std::array<char*, 2> arguments{name.data(), nullptr};
  std::array<char*, 3> environment{variable.data(), trace_variable.data(), nullptr};
  pid_t pid = 0;
  if (posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments.data(), environment.data()) != 0) {
    throw std::runtime_error("cannot start " + program);
  }
  if (const sched_param none{}; yields && sched_setscheduler(pid, SCHED_BATCH, &none) != 0) {
    throw std::runtime_error("cannot run it under SCHED_BATCH");
  }
  return pid;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    cxxopts::Options options("bench_runtime_pong", "Runs function processes against the least Runtime API.");
    options.add_options()("function", "the program", cxxopts::value<std::string>())(
        "processes", "at a time", cxxopts::value<int>()->default_value("64"))("event", "file with the event",
                                                                              cxxopts::value<std::string>())(
        "trace", "file that the functions write to, as they do where they are measured", cxxopts::value<std::string>())(
        "yields", "the processes run under SCHED_BATCH", cxxopts::value<bool>())(
        "seconds", "counted", cxxopts::value<double>()->default_value("3"))(
        "warmup", "seconds before", cxxopts::value<double>()->default_value("0.5"))("help", "this text");
    const auto given = options.parse(argc, argv);
    if (given.count("help") > 0 || given.count("function") == 0 || given.count("event") == 0 ||
        given.count("trace") == 0) {
      std::cout << options.help();
      return 0;
    }
    Context context(1);
    std::ifstream event(given["event"].as<std::string>());
    if (!event) throw std::runtime_error("cannot read the event");
    Pong pong{{std::istreambuf_iterator<char>(event), {}}};
    asio::ip::tcp::acceptor acceptor(context, asio::ip::tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
    accept(acceptor, context, pong);
    const std::string api = "127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
    std::vector<pid_t> processes;
    for (int i = 0; i < given["processes"].as<int>(); ++i) {
      processes.push_back(start(given["function"].as<std::string>(), api, given["trace"].as<std::string>(),
                                given["yields"].as<bool>()));
    }
    const auto run_for = [&context](double seconds) {
      asio::steady_timer timer(
          context, std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds)));
      timer.async_wait([&context](const boost::system::error_code&) { context.stop(); });
      context.restart();
      context.run();
    };
    run_for(given["warmup"].as<double>());
    const std::uint64_t before = pong.responses;
    const auto started = std::chrono::steady_clock::now();
    run_for(given["seconds"].as<double>());
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    for (const pid_t pid : processes) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
    std::printf("{\"rate\":%.1f,\"errors\":0,\"first_error\":\"\"}\n",
                static_cast<double>(pong.responses - before) / took);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_runtime_pong: " << error.what() << "\n";
    return 1;
  }
}
