// What the load asks and how: plain HTTP/1.1 over blocking sockets, and as much of an answer as is needed.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace penstock::bench {

/// Which service is spoken to, in which of its codecs.
struct Dialect {
  std::string_view content_type;
  std::string_view target;   ///< what stands before an operation's name
  std::string_view service;  ///< in the credential scope
  friend bool operator==(const Dialect&, const Dialect&) = default;
};
inline constexpr Dialect sqs_json{"application/x-amz-json-1.0", "AmazonSQS.", "sqs"};
inline constexpr Dialect kinesis_json{"application/x-amz-json-1.1", "Kinesis_20131202.", "kinesis"};
inline constexpr Dialect kinesis_cbor{"application/x-amz-cbor-1.1", "Kinesis_20131202.", "kinesis"};

/// The host and the port of http://host:port.
inline std::pair<std::string, std::uint16_t> parse_endpoint(const std::string& endpoint) {
  constexpr std::string_view scheme = "http://";
  const std::size_t colon = endpoint.rfind(':');
  if (!endpoint.starts_with(scheme) || colon < scheme.size()) {
    throw std::runtime_error("the endpoint must look like http://127.0.0.1:4566");
  }
  return {endpoint.substr(scheme.size(), colon - scheme.size()),
          static_cast<std::uint16_t>(std::stoi(endpoint.substr(colon + 1)))};
}

/// What SDKs send with each request, so that the server has as much to read as in real use.
inline std::string request_head(const Dialect& dialect, std::string_view host, std::uint16_t port,
                                std::string_view operation, std::size_t body_bytes, std::string_view path = "/") {
  std::string head = "POST ";
  head.append(path).append(" HTTP/1.1\r\nHost: ");
  head.append(host).append(":").append(std::to_string(port));
  head.append("\r\nContent-Type: ").append(dialect.content_type);
  head.append("\r\nX-Amz-Target: ").append(dialect.target).append(operation);
  head.append(
      "\r\nUser-Agent: penstock-bench\r\nX-Amz-Date: 20260101T000000Z\r\n"
      "Authorization: AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/");
  head.append(dialect.service);
  head.append(
      "/aws4_request, SignedHeaders=content-length;content-type;host;x-amz-date;x-amz-target, "
      "Signature=0000000000000000000000000000000000000000000000000000000000000000\r\nContent-Length: ");
  head.append(std::to_string(body_bytes)).append("\r\n\r\n");
  return head;
}

/// The same for what the server has beside the services, to which most clients are no SDKs.
inline std::string native_request(std::string_view method, std::string_view host, std::uint16_t port,
                                  std::string_view path, std::string_view json) {
  std::string request(method);
  request.append(" ").append(path).append(" HTTP/1.1\r\nHost: ").append(host).append(":");
  request.append(std::to_string(port)).append("\r\nContent-Type: application/json\r\nContent-Length: ");
  return request.append(std::to_string(json.size())).append("\r\n\r\n").append(json);
}

/// The bytes of one answer, as they arrive.
class AnswerBuffer {
 public:
  /// Where the next bytes may be written.
  std::pair<char*, std::size_t> free_space() {
    if (bytes_.size() == filled_ || (body_at_ == 0 && bytes_.size() - filled_ < 4096)) bytes_.resize(bytes_.size() * 2);
    return {bytes_.data() + filled_, bytes_.size() - filled_};
  }
  void grow(std::size_t count) { filled_ += count; }
  void clear() {
    filled_ = 0;
    body_at_ = 0;
    content_length_ = 0;
  }

  /// True once head and body are there. Throws std::runtime_error on what is not HTTP with a Content-Length.
  bool complete() {
    if (body_at_ == 0) {
      const std::string_view all{bytes_.data(), filled_};
      const std::size_t end = all.find("\r\n\r\n");
      if (end == std::string_view::npos) return false;
      read_head(all.substr(0, end + 2));
      body_at_ = end + 4;
      // A page of records is megabytes: not to be copied from one size to the next as it comes.
      if (bytes_.size() < body_at_ + content_length_) bytes_.resize(body_at_ + content_length_ + 1);
    }
    return filled_ >= body_at_ + content_length_;
  }
  int status() const { return status_; }
  std::string_view body() const { return {bytes_.data() + body_at_, content_length_}; }

