// One connection to a server that behaves as the test says: what is kept, what is tried again, and what is given up.
#include "client/http_line.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace penstock::client {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

constexpr milliseconds long_time{20'000};
constexpr milliseconds short_time{50};

/// One connection as the server has it.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  ~Peer() { ::close(fd_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  /// A request with its body; what has come if the client closes before that.
  std::string read() {
    std::string text;
    std::size_t whole = std::string::npos;
    while (text.size() < whole) {
      std::array<char, 4096> bytes{};
      const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), 0);
      if (got <= 0) break;
      text.append(bytes.data(), static_cast<std::size_t>(got));
      const std::size_t head = text.find("\r\n\r\n");
      if (head == std::string::npos) continue;
      const std::size_t length = text.find("Content-Length: ");
      whole = head + 4 + (length < head ? std::stoul(text.substr(length + 16)) : 0);
    }
    return text;
  }
  void send(std::string_view text) const { ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  void answer(std::string_view body) const {
    send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
  }

 private:
  int fd_;
};

/// Serves connection after connection, each by what stands at its place, then lets nobody in.
class Server {
 public:
  explicit Server(std::vector<std::function<void(Peer&)>> connections) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("no port is free");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, all = std::move(connections)] {
      for (const auto& serve : all) {
        Peer peer(::accept(listener_, nullptr, nullptr));
        serve(peer);
      }
      ::close(listener_);
    });
  }
  ~Server() { thread_.join(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Endpoint endpoint() const { return parse_endpoint("http://127.0.0.1:" + std::to_string(port_)); }

 private:
  int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

Request get(milliseconds timeout = long_time, bool interruptible = false) {
  return {"GET", "/x", {}, timeout, interruptible};
}

TEST(HttpLine, SendsRequestAfterRequestOnOneConnection) {
  std::vector<std::string> seen;
  {
    Server server({[&](Peer& peer) {
      for (const char* body : {"one", "two"}) {
        seen.push_back(peer.read());
        peer.answer(body);
      }
    }});
    HttpLine line(server.endpoint());
    EXPECT_EQ(line.exchange({"POST", "/a?b=c", "{}", long_time, false})->body, "one");
    const auto second = line.exchange(get());
    EXPECT_EQ(second->status, 200);
    EXPECT_EQ(second->body, "two");
  }
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_THAT(seen[0], AllOf(StartsWith("POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:"),
                             HasSubstr("\r\nContent-Type: application/json\r\n"), testing::EndsWith("\r\n\r\n{}")));
  EXPECT_THAT(seen[1], StartsWith("GET /x HTTP/1.1\r\n"));
}

TEST(HttpLine, OpensAnotherConnectionIfTheServerHasClosedTheLast) {
  const auto serve_one = [](Peer& peer) {
    peer.read();
    peer.answer("here");
  };
  Server server({serve_one, serve_one});
  HttpLine line(server.endpoint());
  EXPECT_EQ(line.exchange(get())->body, "here");
  EXPECT_EQ(line.exchange(get())->body, "here");
}

TEST(HttpLine, OpensAnotherConnectionIfTheServerSaysThatItCloses) {
  Server server({[](Peer& peer) {
                   peer.read();
                   peer.send("HTTP/1.1 503 Full\r\nConnection: close\r\n\r\nuntil the end");
                 },
                 [](Peer& peer) {
                   peer.read();
                   peer.answer("here");
                 }});
  HttpLine line(server.endpoint());
  const auto first = line.exchange(get());
  EXPECT_EQ(first->status, 503);
  EXPECT_EQ(first->body, "until the end");
  EXPECT_EQ(line.exchange(get())->body, "here");
}

TEST(HttpLine, IsUnreachableWhereNobodyListens) {
  Endpoint nowhere;
  {
    Server server({});
    nowhere = server.endpoint();
  }
  HttpLine line(nowhere);
  try {
    line.exchange(get());
    FAIL() << "somebody answered";
  } catch (const Unreachable& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("http://127.0.0.1:"), HasSubstr(" cannot be reached: Connection refused")));
  }
}

