#include <gmock/gmock.h>

#include <atomic>

#include "net/loopback.hpp"

namespace penstock::net::test {
namespace {

using protocol::WireRequest;
using protocol::WireResponse;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

WireResponse head_with(std::string body) { return {200, "text/plain", {}, std::move(body)}; }

// Writes the pieces one after the other, each as soon as the one before is written.
void write_all(Exchange& exchange, std::vector<std::string> pieces) {
  if (pieces.empty()) return exchange.end_stream();
  std::string first = std::move(pieces.front());
  pieces.erase(pieces.begin());
  exchange.write_piece(std::move(first), [&exchange, rest = std::move(pieces)] { write_all(exchange, rest); });
}

TEST(Http1Stream, GoesOutInChunksAndTheConnectionIsKept) {
  Server server([](const WireRequest&, Exchange& exchange) {
    exchange.may_park([&exchange] { exchange.abandon(); });
    exchange.begin_stream(head_with("first"));
    write_all(exchange, {"second piece!!!!!", "", "3"});
  });
  Client client(server.port());
  for (int i = 0; i < 2; ++i) {
    client.send(get);
    const std::string head = client.read_to("\r\n\r\n");
    EXPECT_THAT(head, HasSubstr("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"));
    EXPECT_THAT(head, Not(HasSubstr("Content-Length")));
    EXPECT_EQ(client.read_to("0\r\n\r\n"), "5\r\nfirst\r\n11\r\nsecond piece!!!!!\r\n1\r\n3\r\n0\r\n\r\n");
  }
}

TEST(Http1Stream, EndsWithTheConnectionForAClientThatKnowsNoChunks) {
  Server server([](const WireRequest&, Exchange& exchange) {
    exchange.may_park([&exchange] { exchange.abandon(); });
    exchange.begin_stream(head_with(""));
    write_all(exchange, {"one,", "two"});
  });
  Client client(server.port());
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const std::string answer = client.read_to_end();
  EXPECT_THAT(answer, Not(HasSubstr("chunked")));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\none,two"));
}

TEST(Http1Stream, HasNoBodyForHead) {
  Server server([](const WireRequest&, Exchange& exchange) {
    exchange.may_park([&exchange] { exchange.abandon(); });
    exchange.begin_stream(head_with("x"));
    write_all(exchange, {"y"});
  });
  Client client(server.port());
  client.send("HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.read_to_end(), EndsWith("\r\n\r\n"));
}

TEST(Http1Stream, SendsEachPieceAtOnce) {
  Exchange* open = nullptr;
  Server server([&](const WireRequest&, Exchange& exchange) {
    exchange.may_park([&exchange] { exchange.abandon(); });
    exchange.begin_stream(head_with(""));
    open = &exchange;
  });
  Client client(server.port());
  client.send(get);
  client.read_to("\r\n\r\n");
  for (int i = 0; i < 3; ++i) {
    Happening<bool> written;
    server.run([&] { open->write_piece("piece", [&] { written.happen(true); }); });
    EXPECT_EQ(client.read_to("piece\r\n"), "5\r\npiece\r\n");
    EXPECT_TRUE(written.await());
  }
  server.run([&] { open->end_stream(); });
  EXPECT_EQ(client.read_to("0\r\n\r\n"), "0\r\n\r\n");
}

TEST(Http1Stream, AnEndAfterAPieceSendsItAndReportsNothing) {
  bool written = false;
  Server server([&](const WireRequest&, Exchange& exchange) {
    exchange.may_park([&exchange] { exchange.abandon(); });
    exchange.begin_stream(head_with("a"));
    exchange.write_piece("b", [&] { written = true; });
    exchange.end_stream();
  });
  Client client(server.port());
  client.send(get);
  client.read_to("\r\n\r\n");
  EXPECT_EQ(client.read_to("0\r\n\r\n"), "1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
  server.await([&] { return !written; });
}

TEST(Http1Stream, IsCancelledWhenTheClientGoesAway) {
  for (const bool at_once : {true, false}) {
    Happening<Exchange*> cancelled;
    Server server([&](const WireRequest&, Exchange& exchange) {
      exchange.may_park([&] {
        if (at_once) exchange.abandon();
        cancelled.happen(&exchange);
      });
      exchange.begin_stream(head_with("x"));
    });
    Client client(server.port());
    client.send(get);
    client.read_to("x\r\n");
    client.close();
    Exchange* exchange = cancelled.await();
    if (!at_once) {
      server.run([exchange] {
        exchange->write_piece("of no use", [] { ADD_FAILURE() << "a piece was written after the cancel"; });
        exchange->abandon();
      });
    }
    server.await([&] { return server.sessions().size() == 0; });
  }
}

TEST(Http1Stream, AClientThatDoesNotReadCostsOnePieceAndIsClosed) {
  std::atomic<int> written = 0;
  Happening<bool> cancelled;
  const NetLimits limits{.write_time_max = std::chrono::seconds(1)};
  std::function<void(Exchange&)> write_on = [&](Exchange& exchange) {
    exchange.write_piece(std::string(1U << 20U, 'x'), [&] {
      ++written;
      write_on(exchange);
    });
  };
  Server server(
      [&](const WireRequest&, Exchange& exchange) {
        exchange.may_park([&] {
          exchange.abandon();
          cancelled.happen(true);
        });
        exchange.begin_stream(head_with(""));
        write_on(exchange);
      },
      limits);
  Client client(server.port(), 4096);
  client.send(get);
  EXPECT_TRUE(cancelled.await());
  EXPECT_LT(written, 32) << "the kernel's buffers took more than they can";
  server.await([&] { return server.sessions().size() == 0; });
}

TEST(Http1Stream, OutlivesTheSweepsThatCloseIdleConnections) {
  const NetLimits limits{.request_time_max = std::chrono::seconds(1),
                         .write_time_max = std::chrono::seconds(1),
                         .idle_time_max = std::chrono::seconds(1)};
  Exchange* open = nullptr;
  Server server(
      [&](const WireRequest& request, Exchange& exchange) {
        if (request.target == "/other") return exchange.complete(head_with("other"));
        exchange.may_park([&exchange] { exchange.abandon(); });
        exchange.begin_stream(head_with("x"));
        open = &exchange;
      },
      limits);
  Client client(server.port());
  client.send(get);
  client.read_to("x\r\n");
  // Two connections in turn whose end shows that sweeps went by.
  for (int i = 0; i < 2; ++i) {
    Client other(server.port());
    other.send("GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_THAT(other.read_to_end(), EndsWith("other"));
  }
  server.run([&] {
    open->write_piece("y", {});
    open->end_stream();
  });
  EXPECT_EQ(client.read_to("0\r\n\r\n"), "1\r\ny\r\n0\r\n\r\n");
}

TEST(Http1Stream, OutlivesAStopUntilItIsEnded) {
  Exchange* open = nullptr;
  Happening<bool> drained;
  Server server([&open](const WireRequest&, Exchange& exchange) {
    open = &exchange;
    exchange.may_park([&exchange] { exchange.abandon(); });
    exchange.begin_stream(head_with("x"));
  });
  Client client(server.port());
  client.send(get);
  client.read_to("x\r\n");
  server.run([&] { server.sessions().stop([&] { drained.happen(true); }); });
  server.run([&] {
    open->write_piece("y", {});
    open->end_stream();
  });
  EXPECT_EQ(client.read_to_end(), "1\r\ny\r\n0\r\n\r\n");
  EXPECT_TRUE(drained.await());
}

TEST(Http1, AnswersOfAllConnectionsShareOneBudget) {
  const NetLimits limits{.answers_bytes_max = 10'000'000};
  std::atomic<int> undelivered = 0;
  Server server(
      [&](const WireRequest&, Exchange& exchange) {
        exchange.complete(head_with(std::string(8'000'000, 'x')), [&] { ++undelivered; });
      },
      limits);
  constexpr int small_buffer = 4'096;
  Client slow(server.port(), small_buffer);
  slow.send(get);
  EXPECT_THAT(slow.read_to("\r\n\r\n"), HasSubstr("200 OK"));
  Client other(server.port());
  other.send(get);
  EXPECT_THAT(other.read_to("\r\n\r\n"), HasSubstr("503 Service Unavailable"));
  server.await([&] { return undelivered == 1; });
}

TEST(Http1Stream, APieceOverTheBudgetEndsIt) {
  const NetLimits limits{.answers_bytes_max = 100'000};
  Happening<bool> cancelled;
  Server server(
      [&](const WireRequest&, Exchange& exchange) {
        exchange.may_park([&] {
          cancelled.happen(true);
          exchange.abandon();
        });
        exchange.begin_stream(head_with("first"));
        exchange.write_piece(std::string(200'000, 'x'), [] { ADD_FAILURE() << "it was too much"; });
      },
      limits);
  Client client(server.port());
  client.send(get);
  EXPECT_THAT(client.read_to_end(), EndsWith("5\r\nfirst\r\n"));
  EXPECT_TRUE(cancelled.await());
}

}  // namespace
}  // namespace penstock::net::test
