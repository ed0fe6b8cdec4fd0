// Signature Version 4 against what its documentation works out: the example of "Create a signed AWS API request", and
// facts of the published test suite, which all have these keys and this moment.
#include "protocol/signing.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "protocol/digests.hpp"

namespace penstock::protocol {
namespace {

constexpr std::string_view access_key = "AKIDEXAMPLE";
constexpr std::string_view secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
constexpr std::string_view moment = "20150830T123600Z";

std::string hex(const Hmac& sum) { return to_hex(sum); }

struct Case {
  std::string_view name;
  std::string_view method;
  std::string_view target;
  std::vector<Header> headers;
  std::vector<std::string_view> signed_names;
  std::string_view body;
  std::string_view service;
  std::string_view signature;
};

TEST(Signing, IsThatOfTheDocumentation) {
  const Header host{"Host", "example.amazonaws.com"};
  const Header date{"X-Amz-Date", moment};
  const std::string_view form = "application/x-www-form-urlencoded";
  const std::vector<Case> cases{
      {"the documentation's example",
       "GET",
       "/?Action=ListUsers&Version=2010-05-08",
       {{"Host", "iam.amazonaws.com"}, {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}, date},
       {"content-type", "host", "x-amz-date"},
       "",
       "iam",
       "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
      {"get-vanilla",
       "GET",
       "/",
       {host, date},
       {"host", "x-amz-date"},
       "",
       "service",
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-vanilla-query-order-key-case",
       "GET",
       "/?Param2=value2&Param1=value1",
       {date, host},
       {"host", "x-amz-date"},
       "",
       "service",
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"get-header-value-trim",
       "GET",
       "/",
       {host, {"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}, date},
       {"host", "my-header1", "my-header2", "x-amz-date"},
       "",
       "service",
       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
      {"get-header-key-duplicate",
       "GET",
       "/",
       {host, {"My-Header1", "value2"}, {"my-header1", "value2"}, {"My-Header1", "value1"}, date},
       {"host", "my-header1", "x-amz-date"},
       "",
       "service",
       "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
      {"get-utf8",
       "GET",
       "/\xE1\x88\xB4",
       {host, date},
       {"host", "x-amz-date"},
       "",
       "service",
       "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
      {"post-vanilla",
       "POST",
       "/",
       {host, date},
       {"host", "x-amz-date"},
       "",
       "service",
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"post-x-www-form-urlencoded",
       "POST",
       "/",
       {{"Content-Type", form}, host, date},
       {"content-type", "host", "x-amz-date"},
       "Param1=value1",
       "service",
       "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
  };
  for (const Case& each : cases) {
    const WireRequest request{.method = each.method, .target = each.target, .headers = each.headers, .body = each.body};
    const Scope scope{"20150830", "us-east-1", each.service};
    const std::string canonical = canonical_request(request, each.signed_names);
    const std::string to_sign = string_to_sign(moment, scope, canonical);
    EXPECT_EQ(signature_of(signing_key(secret, scope), to_sign), each.signature) << each.name << '\n' << canonical;
  }
}

TEST(Signing, TheSumsOnTheWayAreThoseOfTheDocumentationToo) {
  const std::vector<Header> headers{{"Host", "iam.amazonaws.com"},
                                    {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                                    {"X-Amz-Date", moment}};
  const WireRequest request{
      .method = "GET", .target = "/?Action=ListUsers&Version=2010-05-08", .headers = headers, .body = ""};
  const std::vector<std::string_view> names{"content-type", "host", "x-amz-date"};
  EXPECT_EQ(sha256_hex_of(canonical_request(request, names)),
            "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59");
  EXPECT_EQ(hex(signing_key(secret, {"20150830", "us-east-1", "iam"})),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

TEST(Signing, APathIsNormalizedAndEncodedOnceMore) {
  EXPECT_EQ(canonical_path(""), "/");
  EXPECT_EQ(canonical_path("/"), "/");
  EXPECT_EQ(canonical_path("/000000000000/orders.fifo"), "/000000000000/orders.fifo");
  EXPECT_EQ(canonical_path("//a/./b/../c//"), "/a/c/");
  EXPECT_EQ(canonical_path("/.."), "/");
  EXPECT_EQ(canonical_path("/@consumer/billing/"), "/%40consumer/billing/");
  EXPECT_EQ(canonical_path("/%40consumer/a%20b"), "/%2540consumer/a%2520b");
  EXPECT_EQ(canonical_path("/arn:aws:lambda"), "/arn%3Aaws%3Alambda");
}

TEST(Signing, AQueryIsSortedAndEncodedAsItWasMeant) {
  EXPECT_EQ(canonical_query(""), "");
  EXPECT_EQ(canonical_query("b=2&a=1&a=0&B"), "B=&a=0&a=1&b=2");
  EXPECT_EQ(canonical_query("&&a==b&"), "a=%3Db");
  EXPECT_EQ(canonical_query("q=a+b%20c%2Bd&r=%7e*"), "q=a%20b%20c%2Bd&r=~%2A");
  EXPECT_EQ(canonical_query("a=%zz"), "a=%25zz");
  EXPECT_EQ(canonical_query("X-Amz-Signature=ab&X-Amz-Date=x"), "X-Amz-Date=x");
}

TEST(Signing, SignedHeadersThatAreNotThereAreEmpty) {
  const std::vector<Header> headers{{"Host", "h"}};
  const std::vector<std::string_view> names{"host", "x-not-there"};
  EXPECT_EQ(canonical_headers(headers, names), "host:h\nx-not-there:\n");
}

TEST(Signing, TheAuthorityOfHttp2IsTheHost) {
  const std::vector<Header> headers{{"Host", "h:1"}};
  const std::vector<std::string_view> names{":authority"};
  EXPECT_EQ(canonical_headers(headers, names), ":authority:h:1\n");
}

TEST(Signing, KeysAreKeptWithinBoundsAndStayRight) {
  SigningKeys keys;
  const Hmac first = keys.of(access_key, secret, {"20150830", "us-east-1", "iam"});
  for (std::size_t i = 0; i < 2 * SigningKeys::keys_max; ++i) {
    const std::string date = std::to_string(20'150'000 + i);
    const Scope scope{date, "us-east-1", "sqs"};
    EXPECT_EQ(keys.of(access_key, secret, scope), signing_key(secret, scope));
    EXPECT_EQ(keys.of(access_key, secret, {"20150830", "us-east-1", "iam"}), first);
  }
}

TEST(Signing, SecretsAreComparedWhole) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
  EXPECT_FALSE(equal_in_constant_time("", "a"));
}

TEST(Signing, AnEmptyKeySignsToo) {
  // RFC 4231 has no such case; the sum is the one that any implementation of RFC 2104 gives.
  EXPECT_EQ(hex(hmac_sha256("", "")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256("", "")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

}  // namespace
}  // namespace penstock::protocol
