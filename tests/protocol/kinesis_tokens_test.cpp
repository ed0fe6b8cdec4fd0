// ShardIterators and NextTokens: what goes in comes out, and nothing else does.
#include <gtest/gtest.h>

#include <random>

#include "protocol/base64.hpp"
#include "protocol/kinesis/tokens.hpp"
#include "protocol/kinesis_support.hpp"
#include "support/random.hpp"

namespace penstock::protocol::testing {
namespace {

using kinesis::NextToken;
using kinesis::read_iterator;
using kinesis::read_next_token;
using kinesis::ShardIterator;

const Error invalid_iterator{ErrorCode::KinesisInvalidArgument, "Invalid ShardIterator."};
const Error invalid_token{ErrorCode::KinesisInvalidArgument, "Invalid NextToken."};

class KinesisTokens : public ::testing::Test {
 protected:
  KinesisTokens() : seed_(given_seed()), random_(seed_) {}
  void TearDown() override {
    if (HasFailure()) ADD_FAILURE() << "PENSTOCK_TEST_SEED=" << seed_ << " replays this";
  }
  test::Random& random() { return random_; }

  std::string word(std::size_t size_max) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    std::string text(random_.below(size_max + 1), 'a');
    for (char& c : text) c = letters[random_.below(letters.size())];
    return text;
  }
  StreamName name() { return {"123456789012", word(32), word(128)}; }
  Instant moment() { return from_epoch_ms(static_cast<std::int64_t>(random_.below(std::uint64_t{1} << 50U))); }
  ShardIterator iterator() {
    return {name(),
            {StreamId{random_.next()}, ShardIndex{static_cast<std::uint32_t>(random_.next())},
             RecordIndex{random_.next()}, moment()},
            moment()};
  }
  NextToken token() {
    NextToken token;
    token.list = static_cast<NextToken::List>(random_.below(3));
    token.stream = name();
    token.id = StreamId{random_.next()};
    token.after = word(128);
    if (random_.one_in(2)) {
      token.filter = ShardFilter{static_cast<ShardFilter::Type>(random_.below(6)), word(128), {}};
      if (random_.one_in(2)) token.filter->timestamp = moment();
    }
    token.issued = moment();
    return token;
  }

