// Answers that have no body, and the methods of requests, over both versions of HTTP.
#include <gmock/gmock.h>

#include "net/loopback.hpp"

namespace penstock::net::test {
namespace {

using protocol::WireRequest;
using protocol::WireResponse;
using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::Not;

// 204 for what is deleted; otherwise what was asked.
void delete_or_echo(const WireRequest& request, Exchange& exchange) {
  if (request.method == "DELETE") {
    return exchange.complete({204, "application/json", {{"x-id", "7"}}, std::string(request.target == "/wrong", 'x')});
  }
  std::string all(request.method);
  exchange.complete({200, "text/plain", {}, all.append(" ").append(request.body)});
}

TEST(NoContent, OverHttp1TheNextAnswerFollowsTheHead) {
  Server server(delete_or_echo);
  Client client(server.port());
  for (int i = 0; i < 2; ++i) {
    client.send(
        "DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\nPUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi");
    EXPECT_EQ(client.read_to("\r\n\r\n"), "HTTP/1.1 204 No Content\r\nx-id: 7\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_THAT(client.read_to("\r\n\r\n"), HasSubstr("HTTP/1.1 200 OK\r\n"));
    EXPECT_EQ(client.read(6), "PUT hi");
  }
}

TEST(NoContent, OverHttp2ItsHeadEndsTheStream) {
  Server server(delete_or_echo);
  Http2Client client(server.port());
  client.send(
      frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1, Http2Client::head("DELETE", "/")));
  const Frame head = client.next(NGHTTP2_HEADERS, 1);
  EXPECT_TRUE(head.ends_stream());
  EXPECT_EQ(client.headers().at(":status"), "204");
  EXPECT_EQ(client.headers().at("x-id"), "7");
  EXPECT_THAT(client.headers(), Not(Contains(Key("content-length"))));
  EXPECT_THAT(client.headers(), Not(Contains(Key("content-type"))));
  client.send(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 3, Http2Client::head("PUT", "/")));
  client.data(3, "hi", true);
  EXPECT_EQ(client.body(3), "PUT hi");
}

TEST(NoContent, ABodyThatAHandlerGivesAllTheSameIsNotTakenForAnAnswer) {
  Server server(delete_or_echo);
  Client client(server.port());
  client.send("DELETE /wrong HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.read_to("\r\n\r\n");
  EXPECT_THAT(client.read_to("\r\n\r\n"), HasSubstr("HTTP/1.1 200 OK\r\n"));
  Http2Client second(server.port());
  second.send(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1,
                    Http2Client::head("DELETE", "/wrong")));
  EXPECT_TRUE(second.next(NGHTTP2_HEADERS, 1).ends_stream());
}

TEST(NoContent, AnEmptyAnswerOfAnotherStatusHasItsLength) {
  Server server([](const WireRequest&, Exchange& exchange) { exchange.complete({200, "text/plain", {}, ""}); });
  Client client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.read_to("\r\n\r\n"), HasSubstr("\r\nContent-Length: 0\r\n"));
  Http2Client second(server.port());
  second.get(1);
  EXPECT_TRUE(second.next(NGHTTP2_HEADERS, 1).ends_stream());
  EXPECT_EQ(second.headers().at("content-length"), "0");
}

}  // namespace
}  // namespace penstock::net::test
