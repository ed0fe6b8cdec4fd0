// What a signature has to be for a request to be let in, and what is said of one that is not: a client signs here, and
// something is changed on the way.
#include "protocol/signature.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "protocol/authentication.hpp"

namespace penstock::protocol {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

constexpr std::string_view secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
constexpr std::chrono::sys_seconds signed_at = std::chrono::sys_days{std::chrono::year{2015} / 8 / 30} + 12h + 36min;
constexpr std::string_view moment = "20150830T123600Z";
constexpr std::string_view scope_text = "AKIDEXAMPLE/20150830/us-east-1/sqs/aws4_request";

std::optional<std::string> secret_of(std::string_view access_key) {
  if (access_key == "AKIDEXAMPLE") return std::string(secret);
  return std::nullopt;
}

/// A request that owns its parts.
struct Sent {
  std::string method = "POST";
  std::string target = "/";
  std::vector<std::pair<std::string, std::string>> headers{{"Host", "localhost:4566"},
                                                           {"X-Amz-Date", std::string(moment)},
                                                           {"X-Amz-Target", "AmazonSQS.ListQueues"},
                                                           {"Content-Type", "application/x-amz-json-1.0"}};
  std::string body = "{}";

  void set(const std::string& name, const std::string& value) {
    for (auto& [known, text] : headers) {
      if (known == name) {
        text = value;
        return;
      }
    }
    headers.emplace_back(name, value);
  }
  void remove(const std::string& name) {
    std::erase_if(headers, [&](const auto& header) { return header.first == name; });
  }
};

std::vector<Header> headers_of(const Sent& sent) {
  std::vector<Header> headers;
  for (const auto& [name, value] : sent.headers) headers.push_back({name, value});
  return headers;
}

std::string sign(const Sent& sent, const std::vector<std::string_view>& names, std::string_view service = "sqs",
                 std::string_view time = moment) {
  const std::vector<Header> headers = headers_of(sent);
  const WireRequest request{.method = sent.method, .target = sent.target, .headers = headers, .body = sent.body};
  const Scope scope{time.substr(0, 8), "us-east-1", service};
  return signature_of(signing_key(secret, scope), string_to_sign(time, scope, canonical_request(request, names)));
}

const std::vector<std::string_view> all_names{"content-type", "host", "x-amz-date", "x-amz-target"};

Sent signed_request() {
  Sent sent;
  sent.set("Authorization",
           "AWS4-HMAC-SHA256 Credential=" + std::string(scope_text) +
               ", SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=" + sign(sent, all_names));
  return sent;
}

Sent signed_url(std::string target = "/000000000000/jobs?Action=ReceiveMessage&Version=2012-11-05") {
  Sent sent{.method = "GET", .target = std::move(target), .headers = {{"Host", "localhost:4566"}}, .body = ""};
  sent.target +=
      "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fsqs%2Faws4_request";
  sent.target += "&X-Amz-Date=" + std::string(moment) + "&X-Amz-Expires=3600&X-Amz-SignedHeaders=host";
  sent.target += "&X-Amz-Signature=" + sign(sent, {"host"});
  return sent;
}

std::optional<SignatureRefusal> check(const Sent& sent, std::chrono::sys_seconds now = signed_at,
                                      std::string_view service = "sqs") {
  const std::vector<Header> headers = headers_of(sent);
  const WireRequest request{.method = sent.method, .target = sent.target, .headers = headers, .body = sent.body};
  SigningKeys keys;
  return check_signature(request, service, secret_of, keys, now);
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Signature, HoldsAsItWasSent) {
  EXPECT_FALSE(check(signed_request()));
  EXPECT_FALSE(check(signed_url()));
  EXPECT_FALSE(check(signed_request(), signed_at, "")) << "where any service will do";
  Sent by_proxy = signed_request();
  by_proxy.headers.insert(by_proxy.headers.begin(), {"Via", "1.1 proxy"});
  EXPECT_FALSE(check(by_proxy)) << "what is not signed may be added";
}

TEST(Signature, WithTheDateHeaderAlone) {
  Sent sent;
  sent.remove("X-Amz-Date");
  sent.set("Date", "Sun, 30 Aug 2015 12:36:00 GMT");
  const std::string authorization = "AWS4-HMAC-SHA256 Credential=" + std::string(scope_text) +
                                    ",SignedHeaders=content-type;date;host;x-amz-target,Signature=";
  Sent whole = sent;
  whole.set("Authorization", authorization + sign(sent, {"content-type", "date", "host", "x-amz-target"}));
  EXPECT_FALSE(check(whole));
  whole.set("Date", "Sun, 30 Aug 2015 12:36:01 GMT");
  EXPECT_TRUE(check(whole));
}

TEST(Signature, AnyChangeOnTheWayIsSeen) {
  const std::vector<std::pair<const char*, std::function<void(Sent&)>>> changes{
      {"the body", [](Sent& sent) { sent.body = "{ }"; }},
      {"the operation", [](Sent& sent) { sent.set("X-Amz-Target", "AmazonSQS.DeleteQueue"); }},
      {"the method", [](Sent& sent) { sent.method = "PUT"; }},
      {"the path", [](Sent& sent) { sent.target = "/000000000000/jobs"; }},
      {"the query", [](Sent& sent) { sent.target = "/?Action=ListQueues"; }},
      {"the host", [](Sent& sent) { sent.set("Host", "localhost:4567"); }},
      {"a header twice", [](Sent& sent) { sent.headers.emplace_back("x-amz-target", "AmazonSQS.DeleteQueue"); }},
      {"the signature's case",
       [](Sent& sent) {
         std::string text = sent.headers.back().second;
         for (std::size_t at = text.rfind('=') + 1; at < text.size(); ++at)
           text[at] = static_cast<char>(toupper(text[at]));
         sent.headers.back().second = text;
       }},
  };
  for (const auto& [what, change] : changes) {
    Sent sent = signed_request();
    change(sent);
    const auto refusal = check(sent);
    ASSERT_TRUE(refusal) << what;
    EXPECT_EQ(refusal->fault, SignatureFault::mismatch) << what;
    EXPECT_THAT(refusal->message, StartsWith("The request signature we calculated does not match")) << what;
    EXPECT_THAT(refusal->message, HasSubstr("The Canonical String for this request should have been\n'" + sent.method))
        << what;
  }
  Sent url = signed_url();
  url.target = replaced(url.target, "ReceiveMessage", "PurgeQueue");
  EXPECT_TRUE(check(url));
}

TEST(Signature, WhatCouldBeReadInAnotherWayLaterIsRefused) {
  struct Twist {
    const char* from;
    const char* to;
    SignatureFault fault;
    const char* says;
  };
  const std::vector<Twist> twists{
      {"AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 XCredential=000000000001/20150830/eu-west-1/sqs/aws4_request, ",
       SignatureFault::incomplete, "'XCredential' is not expected"},
      {"AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 Credential=000000000001/20150830/eu-west-1/sqs/aws4_request, ",
       SignatureFault::incomplete, "'Credential' is not expected"},
      {"SignedHeaders=", "SignedHeaders=a=Credential=b;", SignatureFault::mismatch, "names in lower case"},
      {"content-type;host", "host;content-type", SignatureFault::mismatch, "in order"},
      {"content-type;host", "content-type;host;host", SignatureFault::mismatch, "each once"},
      {"content-type;host", "Content-Type;host", SignatureFault::mismatch, "lower case"},
      {"content-type;host;", "content-type;", SignatureFault::mismatch, "'Host' or ':authority' must be"},
      {";x-amz-target", "", SignatureFault::mismatch, "which were not signed: x-amz-target"},
      {"/sqs/", "/kinesis/", SignatureFault::mismatch, "Credential should be scoped to correct service: 'sqs'. "},
      {"/us-east-1/", "/US EAST/", SignatureFault::incomplete, "not a valid key=value pair (missing equal-sign)"},
      {"/us-east-1/", "/US_EAST/", SignatureFault::mismatch, "scoped to a valid region, not 'US_EAST'. "},
      {"/aws4_request", "/aws5_request", SignatureFault::mismatch, "valid terminator: 'aws4_request'"},
      {"/20150830/", "/20150829/", SignatureFault::mismatch,
       "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150829' != "
       "'20150830', from '20150830T123600Z'."},
      {"AKIDEXAMPLE/", "/", SignatureFault::incomplete, "exactly 5 slash-delimited elements"},
      {"AKIDEXAMPLE/", "A/AKIDEXAMPLE/", SignatureFault::incomplete, "exactly 5 slash-delimited elements"},
      {"aws4_request,", "aws4_request/,", SignatureFault::incomplete, "exactly 5 slash-delimited elements"},
      {"AKIDEXAMPLE/", "AKIDOTHER/", SignatureFault::unknown_key,
       "The security token included in the request is invalid."},
      {"AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", SignatureFault::incomplete, "Unsupported AWS 'algorithm'"},
      {", Signature=", ", Signed=", SignatureFault::incomplete, "'Signed' is not expected"},
  };
  for (const Twist& twist : twists) {
    Sent sent = signed_request();
    sent.headers.back().second = replaced(sent.headers.back().second, twist.from, twist.to);
    const auto refusal = check(sent);
    ASSERT_TRUE(refusal) << twist.to;
    EXPECT_EQ(refusal->fault, twist.fault) << twist.to << ": " << refusal->message;
    EXPECT_THAT(refusal->message, HasSubstr(twist.says));
  }
}

TEST(Signature, WithoutOneItIsMissing) {
  Sent sent;
  auto refusal = check(sent);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->fault, SignatureFault::missing);
  sent.set("Authorization", "Bearer abc");
  refusal = check(sent);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->fault, SignatureFault::incomplete);
  EXPECT_EQ(refusal->message,
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' "
            "parameter. Authorization header requires 'SignedHeaders' parameter. Authorization=Bearer");
  Sent both = signed_url();
  both.set("Authorization", signed_request().headers.back().second);
  refusal = check(both);
  ASSERT_TRUE(refusal);
  EXPECT_THAT(refusal->message, StartsWith("Found both 'X-Amz-Algorithm'"));
}