TEST(HttpLine, IsUnreachableIfNoAnswerComesInTime) {
  Server server({[](Peer& peer) { peer.read(), peer.read(); }});
  HttpLine line(server.endpoint());
  try {
    line.exchange(get(short_time));
    FAIL() << "somebody answered";
  } catch (const Unreachable& error) {
    EXPECT_THAT(error.what(), testing::EndsWith(" was reached, but did not answer in time"));
  }
}

TEST(HttpLine, IsUnreachableIfTheConnectionEndsWithinAnAnswer) {
  Server server({[](Peer& peer) {
    peer.read();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  }});
  HttpLine line(server.endpoint());
  EXPECT_THROW(line.exchange(get()), Unreachable);
}

TEST(HttpLine, IsUnreachableIfTheAnswerIsNone) {
  Server server({[](Peer& peer) {
    peer.read();
    peer.send("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  }});
  HttpLine line(server.endpoint());
  EXPECT_THROW(line.exchange(get()), Unreachable);
}

TEST(HttpLine, RefusesAnAnswerWithoutEnd) {
  Server server({[](Peer& peer) {
    peer.read();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(answer_bytes_max + 1) + "\r\n\r\n");
    peer.read();
  }});
  HttpLine line(server.endpoint());
  EXPECT_THROW(line.exchange(get()), Unreachable);
}

TEST(HttpLine, EndsAnExchangeWhenItIsInterrupted) {
  HttpLine* waiting = nullptr;
  Server server({[&](Peer& peer) {
    peer.read();
    waiting->interrupt();
    peer.read();
  }});
  HttpLine line(server.endpoint());
  waiting = &line;
  EXPECT_EQ(line.exchange(get(long_time, true)), std::nullopt);
}

TEST(HttpLine, AnInterruptBeforehandEndsTheNextInterruptibleExchangeAndOnlyThat) {
  Server server({[](Peer& peer) {
                   peer.read();
                   peer.answer("first");
                   peer.read();
                 },
                 [](Peer& peer) {
                   peer.read();
                   peer.answer("last");
                 }});
  HttpLine line(server.endpoint());
  line.interrupt();
  line.interrupt();
  EXPECT_EQ(line.exchange(get())->body, "first") << "it is not interruptible";
  EXPECT_EQ(line.exchange(get(long_time, true)), std::nullopt);
  EXPECT_EQ(line.exchange(get(long_time, true))->body, "last");
}

TEST(HttpLine, WaitsUntilThenOrUntilItIsInterrupted) {
  HttpLine line(parse_endpoint("http://127.0.0.1:1"));
  const auto before = std::chrono::steady_clock::now();
  line.wait_until(before + short_time);
  EXPECT_GE(std::chrono::steady_clock::now() - before, short_time);
  std::thread other([&] { line.interrupt(); });
  line.wait_until(std::chrono::steady_clock::now() + std::chrono::hours(1));
  other.join();
  line.wait_until(before);
}

TEST(ParseEndpoint, TakesHostPortAndPath) {
  const auto is = [](const std::string& text, const std::string& host, int port, const std::string& path,
                     const std::string& authority) {
    const Endpoint endpoint = parse_endpoint(text);
    EXPECT_EQ(endpoint.host, host) << text;
    EXPECT_EQ(endpoint.port, port) << text;
    EXPECT_EQ(endpoint.path, path) << text;
    EXPECT_EQ(endpoint.authority, authority) << text;
  };
  is("http://127.0.0.1:4566", "127.0.0.1", 4566, "", "127.0.0.1:4566");
  is("http://localhost", "localhost", 80, "", "localhost");
  is("http://[::1]:4566/", "::1", 4566, "", "[::1]:4566");
  is("http://proxy.test/penstock/", "proxy.test", 80, "/penstock", "proxy.test");
}

TEST(ParseEndpoint, RefusesWhatIsNone) {
  for (const char* text : {"", "localhost:4566", "127.0.0.1:4566", "https://localhost:4566", "http://", "http://h:0",
                           "http://h:70000", "http://u:p@h", "http://h/?q", "http://h/#f", "http://h h"}) {
    EXPECT_THROW(parse_endpoint(text), std::invalid_argument) << text;
  }
}

}  // namespace
}  // namespace penstock::client
