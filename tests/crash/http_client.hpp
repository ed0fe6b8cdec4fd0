// A blocking HTTP client for one connection, which tells apart what a crash test must: an answer, and no answer, after
// which nobody knows whether the request took effect.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace penstock::crash {

struct Answer {
  int status = 0;
  std::string body;
};

/// How requests of a service's JSON protocol say what they are.
struct Service {
  std::string_view target_prefix;
  std::string_view content_type;
};
inline constexpr Service sqs_service{"AmazonSQS.", "application/x-amz-json-1.0"};
inline constexpr Service kinesis_service{"Kinesis_20131202.", "application/x-amz-json-1.1"};

class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port, const Service& service = sqs_service) : port_(port), service_(service) {}
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient() { close(); }

  /// Calls an operation of the JSON protocol. Nothing if the connection broke, or no answer came in time, before the
  /// whole answer was here.
  std::optional<Answer> call(std::string_view operation, std::string_view json) {
    if (fd_ < 0 && !connect()) return std::nullopt;
    std::string request = "POST / HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port_);
    request.append("\r\nContent-Type: ").append(service_.content_type);
    request.append("\r\nX-Amz-Target: ").append(service_.target_prefix).append(operation);
    request.append("\r\nContent-Length: ").append(std::to_string(json.size())).append("\r\n\r\n").append(json);
    std::optional<Answer> answer;
    if (write(request)) answer = read();
    if (!answer) close();
    return answer;
  }

 private:
  static constexpr timeval answer_limit{20, 0};

  bool connect() {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &answer_limit, sizeof answer_limit);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
    close();
    return false;
  }

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
    received_.clear();
  }

  bool write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  std::optional<Answer> read() {
    std::size_t head_end = 0;
    while ((head_end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!read_more()) return std::nullopt;
    }
    const std::string_view head = std::string_view(received_).substr(0, head_end + 2);
    Answer answer;
    std::from_chars(head.data() + 9, head.data() + 12, answer.status);
    const std::optional<std::size_t> length = content_length(head);
    if (!length) return std::nullopt;
    const std::size_t body_at = head_end + 4;
    while (received_.size() < body_at + *length) {
      if (!read_more()) return std::nullopt;
    }
    answer.body = received_.substr(body_at, *length);
    received_.erase(0, body_at + *length);
    return answer;
  }

  bool read_more() {
    char bytes[16 * 1024];
    const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    received_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  static std::optional<std::size_t> content_length(std::string_view head) {
    constexpr std::string_view name = "\r\ncontent-length:";
    std::string lower(head);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const std::size_t at = lower.find(name);
    if (at == std::string::npos) return std::nullopt;
    const std::size_t digits = lower.find_first_not_of(' ', at + name.size());
    std::size_t length = 0;
    std::from_chars(lower.data() + digits, lower.data() + lower.size(), length);
    return length;
  }

  std::uint16_t port_;
  Service service_;
  int fd_ = -1;
  std::string received_;
};

}  // namespace penstock::crash
