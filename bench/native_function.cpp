// The least function that speaks the Runtime API: it takes an event, answers `{}` and asks for the next, on one
// connection and without any library. What it costs is what a comparison of servers has on both of its sides.
//
// With PENSTOCK_BENCH_TRACE it appends a line to that file for each message or record that it gets: the message's body
// or the record's data as the event has it, and the nanoseconds of the monotonic clock when the event had arrived.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

constexpr std::size_t piece_bytes = 64U << 10U;

std::int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

int connect_to(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_port = htons(static_cast<std::uint16_t>(std::atoi(address.c_str() + colon + 1)));
  inet_pton(AF_INET, address.substr(0, colon).c_str(), &server.sin_addr);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(socket, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) std::_Exit(1);
  return socket;
}

void send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) std::_Exit(0);  // the server is gone
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

/// Whether two names of headers are the same, of which the second is in lower case.
bool same_name(std::string_view given, std::string_view lower) {
  if (given.size() != lower.size()) return false;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char c = given[i] >= 'A' && given[i] <= 'Z' ? static_cast<char>(given[i] + 32) : given[i];
    if (c != lower[i]) return false;
  }
  return true;
}

std::string_view header_of(std::string_view head, std::string_view lower) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !same_name(line.substr(0, colon), lower)) continue;
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    return value;
  }
  return {};
}

/// One answer, in a buffer that is used again: views into it are good until the next.
class Connection {
 public:
  explicit Connection(int socket) : socket_(socket) {}

  void ask(std::string_view request) {
    send_all(socket_, request);
    buffer_.clear();
    std::size_t head_end = std::string::npos;
    while ((head_end = buffer_.find("\r\n\r\n")) == std::string::npos) read_more();
    const auto length = static_cast<std::size_t>(std::atoll(
        std::string(header_of(std::string_view(buffer_).substr(0, head_end + 2), "content-length")).c_str()));
    while (buffer_.size() < head_end + 4 + length) read_more();
    head_ = head_end + 2;
  }
  std::string_view head() const { return std::string_view(buffer_).substr(0, head_); }
  std::string_view body() const { return std::string_view(buffer_).substr(head_ + 2); }

 private:
  void read_more() {
    const std::size_t before = buffer_.size();
    buffer_.resize(before + piece_bytes);
    const ssize_t got = recv(socket_, buffer_.data() + before, piece_bytes, 0);
    if (got <= 0) std::_Exit(0);
    buffer_.resize(before + static_cast<std::size_t>(got));
  }

  int socket_;
  std::string buffer_;
  std::size_t head_ = 0;
};

void trace(int file, std::string_view event, std::int64_t arrived) {
  const std::string_view key = event.find(R"({"kinesis":)") == std::string_view::npos ? R"("body":")" : R"("data":")";
  std::string lines;
  for (std::size_t at = event.find(key); at != std::string_view::npos; at = event.find(key, at)) {
    at += key.size();
    const std::size_t end = event.find('"', at);
    lines.append(event.substr(at, end - at)).append(" ").append(std::to_string(arrived)).append("\n");
  }
  if (write(file, lines.data(), lines.size()) < 0) std::_Exit(1);
}

}  // namespace

int main() {
  const char* const api = std::getenv("AWS_LAMBDA_RUNTIME_API");
  if (api == nullptr) {
    std::fputs("bench_native_function: AWS_LAMBDA_RUNTIME_API is not set\n", stderr);
    return 1;
  }
  const char* const path = std::getenv("PENSTOCK_BENCH_TRACE");
  const int file = path == nullptr ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const std::string address = api;
  Connection connection(connect_to(address));
  const std::string next = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: " + address + "\r\n\r\n";
  std::string response;
  for (;;) {
    connection.ask(next);
    if (file >= 0) trace(file, connection.body(), monotonic_ns());
    response.assign("POST /2018-06-01/runtime/invocation/")
        .append(header_of(connection.head(), "lambda-runtime-aws-request-id"))
        .append("/response HTTP/1.1\r\nHost: ")
        .append(address)
        .append("\r\nContent-Length: 2\r\n\r\n{}");
    connection.ask(response);
  }
}