TEST(Signature, AUrlSaysAllOfItAndEachOnce) {
  for (const char* name : {"X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature"}) {
    Sent without = signed_url();
    without.target = replaced(without.target, name, "X-Amz-Other");
    auto refusal = check(without);
    ASSERT_TRUE(refusal) << name;
    EXPECT_EQ(refusal->fault, SignatureFault::incomplete);
    EXPECT_EQ(refusal->message, "AWS query-string parameters must include '" + std::string(name) +
                                    "'. Re-examine the query-string parameters.");
    Sent twice = signed_url(std::string("/?") + name + "=x");
    EXPECT_TRUE(check(twice)) << name;
  }
}

TEST(Signature, TimesAreHeldAgainstTheClock) {
  EXPECT_FALSE(check(signed_request(), signed_at + 5min));
  EXPECT_FALSE(check(signed_request(), signed_at - 5min));
  auto refusal = check(signed_request(), signed_at + 5min + 1s);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->fault, SignatureFault::mismatch);
  EXPECT_EQ(refusal->message,
            "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)");
  refusal = check(signed_request(), signed_at - 5min - 1s);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->message,
            "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 "
            "min.)");
  // A URL is good for as long as it says.
  EXPECT_FALSE(check(signed_url(), signed_at + 1h));
  EXPECT_TRUE(check(signed_url(), signed_at + 1h + 1s));
  EXPECT_TRUE(check(signed_url(), signed_at - 5min - 1s));
  for (const char* date : {"20150830T123600", "2015083T0123600Z", "20151330T123600Z", "20150830T246000Z", "now"}) {
    Sent sent = signed_request();
    sent.set("X-Amz-Date", date);
    refusal = check(sent);
    ASSERT_TRUE(refusal) << date;
    EXPECT_EQ(refusal->fault, SignatureFault::incomplete) << date;
    EXPECT_THAT(refusal->message, StartsWith("Date must be in ISO-8601 'basic format'. Got '"));
  }
}