 private:
  static std::uint64_t given_seed() {
    const char* given = std::getenv("PENSTOCK_TEST_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  }

  std::uint64_t seed_;
  test::Random random_;
};

void expect_same(const ShardIterator& is, const ShardIterator& was) {
  EXPECT_EQ(is.stream, was.stream);
  EXPECT_EQ(is.position.id, was.position.id);
  EXPECT_EQ(is.position.shard, was.position.shard);
  EXPECT_EQ(is.position.from, was.position.from);
  EXPECT_EQ(is.position.not_before, was.position.not_before);
  EXPECT_EQ(is.issued, was.issued);
}

TEST_F(KinesisTokens, IteratorsSayWhatTheyMean) {
  for (int i = 0; i < 1'000 && !HasFailure(); ++i) {
    const ShardIterator was = iterator();
    const std::string text = to_string(was);
    EXPECT_LE(text.size(), 512U);
    for (const std::string& sent : {text, '"' + text + '"'}) {
      const auto read = read_iterator(sent, was.issued);
      ASSERT_TRUE(std::holds_alternative<ShardIterator>(read));
      expect_same(std::get<ShardIterator>(read), was);
    }
  }
}

TEST_F(KinesisTokens, TokensSayWhatTheyMean) {
  for (int i = 0; i < 1'000 && !HasFailure(); ++i) {
    const NextToken was = token();
    const auto read = read_next_token(to_string(was), was.list, was.issued);
    ASSERT_TRUE(std::holds_alternative<NextToken>(read));
    const auto& is = std::get<NextToken>(read);
    EXPECT_EQ(is.list, was.list);
    EXPECT_EQ(is.stream, was.stream);
    EXPECT_EQ(is.id, was.id);
    EXPECT_EQ(is.after, was.after);
    EXPECT_EQ(is.issued, was.issued);
    ASSERT_EQ(is.filter.has_value(), was.filter.has_value());
    if (!was.filter) continue;
    EXPECT_EQ(is.filter->type, was.filter->type);
    EXPECT_EQ(is.filter->shard_id, was.filter->shard_id);
    EXPECT_EQ(is.filter->timestamp, was.filter->timestamp);
  }
}

TEST_F(KinesisTokens, TheLongestIteratorIsShortEnough) {
  ShardIterator longest = iterator();
  longest.stream = {"123456789012", std::string(32, 'r'), std::string(128, 's')};
  EXPECT_LE(to_string(longest).size(), 512U);
}

// Every character in turn, by each other character of the alphabet and by some that are not in it.
TEST_F(KinesisTokens, NoByteCanBeAltered) {
  const ShardIterator issued = iterator();
  const std::string iterator_text = to_string(issued);
  const NextToken was = token();
  const std::string token_text = to_string(was);
  const std::string_view others = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_ \n\xff";
  const auto altered = [&](const std::string& text, auto&& read, const Error& error) {
    for (std::size_t at = 0; at < text.size() && !HasFailure(); ++at) {
      for (const char c : others) {
        if (c == text[at]) continue;
        std::string changed = text;
        changed[at] = c;
        const auto found = read(changed);
        const Error* refused = std::get_if<Error>(&found);
        ASSERT_NE(refused, nullptr) << changed;
        EXPECT_EQ(*refused, error);
      }
    }
  };
  altered(
      iterator_text, [&](const std::string& text) { return read_iterator(text, issued.issued); }, invalid_iterator);
  altered(
      token_text, [&](const std::string& text) { return read_next_token(text, was.list, was.issued); }, invalid_token);
}

TEST_F(KinesisTokens, NothingCanBeTakenOffOrAdded) {
  const ShardIterator issued = iterator();
  const std::string text = to_string(issued);
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto read = read_iterator(std::string_view(text).substr(0, size), issued.issued);
    ASSERT_TRUE(std::holds_alternative<Error>(read)) << size;
    EXPECT_EQ(std::get<Error>(read), invalid_iterator);
  }
  for (const std::string more : {"A", "AAAA", "=", " ", "\n", "\"\""}) {
    EXPECT_TRUE(std::holds_alternative<Error>(read_iterator(text + more, issued.issued))) << more;
    EXPECT_TRUE(std::holds_alternative<Error>(read_iterator(more + text, issued.issued))) << more;
  }
}

TEST_F(KinesisTokens, RandomBytesAreNone) {
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random().below(120), '\0');
    for (char& c : bytes) c = static_cast<char>(random().next());
    if (!bytes.empty()) bytes.front() = static_cast<char>('A' + random().below(4));
    const std::string text = base64_encode(bytes);
    ASSERT_TRUE(std::holds_alternative<Error>(read_iterator(text, kinesis_now)));
    ASSERT_TRUE(std::holds_alternative<Error>(read_next_token(text, NextToken::List::streams, kinesis_now)));
    ASSERT_TRUE(std::holds_alternative<Error>(read_iterator(bytes, kinesis_now)));
  }
}

TEST(KinesisTokenDates, AreAsTheServiceWritesThem) {
  EXPECT_EQ(kinesis::to_message_date(kinesis_now), "Thu Jan 22 01:22:02 UTC 2015");
  EXPECT_EQ(kinesis::to_message_date(Instant{}), "Thu Jan 01 00:00:00 UTC 1970");
  EXPECT_EQ(kinesis::to_message_date(from_epoch_ms(1'709'251'199'999)), "Thu Feb 29 23:59:59 UTC 2024");
  EXPECT_EQ(kinesis::to_message_date(from_epoch_ms(1'764'028'800'000)), "Tue Nov 25 00:00:00 UTC 2025");
}

TEST(KinesisTokenPages, AreNoLongerThanUsual) {
  EXPECT_EQ(kinesis::page_of(std::nullopt, 100), 100U);
  EXPECT_EQ(kinesis::page_of(1, 100), 1U);
  EXPECT_EQ(kinesis::page_of(10'000, 100), 100U);
}

}  // namespace
}  // namespace penstock::protocol::testing
