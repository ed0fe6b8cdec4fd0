#include <gmock/gmock.h>

#include "net/loopback.hpp"

namespace penstock::net::test {
namespace {

using protocol::WireRequest;
using protocol::WireResponse;
using testing::AnyOf;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr std::uint32_t calm = NGHTTP2_ENHANCE_YOUR_CALM;
// SETTINGS_INITIAL_WINDOW_SIZE = 0
const std::string no_window = number(4, 2) + number(0, 4);

WireResponse text(std::string body) { return {200, "text/plain", {}, std::move(body)}; }

// Answers with what was asked.
void echo(const WireRequest& request, Exchange& exchange) {
  std::string all(request.method);
  all.append(" ").append(request.target);
  for (const auto& [name, value] : request.headers) all.append("\n").append(name).append(": ").append(value);
  exchange.complete(text(all.append("\n\n").append(request.body)));
}

TEST(Http2, GivesTheHandlerWhatWasAsked) {
  Server server(echo);
  Http2Client client(server.port());
  EXPECT_EQ(client.first().type, NGHTTP2_SETTINGS);
  client.post(1, hpack_header("x-a", "1") + hpack_header("host", "not.this"));
  client.data(1, "bo", false);
  client.data(1, "dy", true);
  // A host that is not the authority is for the handler to refuse, and one that is says nothing more.
  EXPECT_EQ(client.body(1), "POST /\nhost: localhost:1\nx-a: 1\nhost: not.this\n\nbody");
  client.post(3, hpack_header("host", "LOCALHOST:1") + hpack_header("x-a", "1"));
  client.data(3, "body", true);
  EXPECT_EQ(client.body(3), "POST /\nhost: localhost:1\nx-a: 1\n\nbody");
}

TEST(Http2, NamesOfAnAnswersHeadersAreLowerAndTheConnectionsOwnAreLeftOut) {
  Server server([](const WireRequest&, Exchange& exchange) {
    WireResponse response = text("x");
    response.headers = {{"X-Amzn-RequestId", "1"}, {"Connection", "close"}, {"Transfer-Encoding", "chunked"}};
    exchange.complete(std::move(response));
  });
  Http2Client client(server.port());
  client.get(1);
  EXPECT_EQ(client.status(1), "200");
  EXPECT_THAT(client.headers(), UnorderedElementsAre(Pair(":status", "200"), Pair("content-type", "text/plain"),
                                                     Pair("x-amzn-requestid", "1"), Pair("content-length", "1")));
}

TEST(Http2, ThePrefaceMayComeByteByByteAndSimilarRequestsAreHttp1) {
  Server server(echo);
  Client client(server.port());
  for (const char byte : std::string_view("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")) client.send({&byte, 1});
  client.send(frame(NGHTTP2_SETTINGS, 0, 0));
  EXPECT_EQ(client.read(9)[3], NGHTTP2_SETTINGS);
  Client other(server.port());
  other.send("PR");
  other.send("OPFIND / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(other.read_to("\r\n"), "HTTP/1.1 200 OK\r\n");
}

TEST(Http2, ManyRequestsAreOpenAtATimeAndAnsweredInAnyOrder) {
  std::vector<Exchange*> open;
  Server server([&](const WireRequest&, Exchange& exchange) {
    open.push_back(&exchange);
    if (open.size() < 100) return;
    for (auto next = open.rbegin(); next != open.rend(); ++next) (*next)->complete(text("x"));
  });
  Http2Client client(server.port());
  for (int i = 0; i < 100; ++i) client.get(2 * i + 1);
  std::vector<std::int32_t> order;
  while (order.size() < 100) {
    const Frame got = client.next();
    ASSERT_NE(got.type, -1);
    if (got.type == NGHTTP2_HEADERS) order.push_back(got.stream);
  }
  EXPECT_EQ(order.front(), 199);
  EXPECT_EQ(order.back(), 1);
}

TEST(Http2, LongBodiesAndAnswersKeepToTheWindows) {
  const std::string body(10U << 20U, 'b');
  Server server(
      [&](const WireRequest& request, Exchange& exchange) { exchange.complete(text(std::string(request.body))); });
  Http2Client client(server.port());
  client.open_window(0, 1U << 30U);
  client.post(1);
  std::jthread writer([&] {
    // The server's windows are not looked at here, but it gives leave for far more than is under way.
    for (std::size_t at = 0; at < body.size(); at += 16'384) {
      if (at == 2U << 20U) client.open_window(1, 1U << 30U);
      client.data(1, std::string_view(body).substr(at, 16'384), at + 16'384 >= body.size());
    }
  });
  const std::string answer = client.body(1);
  writer.join();
  EXPECT_TRUE(answer == body) << answer.size();
}

TEST(Http2, StreamsPiecesAndEnds) {
  Exchange* open = nullptr;
  Happening<bool> started;
  Server server([&](const WireRequest&, Exchange& exchange) {
    exchange.may_park([&exchange] { exchange.abandon(); });
    exchange.begin_stream(text("head"));
    open = &exchange;
    started.happen(true);
  });
  Http2Client client(server.port());
  client.get(1);
  EXPECT_EQ(client.status(1), "200");
  EXPECT_EQ(client.headers().count("content-length"), 0U);
  EXPECT_EQ(client.next(NGHTTP2_DATA, 1).payload, "head");
  for (const std::string piece : {"one", "", "three"}) {
    Happening<bool> written;
    server.run([&] { open->write_piece(piece, [&] { written.happen(true); }); });
    EXPECT_EQ(client.next(NGHTTP2_DATA, 1).payload, piece);
    EXPECT_TRUE(written.await());
  }
  server.run([&] { open->end_stream(); });
  const Frame last = client.next(NGHTTP2_DATA, 1);
  EXPECT_EQ(last.payload, "");
  EXPECT_TRUE(last.ends_stream());
}

TEST(Http2, AnEndAfterAPieceSendsItAndReportsNothing) {
  for (const std::string first : {"", "a"}) {
    Server server([&](const WireRequest&, Exchange& exchange) {
      exchange.may_park([&exchange] { exchange.abandon(); });
      exchange.begin_stream(text(first));
      exchange.write_piece("b", [] { ADD_FAILURE() << "reported after the end"; });
      exchange.end_stream();
    });
    Http2Client client(server.port());
    client.get(1);
    EXPECT_EQ(client.body(1), first + "b");
    server.await([] { return true; });
  }
}

TEST(Http2, APieceIsWrittenWhenTheWindowHasTakenIt) {
  Exchange* open = nullptr;
  std::atomic<bool> written = false;
  Server server([&](const WireRequest& request, Exchange& exchange) {
    if (request.target == "/other") return exchange.complete(text(""));
    exchange.may_park([&exchange] { exchange.abandon(); });
    exchange.begin_stream(text(""));
    exchange.write_piece("0123456789", [&] { written = true; });
    open = &exchange;
  });
  Http2Client client(server.port(), no_window);
  client.get(1);
  EXPECT_EQ(client.status(1), "200");
  client.open_window(1, 4);
  EXPECT_EQ(client.next(NGHTTP2_DATA, 1).payload, "0123");
  client.get(3, "/other");
  EXPECT_EQ(client.status(3), "200");
  EXPECT_FALSE(written);
  client.open_window(1, 100);
  EXPECT_EQ(client.next(NGHTTP2_DATA, 1).payload, "456789");
  server.await([&] { return written.load(); });
}

TEST(Http2, ResetsAndTheEndOfTheConnectionCancel) {
  for (const bool streams : {true, false}) {
    for (const bool reset : {true, false}) {
      std::atomic<int> cancelled = 0;
      std::atomic<int> begun = 0;
      Server server([&](const WireRequest&, Exchange& exchange) {
        exchange.may_park([&] {
          ++cancelled;
          exchange.abandon();
        });
        if (streams) exchange.begin_stream(text("x"));
        ++begun;
      });
      Http2Client client(server.port());
      client.get(1);
      client.get(3);
      server.await([&] { return begun == 2; });
      if (reset) {
        client.reset(1);
        server.await([&] { return cancelled == 1; });
      }
      client.close();
      server.await([&] { return cancelled == 2 && server.sessions().size() == 0; });
    }
  }
}

TEST(Http2, AHandlerThatIsSlowToAbandonHoldsItsExchange) {
  Happening<Exchange*> cancelled;
  Server server([&](const WireRequest&, Exchange& exchange) {
    exchange.may_park([&] { cancelled.happen(&exchange); });
    exchange.begin_stream(text("x"));
  });
  Http2Client client(server.port());
  client.get(1);
  EXPECT_EQ(client.next(NGHTTP2_DATA, 1).payload, "x");
  client.close();
  Exchange* exchange = cancelled.await();
  server.await([&] { return server.sessions().size() == 1; });
  server.run([&] { exchange->end_stream(); });
  server.await([&] { return server.sessions().size() == 0; });
}

TEST(Http2, ReportsAnswersThatWereNotDelivered) {
  std::atomic<int> undelivered = 0;
  Exchange* open = nullptr;
  Happening<bool> cancelled;
  Server server([&](const WireRequest&, Exchange& exchange) {
    exchange.may_park([&] { cancelled.happen(true); });
    open = &exchange;
  });
  Http2Client client(server.port());
  client.get(1);
  client.reset(1);
  EXPECT_TRUE(cancelled.await());
  server.run([&] { open->complete(text("late"), [&] { ++undelivered; }); });
  server.await([&] { return undelivered == 1; });
}

TEST(Http2, AClientThatGivesNoWindowLosesItsAnswers) {
  const NetLimits limits{.write_time_max = std::chrono::seconds(1)};
  std::atomic<int> undelivered = 0;
  std::atomic<int> cancelled = 0;
  Server server(
      [&](const WireRequest& request, Exchange& exchange) {
        if (request.target == "/whole") return exchange.complete(text("whole"), [&] { ++undelivered; });
        exchange.may_park([&] {
          ++cancelled;
          exchange.abandon();
        });
        exchange.begin_stream(text("piece"));
      },
      limits);
  Http2Client client(server.port(), no_window);
  client.get(1, "/whole");
  client.get(3, "/stream");
  EXPECT_EQ(client.next(NGHTTP2_RST_STREAM, 1).code(), NGHTTP2_CANCEL);
  EXPECT_EQ(client.next(NGHTTP2_RST_STREAM, 3).code(), NGHTTP2_CANCEL);
  server.await([&] { return undelivered == 1 && cancelled == 1; });
}

TEST(Http2, ARequestThatDawdlesIsReset) {
  const NetLimits limits{.request_time_max = std::chrono::seconds(1)};
  Server server(echo, limits);
  Http2Client client(server.port());
  client.post(1);
  EXPECT_EQ(client.next(NGHTTP2_RST_STREAM, 1).code(), NGHTTP2_CANCEL);
}

TEST(Http2, AnIdleConnectionIsSentAway) {
  const NetLimits limits{.idle_time_max = std::chrono::seconds(1)};
  Server server(echo, limits);
  Http2Client client(server.port());
  EXPECT_EQ(client.next(NGHTTP2_GOAWAY, 0).code(), NGHTTP2_NO_ERROR);
  EXPECT_EQ(client.next().type, -1);
}

TEST(Http2, BodiesThatAreTooLongAreRefused) {
  const NetLimits limits{.body_bytes_max = 100'000};
  Server server(echo, limits);
  Http2Client client(server.port());
  client.post(1, hpack_header("content-length", "100001"));
  EXPECT_EQ(client.status(1), "413");
  EXPECT_EQ(client.next(NGHTTP2_RST_STREAM, 1).code(), NGHTTP2_NO_ERROR);
  client.post(3);
  for (int i = 0; i < 11; ++i) client.data(3, std::string(10'000, 'x'), false);
  EXPECT_EQ(client.status(3), "413");
  EXPECT_EQ(client.next(NGHTTP2_RST_STREAM, 3).code(), NGHTTP2_NO_ERROR);
  client.get(5);
  EXPECT_EQ(client.status(5), "200");
}

TEST(Http2, BodiesOfAllStreamsShareOneBudget) {
  const NetLimits limits{.body_bytes_max = 100'000, .bodies_bytes_max = 200'000};
  Server server(echo, limits);
  Http2Client client(server.port());
  for (const int id : {1, 3, 5}) client.post(id);
  for (int i = 0; i < 9; ++i) {
    for (const int id : {1, 3, 5}) client.data(id, std::string(10'000, 'x'), false);
  }
  // The first that does not fit makes room for the others.
  Frame refused = client.next();
  while (refused.type != NGHTTP2_HEADERS) refused = client.next();
  EXPECT_EQ(client.headers().at(":status"), "503");
  EXPECT_EQ(client.next(NGHTTP2_RST_STREAM, refused.stream).code(), NGHTTP2_NO_ERROR);
  for (const int id : {1, 3, 5}) {
    if (id == refused.stream) continue;
    client.data(id, "", true);
    EXPECT_EQ(client.status(id), "200");
  }
}

TEST(Http2, AnswersOfAllStreamsShareOneBudget) {
  const NetLimits limits{.answers_bytes_max = 100'000};
  std::atomic<int> undelivered = 0;
  Server server([&](const WireRequest&,
                    Exchange& exchange) { exchange.complete(text(std::string(60'000, 'x')), [&] { ++undelivered; }); },
                limits);
  Http2Client client(server.port(), no_window);
  client.get(1);
  client.get(3);
  EXPECT_EQ(client.status(1), "200");
  EXPECT_EQ(client.status(3), "503");
  server.await([&] { return undelivered == 1; });
  client.open_window(1, 60'000);
  EXPECT_EQ(client.body(1).size(), 60'000U);
  client.get(5);
  EXPECT_EQ(client.status(5), "200");
}

TEST(Http2, AStreamWhosePieceIsOverTheBudgetIsCancelledLater) {
  const NetLimits limits{.answers_bytes_max = 100'000};
  for (const std::size_t first : {0U, 200'000U}) {
    std::atomic<bool> within = false;
    Happening<bool> cancelled_within;
    Server server(
        [&](const WireRequest&, Exchange& exchange) {
          within = true;
          exchange.may_park([&] {
            cancelled_within.happen(within);
            exchange.abandon();
          });
          exchange.begin_stream(text(std::string(first, 'x')));
          exchange.write_piece(std::string(200'000, 'x'), [] { ADD_FAILURE() << "it was too much"; });
          within = false;
        },
        limits);
    Http2Client client(server.port());
    client.get(1);
    EXPECT_EQ(client.next(NGHTTP2_RST_STREAM, 1).code(), NGHTTP2_CANCEL);
    EXPECT_FALSE(cancelled_within.await());
  }
}

TEST(Http2, CallsAreBoundedOverAllConnections) {
  const NetLimits limits{.calls_max = 3};
  std::vector<Exchange*> open;
  Server server(
      [&](const WireRequest&, Exchange& exchange) {
        exchange.may_park([&exchange] { exchange.abandon(); });
        open.push_back(&exchange);
      },
      limits);
  Http2Client one(server.port());
  Http2Client other(server.port());
  one.get(1);
  one.get(3);
  server.await([&] { return open.size() == 2; });
  other.get(1);
  other.get(3);
  EXPECT_EQ(other.status(3), "503");
  one.close();
  server.await([&] { return server.sessions().size() == 1; });
  other.get(5);
  server.await([&] { return open.size() == 4; });
}

// ---------------------------------------------------------------------------------------------------------------------
// Floods

// Sends until the server has had enough, or says that it did not.
template <class Send>
std::uint32_t code_of_goaway(Http2Client& client, Send send, int times = 20'000) {
  // Read beside, so that it is not the unread answers that end it.
  std::jthread writer([&] {
    for (int i = 0; i < times; ++i) {
      if (!send(i)) return;
    }
  });
  const Frame last = client.next(NGHTTP2_GOAWAY, 0);
  writer.join();
  return last.type == -1 ? 0 : last.code();
}

TEST(Http2Flood, FramesThatCarryNothing) {
  const std::map<std::string, std::string> floods{
      {"ping", frame(NGHTTP2_PING, 0, 0, "12345678")},
      {"settings", frame(NGHTTP2_SETTINGS, 0, 0)},
      {"priority", frame(NGHTTP2_PRIORITY, 0, 1, number(3, 4) + number(1, 1))},
      {"window update", frame(NGHTTP2_WINDOW_UPDATE, 0, 0, number(1, 4))},
      {"empty data", frame(NGHTTP2_DATA, 0, 1)},
      {"single bytes", frame(NGHTTP2_DATA, 0, 1, "x")},
      {"resets of what is over", frame(NGHTTP2_RST_STREAM, 0, 3, number(NGHTTP2_CANCEL, 4))},
  };
  for (const auto& [name, bytes] : floods) {
    SCOPED_TRACE(name);
    Server server(echo);
    Http2Client client(server.port());
    client.post(1);
    client.get(3);
    EXPECT_EQ(client.status(3), "200");
    EXPECT_EQ(code_of_goaway(client, [&](int) { return client.send(bytes); }), calm);
    client.close();
    server.await([&] { return server.sessions().size() == 0; });
  }
}

TEST(Http2Flood, AskingEarnsTheFramesThatHonestClientsSend) {
  const NetLimits limits{.idle_frames_max = 50, .idle_frames_per_second = 0};
  Server server(echo, limits);
  Http2Client client(server.port());
  for (int i = 0; i < 200; ++i) {
    client.send(frame(NGHTTP2_PING, 0, 0, "12345678"));
    client.open_window(0, 100);
    client.get(2 * i + 1);
    ASSERT_EQ(client.status(2 * i + 1), "200");
  }
}

TEST(Http2Flood, AcknowledgementsThatNobodyReads) {
  Server server(echo);
  Http2Client client(server.port());
  const std::string pings = [] {
    std::string all;
    for (int i = 0; i < 1'000; ++i) all += frame(NGHTTP2_PING, 0, 0, "12345678");
    return all;
  }();
  // All in one read of the server, before it can have sent one.
  client.send(pings);
  EXPECT_EQ(client.next(NGHTTP2_GOAWAY, 0).code(), calm);
}

TEST(Http2Flood, RequestsThatAreTakenBack) {
  std::atomic<int> begun = 0;
  std::vector<Exchange*> open;
  Server server([&](const WireRequest&, Exchange& exchange) {
    ++begun;
    exchange.may_park([&exchange] { exchange.abandon(); });
  });
  Http2Client client(server.port());
  EXPECT_EQ(code_of_goaway(client, [&](int i) { return client.get(2 * i + 1) && client.reset(2 * i + 1); }), calm);
  EXPECT_LE(begun, 502);
}

TEST(Http2Flood, RequestsThatTheServerHasToTakeBack) {
  Server server([](const WireRequest&, Exchange& exchange) { exchange.may_park([&exchange] { exchange.abandon(); }); });
  Http2Client client(server.port());
  // A window that is opened too far is an error of its stream.
  EXPECT_EQ(
      code_of_goaway(client, [&](int i) { return client.get(2 * i + 1) && client.open_window(2 * i + 1, 0x7FFFFFFF); }),
      calm);
}

TEST(Http2Flood, RequestsBeyondThoseAllowed) {
  const NetLimits limits{.streams_max = 10};
  Server server([](const WireRequest&, Exchange& exchange) { exchange.may_park([&exchange] { exchange.abandon(); }); },
                limits);
  Http2Client client(server.port());
  for (int i = 0; i < 11; ++i) client.get(2 * i + 1);
  // The client was told how many there may be.
  EXPECT_EQ(client.next(NGHTTP2_GOAWAY, 0).code(), NGHTTP2_PROTOCOL_ERROR);
}

TEST(Http2Flood, Continuations) {
  Server server(echo);
  Http2Client client(server.port());
  client.send(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, Http2Client::head("GET", "/")));
  EXPECT_EQ(code_of_goaway(
                client, [&](int) { return client.send(frame(NGHTTP2_CONTINUATION, 0, 1)); }, 100),
            calm);
}

TEST(Http2Flood, HeadersThatAreTooLong) {
  Server server(echo);
  Http2Client client(server.port());
  std::string more;
  for (int i = 0; i < 4; ++i) more += hpack_header("x-long", std::string(4'000, 'x'));
  // One block in three frames, somewhat beyond what is allowed.
  client.send(
      frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, Http2Client::head("GET", "/")) +
      frame(NGHTTP2_CONTINUATION, 0, 1, more) + frame(NGHTTP2_CONTINUATION, 0, 1, more) +
      frame(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, hpack_header("x-last", std::string(4'000, 'x'))));
  EXPECT_EQ(client.status(1), "431");
  client.get(3);
  EXPECT_EQ(client.status(3), "200");
}

TEST(Http2Flood, HeadersThatTheTableMakesLong) {
  Server server(echo);
  Http2Client client(server.port());
  // Remembered once, and then named by one byte each.
  std::string block =
      Http2Client::head("GET", "/") + number(0x40, 1) + hpack_text("x") + hpack_text(std::string(4'000, 'x'));
  block += std::string(10'000, static_cast<char>(0x80 | 62));
  client.send(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1, block));
  EXPECT_EQ(client.next(NGHTTP2_GOAWAY, 0).code(), calm);
}

TEST(Http2Flood, WhatIsNoHttp2EndsTheConnection) {
  for (const std::string& junk : {frame(NGHTTP2_DATA, 0, 0, "x"), frame(NGHTTP2_HEADERS, 4, 2, "\x82"),
                                  frame(NGHTTP2_HEADERS, 4, 1, "\xff\xff\xff\xff\xff\xff\xff"),
                                  std::string("GET / HTTP/1.1\r\n\r\n"), frame(NGHTTP2_PUSH_PROMISE, 4, 1, "12345")}) {
    Server server(echo);
    Http2Client client(server.port());
    client.send(junk);
    const Frame last = client.next(NGHTTP2_GOAWAY, 0);
    ASSERT_EQ(last.type, NGHTTP2_GOAWAY);
    EXPECT_THAT(last.code(), AnyOf(NGHTTP2_PROTOCOL_ERROR, NGHTTP2_FRAME_SIZE_ERROR, NGHTTP2_COMPRESSION_ERROR));
    EXPECT_EQ(client.next().type, -1);
  }
}

TEST(Http2, AStopSendsAwayAndFinishesAnswersAndStreams) {
  Exchange* open = nullptr;
  Exchange* streamed = nullptr;
  Happening<bool> begun;
  Happening<bool> drained;
  Server server([&](const WireRequest& request, Exchange& exchange) {
    if (request.target == "/whole") {
      open = &exchange;
      return begun.happen(true);
    }
    streamed = &exchange;
    exchange.may_park([&exchange] { exchange.abandon(); });
    exchange.begin_stream(text("x"));
  });
  Http2Client idle(server.port());
  Http2Client client(server.port());
  client.get(1, "/stream");
  EXPECT_EQ(client.next(NGHTTP2_DATA, 1).payload, "x");
  client.get(3, "/whole");
  EXPECT_TRUE(begun.await());
  server.run([&] { server.sessions().stop([&] { drained.happen(true); }); });
  EXPECT_EQ(idle.next(NGHTTP2_GOAWAY, 0).code(), NGHTTP2_NO_ERROR);
  EXPECT_EQ(idle.next().type, -1);
  EXPECT_EQ(client.next(NGHTTP2_GOAWAY, 0).code(), NGHTTP2_NO_ERROR);
  server.run([&] { streamed->end_stream(); });
  EXPECT_EQ(client.next(NGHTTP2_DATA, 1).payload, "");
  server.run([&] { open->complete(text("done")); });
  EXPECT_EQ(client.body(3), "done");
  EXPECT_EQ(client.next().type, -1);
  EXPECT_TRUE(drained.await());
}

}  // namespace
}  // namespace penstock::net::test
