// Bodies of requests that may be larger than those of others, over both versions of HTTP.
#include <gmock/gmock.h>

#include "net/loopback.hpp"

namespace penstock::net::test {
namespace {

using protocol::WireRequest;
using testing::HasSubstr;
using testing::StartsWith;

constexpr NetLimits limits{.body_bytes_max = 100'000, .large_body_bytes_max = 200'000};

void answer_size(const WireRequest& request, Exchange& exchange) {
  exchange.complete({200, "text/plain", {}, std::to_string(request.body.size())});
}

std::string posted(std::string_view path, std::size_t bytes) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(bytes) +
         "\r\n\r\n" + std::string(bytes, 'x');
}

std::string chunked(std::string_view path, std::size_t chunks) {
  std::string text = "POST " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t i = 0; i < chunks; ++i) text += "2710\r\n" + std::string(10'000, 'x') + "\r\n";
  return text + "0\r\n\r\n";
}

TEST(LargeBodies, OverHttp1AreTakenWhereTheHandlerTakesThem) {
  Server server(answer_size, limits);
  Client client(server.port());
  client.send(posted("/large", 200'000));
  EXPECT_THAT(client.read_to("\r\n\r\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(client.read(6), "200000");
  client.send(chunked("/large/too", 15));
  EXPECT_THAT(client.read_to("\r\n\r\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(client.read(6), "150000");
}

TEST(LargeBodies, OverHttp1AreRefusedElsewhereAndBeyondTheirBound) {
  Server server(answer_size, limits);
  for (const std::string& request :
       {posted("/", 100'001), posted("/large", 200'001), chunked("/", 11), chunked("/large", 21)}) {
    Client client(server.port());
    client.send(request);
    EXPECT_THAT(client.read_to("\r\n\r\n"), StartsWith("HTTP/1.1 413 ")) << request.substr(0, 40);
  }
}

TEST(LargeBodies, OverHttp1AreRefusedByTheirAnnouncementAlone) {
  Server server(answer_size, limits);
  Client client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 150000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(client.read_to("\r\n\r\n"), HasSubstr(" 413 "));
}

// Who decides sees the whole head, and none of the body.
TEST(LargeBodies, OverHttp1AreRefusedByAnyPartOfTheirHead) {
  Server server(answer_size, limits);
  for (const auto& [method, host] : {std::pair{"PUT", "localhost"}, std::pair{"POST", "example.com"}}) {
    Client client(server.port());
    client.send(std::string(method) + " /large HTTP/1.1\r\nHost: " + host +
                "\r\nContent-Length: 150000\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_THAT(client.read_to("\r\n\r\n"), HasSubstr(" 413 ")) << method << " " << host;
  }
}

TEST(LargeBodies, OverHttp2AreRefusedByTheirAnnouncementAlone) {
  Server server(answer_size, limits);
  Http2Client client(server.port());
  const auto announce = [&](std::int32_t stream, std::string_view method, std::string_view bytes) {
    client.send(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream,
                      Http2Client::head(method, "/large") + hpack_header("content-length", bytes)));
  };
  announce(1, "PUT", "150000");
  EXPECT_EQ(client.status(1), "413");
  announce(3, "POST", "200001");
  EXPECT_EQ(client.status(3), "413");
}

TEST(LargeBodies, OverHttp2AreTakenWhereTheHandlerTakesThem) {
  Server server(answer_size, limits);
  Http2Client client(server.port());
  const auto begin = [&](std::int32_t stream, std::string_view path) {
    client.send(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream, Http2Client::head("POST", path)));
  };
  begin(1, "/large");
  for (int i = 0; i < 15; ++i) client.data(1, std::string(10'000, 'x'), i == 14);
  EXPECT_EQ(client.body(1), "150000");
  begin(3, "/large");
  for (int i = 0; i < 21; ++i) client.data(3, std::string(10'000, 'x'), false);
  EXPECT_EQ(client.status(3), "413");
  begin(5, "/");
  for (int i = 0; i < 11; ++i) client.data(5, std::string(10'000, 'x'), false);
  EXPECT_EQ(client.status(5), "413");
}

}  // namespace
}  // namespace penstock::net::test
