// The Token of a poll: what goes in comes out, and nothing else does.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "penstock/limits.hpp"
#include "protocol/base64.hpp"
#include "protocol/kinesis/tokens.hpp"
#include "protocol/kinesis_support.hpp"
#include "protocol/native/constraints.hpp"
#include "protocol/native/poll_token.hpp"
#include "protocol/native_support.hpp"
#include "support/random.hpp"

namespace penstock::protocol::testing {
namespace {

using native::read_token;
using native::to_string;
using native::token_of;

class PollTokens : public ::testing::Test {
 protected:
  PollTokens() : seed_(given_seed()), random_(seed_) {}
  void TearDown() override {
    if (HasFailure()) ADD_FAILURE() << "PENSTOCK_TEST_SEED=" << seed_ << " replays this";
  }

  /// Of any size: small numbers are as frequent as large ones.
  std::uint64_t number() { return random_.next() >> random_.below(64); }
  std::int64_t seconds() { return static_cast<std::int64_t>(number() >> 1U); }
  GroupToken token(std::size_t shards) {
    GroupToken token{GroupId{random_.next()}, random_.next(), {}};
    for (std::size_t i = 0; i < shards; ++i) {
      token.handed.push_back({ShardIndex{static_cast<std::uint32_t>(number() >> 32U)}, number(), RecordIndex{number()},
                              seconds(), RecordIndex{number()}, RecordIndex{number()}});
    }
    return token;
  }
  test::Random& random() { return random_; }

 private:
  static std::uint64_t given_seed() {
    const char* given = std::getenv("PENSTOCK_TEST_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  }

  std::uint64_t seed_;
  test::Random random_;
};

void expect_none(std::string_view text) {
  const auto read = read_token(text);
  const Error* error = std::get_if<Error>(&read);
  ASSERT_NE(error, nullptr) << text;
  EXPECT_EQ(*error, (Error{ErrorCode::InvalidRequest, "Token is none that a poll has answered."}));
}

TEST_F(PollTokens, SayWhatTheyMean) {
  for (int i = 0; i < 1'000 && !HasFailure(); ++i) {
    const GroupToken was = token(random().below(group_limits::poll_shards_max + 1));
    const auto read = read_token(to_string(was));
    ASSERT_TRUE(std::holds_alternative<GroupToken>(read));
    const auto& is = std::get<GroupToken>(read);
    EXPECT_EQ(is.group, was.group);
    EXPECT_EQ(is.session, was.session);
    EXPECT_EQ(is.handed, was.handed);
  }
}

TEST_F(PollTokens, HoldWhatWasHandedOut) {
  GroupPolled polled = group_polled();
  GroupBatch idle{4, {RecordIndex{3}, {}, 1'421'889'600, {}}, records_page()};
  idle.page.records.clear();
  polled.batches.push_back(idle);
  GroupBatch trimmed{6, {RecordIndex{1}, {}, 0, {}}, records_page()};
  trimmed.page.records.erase(trimmed.page.records.begin());
  polled.batches.push_back(trimmed);
  const GroupToken token = token_of(polled);
  EXPECT_EQ(token.group, GroupId{99});
  EXPECT_EQ(token.session, 11U);
  const std::vector<HandedOut> handed{
      {ShardIndex{0}, 5, RecordIndex{3}, 1'421'889'611, RecordIndex{1}, RecordIndex{1}},
      {ShardIndex{1}, 1, RecordIndex{3}, 0, RecordIndex{3}, RecordIndex{1}},
      {ShardIndex{0}, 4, RecordIndex{3}, 1'421'889'600, RecordIndex{3}, RecordIndex{3}},
      {ShardIndex{0}, 6, RecordIndex{3}, 1'421'889'611, RecordIndex{2}, RecordIndex{1}},
  };
  EXPECT_EQ(token.handed, handed) << "and nothing of the batch that was not read";
}

TEST_F(PollTokens, AreNoLongerThanARequestMayHaveThem) {
  GroupToken longest{GroupId{UINT64_MAX}, UINT64_MAX, {}};
  longest.handed.assign(group_limits::poll_shards_max, {ShardIndex{UINT32_MAX}, UINT64_MAX, RecordIndex{UINT64_MAX},
                                                        INT64_MAX, RecordIndex{UINT64_MAX}, RecordIndex{UINT64_MAX}});
  const std::string text = to_string(longest);
  EXPECT_LE(text.size(), native::token_chars_max);
  ASSERT_TRUE(std::holds_alternative<GroupToken>(read_token(text)));
  longest.handed.push_back(longest.handed.front());
  expect_none(to_string(longest));

  GroupToken usual{GroupId{UINT64_MAX}, UINT64_MAX, {}};
  usual.handed.assign(
      8, {ShardIndex{7}, 3, RecordIndex{1'000'000}, 1'421'889'600, RecordIndex{1'000'000}, RecordIndex{999'000}});
  EXPECT_LE(to_string(usual).size(), 224U);
}

TEST_F(PollTokens, AreOfTheAlphabetOfUrls) {
  for (int i = 0; i < 200 && !HasFailure(); ++i) {
    const std::string text = to_string(token(random().below(5)));
    EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
              std::string::npos)
        << text;
  }
}

TEST_F(PollTokens, NoCharacterCanBeAltered) {
  const std::string text = to_string(token(3));
  const std::string_view others = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_ \n\xff";
  for (std::size_t at = 0; at < text.size() && !HasFailure(); ++at) {
    for (const char c : others) {
      if (c == text[at]) continue;
      std::string changed = text;
      changed[at] = c;
      expect_none(changed);
    }
  }
}

TEST_F(PollTokens, NothingCanBeTakenOffOrAdded) {
  const std::string text = to_string(token(3));
  for (std::size_t size = 0; size < text.size(); ++size) expect_none(std::string_view(text).substr(0, size));
  for (const std::string more : {"A", "AAAA", "=", "==", " ", "\n"}) {
    expect_none(text + more);
    expect_none(more + text);
  }
}

TEST_F(PollTokens, NothingElseIsOne) {
  const kinesis::ShardIterator iterator{stream_name(), {stream_id, {}, RecordIndex{1}, {}}, kinesis_now};
  expect_none(kinesis::to_string(iterator));
  for (int i = 0; i < 20'000 && !HasFailure(); ++i) {
    std::string bytes(random().below(120), '\0');
    for (char& c : bytes) c = static_cast<char>(random().next());
    if (!bytes.empty()) bytes.front() = 'F';
    expect_none(base64_encode(bytes));
    expect_none(bytes);
  }
}

}  // namespace
}  // namespace penstock::protocol::testing