 private:
  void read_head(std::string_view head) {
    if (!head.starts_with("HTTP/1.1 ") || head.size() < 12) throw std::runtime_error("the answer is not HTTP/1.1");
    std::from_chars(head.data() + 9, head.data() + 12, status_);
    constexpr std::string_view name = "content-length:";
    for (std::size_t line = head.find("\r\n") + 2; line < head.size(); line = head.find("\r\n", line) + 2) {
      const std::string_view rest = head.substr(line);
      if (rest.size() > name.size() && strncasecmp(rest.data(), name.data(), name.size()) == 0) {
        const std::size_t digits = rest.find_first_not_of(' ', name.size());
        std::from_chars(rest.data() + digits, rest.data() + rest.size(), content_length_);
        return;
      }
    }
    throw std::runtime_error("the answer has no Content-Length");
  }

  std::vector<char> bytes_ = std::vector<char>(32 * 1024);
  std::size_t filled_ = 0;
  std::size_t body_at_ = 0;
  std::size_t content_length_ = 0;
  int status_ = 0;
};

/// A connected TCP socket, closed at the end.
class Socket {
 public:
  Socket(const std::string& host, std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) throw std::runtime_error(host + " is not an address");
    if (fd_ < 0 || ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      const int reason = errno;
      if (fd_ >= 0) ::close(fd_);
      throw std::system_error(reason, std::generic_category(), "connect");
    }
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { ::close(fd_); }
  int fd() const { return fd_; }

 private:
  int fd_;
};

/// Throws std::runtime_error if the server has gone, as what follows does.
inline void send_all(const Socket& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) throw std::runtime_error("the server closed the connection");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

/// Waits for the whole of one answer.
inline void read_answer(const Socket& socket, AnswerBuffer& answer) {
  answer.clear();
  while (!answer.complete()) {
    const auto [data, room] = answer.free_space();
    const ssize_t got = ::recv(socket.fd(), data, room, 0);
    if (got <= 0) throw std::runtime_error("the server closed the connection");
    answer.grow(static_cast<std::size_t>(got));
  }
}

/// One request on a connection of its own; returns the answer's body. Throws std::runtime_error if there is none or
/// its status is not 200.
inline std::string call_once(const Dialect& dialect, const std::string& host, std::uint16_t port,
                             std::string_view operation, std::string_view body) {
  const Socket socket(host, port);
  send_all(socket, request_head(dialect, host, port, operation, body.size()).append(body));
  AnswerBuffer answer;
  read_answer(socket, answer);
  if (answer.status() != 200) {
    throw std::runtime_error(std::string(operation) + " was answered with " + std::to_string(answer.status()) + ": " +
                             std::string(answer.body()));
  }
  return std::string(answer.body());
}

/// The text of the first `"name":"..."` at or after `from`, as it is escaped, and where it ends.
inline std::optional<std::pair<std::string_view, std::size_t>> find_json_text(std::string_view json,
                                                                              std::string_view name, std::size_t from) {
  // memmem is the fastest search there is here, and answers with messages are long.
  const std::string key = "\"" + std::string(name) + "\"";
  const void* found = memmem(json.data() + from, json.size() - from, key.data(), key.size());
  if (found == nullptr) return std::nullopt;
  const std::size_t after = static_cast<std::size_t>(static_cast<const char*>(found) - json.data()) + key.size();
  const std::size_t open = json.find('"', after);
  if (open == std::string_view::npos) return std::nullopt;
  std::size_t close = open + 1;
  while (close < json.size() && json[close] != '"') close += json[close] == '\\' ? 2U : 1U;
  if (close >= json.size()) return std::nullopt;
  return std::pair{json.substr(open + 1, close - open - 1), close};
}

}  // namespace penstock::bench