TEST(Signature, AUrlIsNotGoodForEver) {
  for (const char* expires : {"0", "604801", "-1", "1h", "", "99999999999999999999"}) {
    Sent sent = signed_url();
    sent.target = replaced(sent.target, "X-Amz-Expires=3600", std::string("X-Amz-Expires=") + expires);
    const auto refusal = check(sent);
    ASSERT_TRUE(refusal) << expires;
    EXPECT_EQ(refusal->fault, SignatureFault::incomplete) << expires;
  }
}

TEST(Signature, WhatIsPutInCanonicalFormIsBounded) {
  std::string names = "host";
  for (int i = 1000; i < 1200; ++i) names += ";x" + std::to_string(i);
  Sent sent = signed_request();
  sent.headers.back().second = replaced(sent.headers.back().second, "content-type;host;x-amz-date;x-amz-target", names);
  ASSERT_TRUE(check(sent));
  Sent large = signed_url("/?" + std::string(20'000, 'a'));
  large.target.back() = large.target.back() == '0' ? '1' : '0';
  const auto refusal = check(large);
  ASSERT_TRUE(refusal);
  EXPECT_LT(refusal->message.size(), 1'000U);
}

// ---- In the words of each protocol

std::optional<WireResponse> answer_to(const Sent& sent) {
  const std::vector<Header> headers = headers_of(sent);
  const WireRequest request{
      .method = sent.method, .target = sent.target, .headers = headers, .body = sent.body, .request_id = "id"};
  SigningKeys keys;
  return authenticate(request, secret_of, keys, signed_at, "to bring a token");
}

std::string header_of(const WireResponse& response, std::string_view name) {
  for (const auto& [known, value] : response.headers) {
    if (known == name) return value;
  }
  return {};
}

TEST(Authentication, SpeaksTheRequestsProtocol) {
  Sent sent;  // SQS in JSON
  auto response = answer_to(sent);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 403);
  EXPECT_EQ(response->body, R"({"__type":"com.amazon.coral.service#MissingAuthenticationTokenException",)"
                            R"("message":"Missing Authentication Token"})");
  EXPECT_EQ(header_of(*response, "x-amzn-query-error"), "MissingAuthenticationToken;Sender");

  sent.set("X-Amz-Target", "Kinesis_20131202.ListStreams");
  sent.set("Content-Type", "application/x-amz-json-1.1");
  response = answer_to(sent);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 400);
  EXPECT_EQ(response->body,
            R"({"__type":"MissingAuthenticationTokenException","message":"Missing Authentication Token"})");

  sent.set("Content-Type", "application/x-amz-cbor-1.1");
  response = answer_to(sent);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 400);
  EXPECT_EQ(response->content_type, "application/x-amz-cbor-1.1");
  EXPECT_THAT(response->body, HasSubstr("MissingAuthenticationTokenException"));

  Sent query{.method = "POST",
             .headers = {{"Host", "h"}, {"Content-Type", "application/x-www-form-urlencoded"}},
             .body = "Action=ListQueues"};
  response = answer_to(query);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 403);
  EXPECT_THAT(response->body, HasSubstr("<Type>Sender</Type><Code>MissingAuthenticationToken</Code><Message>Request is "
                                        "missing Authentication Token</Message>"));

  Sent lambda{.method = "GET", .target = "/2015-03-31/functions", .headers = {{"Host", "h"}}, .body = ""};
  response = answer_to(lambda);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 403);
  EXPECT_EQ(header_of(*response, "x-amzn-ErrorType"), "MissingAuthenticationTokenException");
  EXPECT_THAT(response->body, HasSubstr(R"("message":"Missing Authentication Token")"));

  Sent native{.method = "GET", .target = "/_penstock/functions", .headers = {{"Host", "h"}}, .body = ""};
  response = answer_to(native);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 401);
  EXPECT_EQ(header_of(*response, "WWW-Authenticate"), "Bearer realm=\"penstock\"");
  EXPECT_EQ(response->body, R"({"Error":"MissingAuthenticationToken","Message":"The request has to be signed with one )"
                            R"(of this server's keys, or to bring a token."})");
}

