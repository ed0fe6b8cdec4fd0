// Base64, against what is known and against a slow way of doing the same.
#include "protocol/base64.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "support/random.hpp"

namespace penstock::protocol::testing {
namespace {

using test::Random;

TEST(Base64, KnownTexts) {
  EXPECT_EQ(base64_decode(""), "");
  EXPECT_EQ(base64_decode("AP8Q"), std::string("\x00\xff\x10", 3));
  EXPECT_EQ(base64_decode("YQ=="), "a");
  EXPECT_EQ(base64_decode("YWI="), "ab");
  EXPECT_EQ(base64_encode(std::string("\x00\xff\x10", 3)), "AP8Q");
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64_encode("\xfb\xef\xff\xfb\xef\xff\xfb\xef\xff"), "++//++//++//");
}

TEST(Base64, RefusesWhatIsNone) {
  for (const std::string text :
       {"A", "AA", "AAA", "=AAA", "A=AA", "AA=A", "====", "A===", "AA A", "AAA\n", "AA-_", "AAAA ", "AAAAA", "AA==AAAA",
        "AAA=AAAA", "AAAA\r\n==", "AAAA====", "AAAAAA\xC3\xBC"}) {
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
  }
}

TEST(Base64, EveryOtherCharacterIsFoundWhereverItStands) {
  const std::string good(40, 'A');
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text = good;
      text[at] = static_cast<char>(byte);
      const bool padding = byte == '=' && at + 1 == good.size();
      const bool expected = padding || digits.find(static_cast<char>(byte)) != std::string_view::npos;
      EXPECT_EQ(base64_decode(text).has_value(), expected) << at << " " << byte;
    }
  }
}

/// Bit by bit.
std::string slowly_encoded(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); bit += 6) {
    unsigned value = 0;
    for (std::size_t i = bit; i < bit + 6; ++i) {
      const unsigned byte = i / 8 < bytes.size() ? static_cast<unsigned char>(bytes[i / 8]) : 0U;
      value = 2 * value + ((byte >> (7 - i % 8)) & 1U);
    }
    text.push_back(digits[value]);
  }
  while (text.size() % 4 != 0) text.push_back('=');
  return text;
}

TEST(Base64, AllLengthsThereAndBack) {
  Random random(11);
  for (std::size_t size = 0; size < 300; ++size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.below(256));
    const std::string text = base64_encode(bytes);
    EXPECT_EQ(text.size(), base64_size(size));
    EXPECT_EQ(text, slowly_encoded(bytes));
    EXPECT_EQ(base64_decode(text), bytes);
  }
}

}  // namespace
}  // namespace penstock::protocol::testing