TEST(Authentication, EachFaultHasItsCodeAndStatus) {
  struct Case {
    const char* from;
    const char* to;
    int status;
    const char* type;
    const char* query_error;
  };
  const std::vector<Case> cases{
      {", Signature=", ", Signed=", 400, "IncompleteSignatureException", "IncompleteSignature;Sender"},
      {"AKIDEXAMPLE", "AKIDOTHER", 403, "UnrecognizedClientException", "InvalidClientTokenId;Sender"},
      {"Signature=", "Signature=0", 403, "InvalidSignatureException", "SignatureDoesNotMatch;Sender"},
  };
  for (const Case& each : cases) {
    Sent sent = signed_request();
    sent.headers.back().second = replaced(sent.headers.back().second, each.from, each.to);
    const auto response = answer_to(sent);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, each.status);
    EXPECT_THAT(response->body,
                StartsWith(std::string(R"({"__type":"com.amazon.coral.service#)") + each.type + R"(","message":")"));
    EXPECT_EQ(header_of(*response, "x-amzn-query-error"), each.query_error);
  }
  EXPECT_FALSE(answer_to(signed_request()));
}

TEST(Authentication, QuotesWhatWasSentOnlyWhereItCanBeSent) {
  Sent sent = signed_request();
  sent.set("Content-Type", "application/x-amz-json-1.0\x01\xff");
  const auto response = answer_to(sent);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 403);
  EXPECT_EQ(response->body.find('\xff'), std::string::npos);
}

}  // namespace
}  // namespace penstock::protocol
