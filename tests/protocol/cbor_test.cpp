// CBOR: exact bytes, what is refused, and random values there and back, in every form that the bytes may take.
#include "protocol/cbor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/json.hpp"
#include "protocol/reply.hpp"
#include "protocol/shape.hpp"
#include "support/random.hpp"

namespace penstock::protocol::testing {
namespace {

using test::Random;

// ---- A structure with a member of each kind.

struct Leaf {
  std::optional<Blob> data;
  std::optional<std::string> key;
  friend bool operator==(const Leaf& a, const Leaf& b) {
    return a.key == b.key && a.data.has_value() == b.data.has_value() && (!a.data || a.data->bytes == b.data->bytes);
  }

  static constexpr auto shape() { return Shape("Leaf", optional("Data", &Leaf::data), optional("Key", &Leaf::key)); }
};

struct Sample {
  std::optional<std::string> text;
  std::optional<std::int32_t> number;
  std::optional<std::int64_t> large;
  std::optional<bool> flag;
  std::optional<Timestamp> at;
  std::optional<Leaf> leaf;
  std::optional<std::vector<Leaf>> leaves;
  std::optional<std::vector<std::string>> words;
  std::optional<Map<std::string>> map;

  friend bool operator==(const Sample& a, const Sample& b) {
    return a.text == b.text && a.number == b.number && a.large == b.large && a.flag == b.flag && a.at == b.at &&
           a.leaf == b.leaf && a.leaves == b.leaves && a.words == b.words && a.map.has_value() == b.map.has_value() &&
           (!a.map || a.map->entries == b.map->entries);
  }

  static constexpr auto shape() {
    using Self = Sample;
    return Shape("Sample", optional("Text", &Self::text), optional("Number", &Self::number),
                 optional("Large", &Self::large), optional("Flag", &Self::flag), optional("At", &Self::at),
                 optional("Leaf", &Self::leaf), optional("Leaves", &Self::leaves), optional("Words", &Self::words),
                 optional("Map", &Self::map));
  }
};

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t at = 0; at < hex.size(); at += 2) {
    if (hex[at] == ' ') ++at;
    bytes.push_back(static_cast<char>(std::strtoul(std::string(hex.substr(at, 2)).c_str(), nullptr, 16)));
  }
  return bytes;
}

std::string hex_of(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const char byte : bytes) {
    hex.push_back(digits[static_cast<unsigned char>(byte) >> 4U]);
    hex.push_back(digits[static_cast<unsigned char>(byte) & 15U]);
  }
  return hex;
}

/// What a body says, or why it is refused.
std::variant<Sample, std::string> read(std::string_view body) {
  // A copy of just that size, so that the sanitizer sees what reads beyond it.
  const std::vector<char> exact(body.begin(), body.end());
  auto parsed = parse_cbor({exact.data(), exact.size()});
  Sample sample;
  Refusal refusal;
  if (auto* error = std::get_if<Error>(&parsed)) {
    refusal = std::move(*error);
  } else {
    refusal = read_members(std::get<CborSource>(parsed), sample);
  }
  if (!refusal) return sample;
  EXPECT_EQ(refusal->code, ErrorCode::Serialization);
  return refusal->message;
}

Sample sample_of(std::string_view hex) {
  auto said = read(from_hex(hex));
  if (const auto* message = std::get_if<std::string>(&said)) ADD_FAILURE() << hex << ": " << *message;
  return said.index() == 0 ? std::get<Sample>(std::move(said)) : Sample{};
}

std::string refusal_of(std::string_view hex) {
  const auto said = read(from_hex(hex));
  const auto* message = std::get_if<std::string>(&said);
  return message != nullptr ? *message : "taken";
}

constexpr std::string_view key_text = "6454657874";        // "Text"
constexpr std::string_view key_number = "664e756d626572";  // "Number"
constexpr std::string_view key_large = "654c61726765";     // "Large"
constexpr std::string_view key_at = "624174";              // "At"
constexpr std::string_view key_leaf = "644c656166";        // "Leaf"
constexpr std::string_view key_words = "65576f726473";     // "Words"
constexpr std::string_view key_map = "634d6170";           // "Map"

/// A map with that one member.
std::string with(std::string_view key, std::string_view value) { return std::string("a1").append(key).append(value); }

// ---- Writing

TEST(Cbor, WritesDefiniteLengthsAndShortestHeads) {
  Sample sample;
  sample.text = "h\xC3\xBC";
  sample.number = -24;
  sample.large = 4'294'967'296;
  sample.flag = true;
  sample.at = Timestamp{1'700'000'000'123};
  sample.leaf.emplace().data = Blob{std::string("\x00\xFF", 2)};
  sample.leaves.emplace(2);
  sample.words.emplace({std::string("a")});
  sample.map.emplace().entries.emplace_back("k", "v");
  EXPECT_EQ(hex_of(written_by<CborSink>(sample)),
            "a9"
            "64546578746368c3bc"
            "664e756d62657237"
            "654c617267651b0000000100000000"
            "64466c6167f5"
            "624174c11b0000018bcfe5687b"
            "644c656166a164446174614200ff"
            "664c656176657382a0a0"
            "65576f726473816161"
            "634d6170a1616b6176");
}

TEST(Cbor, WritesEachWidthOfHead) {
  const auto written = [](std::int64_t number) {
    CborSink sink;
    sink.integer({}, number);
    return hex_of(sink.take());
  };
  EXPECT_EQ(written(0), "00");
  EXPECT_EQ(written(23), "17");
  EXPECT_EQ(written(24), "1818");
  EXPECT_EQ(written(255), "18ff");
  EXPECT_EQ(written(256), "190100");
  EXPECT_EQ(written(65535), "19ffff");
  EXPECT_EQ(written(65536), "1a00010000");
  EXPECT_EQ(written(4294967295), "1affffffff");
  EXPECT_EQ(written(INT64_MAX), "1b7fffffffffffffff");
  EXPECT_EQ(written(-1), "20");
  EXPECT_EQ(written(INT64_MIN), "3b7fffffffffffffff");
}

// ---- Reading

TEST(Cbor, ReadsEveryFormOfAValue) {
  EXPECT_EQ(sample_of(""), Sample{});
  EXPECT_EQ(sample_of("a0"), Sample{});
  EXPECT_EQ(sample_of("bfff"), Sample{});
  EXPECT_EQ(sample_of("d9d9f7a0"), Sample{}) << "the tag that says: this is CBOR";
  EXPECT_EQ(sample_of(with(key_text, "6161")).text, "a");
  EXPECT_EQ(sample_of(with(key_text, "780161")).text, "a") << "a length in more bytes than it needs";
  EXPECT_EQ(sample_of(with(key_text, "7b000000000000000161")).text, "a");
  EXPECT_EQ(sample_of(with(key_text, "7f61616062c3bcff")).text, "a\xC3\xBC") << "in parts";
  EXPECT_EQ(sample_of(with(key_text, "7fff")).text, "");
  EXPECT_EQ(sample_of(with(key_text, "d8206161")).text, "a") << "a tag that says nothing here";
  EXPECT_EQ(sample_of(with("7f6254656278"
                           "74ff",
                           "6161"))
                .text,
            "a")
      << "a key in parts";
  EXPECT_EQ(sample_of(with(key_text, "f6")).text, std::nullopt);
  EXPECT_EQ(sample_of(with(key_text, "f7")).text, std::nullopt);
  EXPECT_EQ(sample_of(with(key_leaf,
                           "bf6444617461"
                           "5f4101420203ff"
                           "ff"))
                .leaf->data->bytes,
            "\x01\x02\x03");
  EXPECT_EQ(sample_of(with(key_words, "9f6161f66162ff")).words, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(sample_of(with(key_map, "bf616b6176616bf6ff")).map->entries.size(), 1U);
}

TEST(Cbor, TheFirstOfTwoMembersCounts) {
  EXPECT_EQ(sample_of(std::string("a2") + std::string(key_text) + "6161" + std::string(key_text) + "6162").text, "a");
  EXPECT_EQ(sample_of(with(key_map, "a2616b6161616b6162")).map->entries.size(), 2U) << "of a map, both";
}

TEST(Cbor, ReadsNumbersOfEachWidth) {
  EXPECT_EQ(sample_of(with(key_number, "17")).number, 23);
  EXPECT_EQ(sample_of(with(key_number, "1817")).number, 23);
  EXPECT_EQ(sample_of(with(key_number, "3a7fffffff")).number, INT32_MIN);
  EXPECT_EQ(sample_of(with(key_large, "1b7fffffffffffffff")).large, INT64_MAX);
  EXPECT_EQ(sample_of(with(key_large, "3b7fffffffffffffff")).large, INT64_MIN);
  EXPECT_EQ(sample_of(with(key_number, "f93c00")).number, 1) << "half";
  EXPECT_EQ(sample_of(with(key_number, "f9c400")).number, -4);
  EXPECT_EQ(sample_of(with(key_number, "f97bff")).number, 65504);
  EXPECT_EQ(sample_of(with(key_number, "f98000")).number, 0);
  EXPECT_EQ(sample_of(with(key_number, "fa47c35000")).number, 100000) << "single";
  EXPECT_EQ(sample_of(with(key_number, "fbc010000000000000")).number, -4) << "double";
}

TEST(Cbor, ReadsMomentsAsMilliseconds) {
  EXPECT_EQ(sample_of(with(key_at, "c11b0000018bcfe5687b")).at, Timestamp{1'700'000'000'123});
  EXPECT_EQ(sample_of(with(key_at, "1b0000018bcfe5687b")).at, Timestamp{1'700'000'000'123});
  EXPECT_EQ(sample_of(with(key_at, "c1fb4278bcfe5687b000")).at, Timestamp{1'700'000'000'123});
  EXPECT_EQ(sample_of(with(key_at, "c120")).at, Timestamp{-1});
  for (const std::string_view value : {"6161", "c1f97e00", "fb7ff0000000000000", "1bffffffffffffffff"}) {
    EXPECT_NE(refusal_of(with(key_at, value)).find("can not be converted to a Timestamp"), std::string::npos) << value;
  }
}

TEST(Cbor, PassesOverWhatItDoesNotKnow) {
  const std::string unknown = "6158 bf6161 9f 01 20 f93c00 f5 f6 5f4101ff c24101 82a0a1616180 ff ff";
  std::string hex = "a2";
  for (const char c : unknown) {
    if (c != ' ') hex.push_back(c);
  }
  EXPECT_EQ(sample_of(hex + std::string(key_text) + "6161").text, "a");
}

// ---- Refusing

TEST(Cbor, WrongTypes) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {with(key_text, "01"), "NUMBER_VALUE can not be converted to a String"},
      {with(key_text, "4161"), "BLOB_VALUE can not be converted to a String"},
      {with(key_text, "f5"), "TRUE_VALUE can not be converted to a String"},
      {with(key_text, "80"), "Start of list found where not expected"},
      {with(key_text, "a0"), "Start of structure or map found where not expected"},
      {with(key_number, "6131"), "STRING_VALUE can not be converted to an Integer"},
      {with(key_number, "1a80000000"), "NUMBER_VALUE can not be converted to an Integer"},
      {with(key_number, "f93e00"), "NUMBER_VALUE can not be converted to an Integer"},
      {with(key_number, "f97e00"), "NUMBER_VALUE can not be converted to an Integer"},
      {with(key_number, "f97c00"), "NUMBER_VALUE can not be converted to an Integer"},
      {with(key_number, "c249010000000000000000"), "BLOB_VALUE can not be converted to an Integer"},
      {with(key_large, "1b8000000000000000"), "NUMBER_VALUE can not be converted to a Long"},
      {with(key_large, "3b8000000000000000"), "NUMBER_VALUE can not be converted to a Long"},
      {with("64466c6167", "01"), "NUMBER_VALUE can not be converted to a Boolean"},
      {with(key_leaf, "01"), "Expected null"},
      {with(key_leaf, "80"), "Start of list found where not expected"},
      {with(key_leaf,
            "a1644461746164414141"
            "41"),
       "STRING_VALUE can not be converted to a Blob"},
      {with(key_words, "a0"), "Expected list or null"},
      {with(key_map, "80"), "Expected map or null"},
  };
  for (const auto& [hex, message] : cases) EXPECT_EQ(refusal_of(hex), message) << hex;
}

TEST(Cbor, Malformed) {
  std::string deep_arrays = "a16161";
  std::string deep_maps;
  std::string deep_tags = "a16161";
  for (std::size_t i = 0; i < cbor_depth_max; ++i) deep_arrays += "81";
  for (std::size_t i = 0; i <= cbor_depth_max; ++i) deep_maps += "bf6161";
  for (int i = 0; i < 100'000; ++i) deep_tags += "c1";
  const std::string start = "The request body could not be parsed as CBOR: ";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"80", "the top level is not a map"},
      {"01", "the top level is not a map"},
      {"f6", "the top level is not a map"},
      {"6161", "the top level is not a map"},
      {"a0a0", "something stands behind its end"},
      {"a000", "something stands behind its end"},
      {"ff", "an item ends that did not begin"},
      {"a1", "a list or a map is longer than the body"},
      {"a16161", "the body is cut short, or not well formed"},
      {"bf", "the body is cut short, or not well formed"},
      {"bf6161", "the body is cut short, or not well formed"},
      {"bf6161ff", "an item ends that did not begin"},
      {"a1616118", "the body is cut short, or not well formed"},
      {"a161611b00000000000000", "the body is cut short, or not well formed"},
      {"a161611c", "the body is cut short, or not well formed"},
      {"a161611f", "a number has no value"},
      {"a161613f", "a number has no value"},
      {"a16161df01", "a tag has no number"},
      {"a16161c1", "the body is cut short, or not well formed"},
      {"a16161f800", "a simple value is not well formed"},
      {"a161616261", "a string is longer than the body"},
      {"a161615b7fffffffffffffff00", "a string is longer than the body"},
      {"a161615bffffffffffffffff00", "a string is longer than the body"},
      {"a161617b800000000000000000", "a string is longer than the body"},
      {"a161619bffffffffffffffff00", "a list or a map is longer than the body"},
      {"a16161bb8000000000000000616100", "a list or a map is longer than the body"},
      {"bbffffffffffffffff", "a list or a map is longer than the body"},
      {"a161615f6161ff", "a string has parts that are not of its kind"},
      {"a161617f4161ff", "a string has parts that are not of its kind"},
      {"a161617f7f6161ffff", "a string has parts that are not of its kind"},
      {"a161617f6161", "the body is cut short, or not well formed"},
      {"a10101", "a map has a key that is not a string"},
      {"a1416101", "a map has a key that is not a string"},
      {"a16161a1f601", "a map has a key that is not a string"},
      {"a1616161ff", "a string is not valid UTF-8"},
      {"a161ff01", "a string is not valid UTF-8"},
      {"a161617f61c361bcff", "a string is not valid UTF-8"},
      {deep_arrays + "00", "it is nested too deeply"},
      {deep_maps, "it is nested too deeply"},
      {deep_tags, "the body is cut short, or not well formed"},
  };
  for (const auto& [hex, why] : cases) {
    EXPECT_EQ(refusal_of(hex), start + why + ".") << hex.substr(0, 60);
  }
  deep_arrays.erase(6, 2);
  EXPECT_EQ(sample_of(deep_arrays + "00"), Sample{}) << "as deep as may be";
  EXPECT_EQ(sample_of(deep_tags + "00"), Sample{});
}

// ---- Chance

std::string random_text(Random& random) {
  constexpr std::string_view pieces[] = {"a", "Z", "\xC3\xBC", "\xF0\x9F\x98\x80", "\"", "\\", "\n", " "};
  std::string text;
  for (std::uint64_t left = random.one_in(8) ? 300 : random.below(6); left > 0; --left) text += pieces[random.below(8)];
  return text;
}

std::string random_bytes(Random& random) {
  std::string bytes(random.one_in(8) ? 70'000 : random.below(40), '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.below(256));
  return bytes;
}

Leaf random_leaf(Random& random) {
  Leaf leaf;
  if (!random.one_in(3)) leaf.data = Blob{random_bytes(random)};
  if (!random.one_in(3)) leaf.key = random_text(random);
  return leaf;
}

Sample random_sample(Random& random) {
  Sample sample;
  if (random.one_in(2)) sample.text = random_text(random);
  if (random.one_in(2)) sample.number = static_cast<std::int32_t>(random.next());
  if (random.one_in(2)) sample.large = static_cast<std::int64_t>(random.next() >> random.below(64));
  if (random.one_in(2)) sample.flag = random.one_in(2);
  if (random.one_in(2)) sample.at = Timestamp{static_cast<std::int64_t>(random.below(4'000'000'000'000))};
  if (random.one_in(2)) sample.leaf = random_leaf(random);
  if (random.one_in(2)) {
    sample.leaves.emplace();
    for (std::uint64_t left = random.below(30); left > 0; --left) sample.leaves->push_back(random_leaf(random));
  }
  if (random.one_in(2)) {
    sample.words.emplace();
    for (std::uint64_t left = random.below(5); left > 0; --left) sample.words->push_back(random_text(random));
  }
  if (random.one_in(2)) {
    sample.map.emplace();
    for (std::uint64_t left = random.below(5); left > 0; --left) {
      sample.map->entries.emplace_back(random_text(random), random_text(random));
    }
  }
  return sample;
}

/// A Sink that writes what CborSink does in any of the forms that mean the same.
class CarelessSink {
 public:
  explicit CarelessSink(Random& random) : random_(random) {}

  void member(const Names& names) {
    if (random_.one_in(4)) {
      text_in_parts("Unknown" + std::to_string(random_.below(100)));
      head(4, 2);
      text_in_parts("x");
      out.append("\xF6");
    }
    text_in_parts(names.json);
  }
  void string(const Names&, std::string_view text) {
    maybe_tag();
    text_in_parts(text);
  }
  void integer(const Names&, std::int64_t number) {
    maybe_tag();
    head(number < 0 ? 1 : 0, static_cast<std::uint64_t>(number < 0 ? -1 - number : number));
  }
  void boolean(const Names&, bool flag) { out.push_back(flag ? '\xF5' : '\xF4'); }
  void blob(const Names&, std::string_view bytes) { string_in_parts(2, bytes, 1 + random_.below(9)); }
  void timestamp(const Names& names, std::int64_t ms) { integer(names, ms); }
  void open_structure(const Names&, std::size_t) { out.push_back('\xBF'); }
  void close_structure() { out.push_back('\xFF'); }
  void open_list(std::size_t) { out.push_back('\x9F'); }
  void close_list() { out.push_back('\xFF'); }
  void open_map(std::size_t) { out.push_back('\xBF'); }
  void open_entry(const Names&, std::string_view key) { text_in_parts(key); }
  void close_entry() {}
  void close_map() { out.push_back('\xFF'); }

  std::string out;

 private:
  void maybe_tag() {
    if (random_.one_in(5)) head(6, random_.next());
  }
  void head(unsigned major, std::uint64_t number) {
    unsigned power = number < 0x100 ? 0 : number < 0x10000 ? 1 : number < 0x100000000 ? 2 : 3;
    if (number < 24 && random_.one_in(2)) {
      out.push_back(static_cast<char>((major << 5U) | number));
      return;
    }
    if (power < 3 && random_.one_in(3)) ++power;
    out.push_back(static_cast<char>((major << 5U) | (24 + power)));
    for (unsigned left = 1U << power; left > 0; --left) out.push_back(static_cast<char>(number >> (8 * (left - 1))));
  }
  /// At characters' ends only, where UTF-8 may be parted.
  void text_in_parts(std::string_view text) {
    std::size_t end = std::min<std::size_t>(text.size(), 2);
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
    string_in_parts(3, text, end);
  }
  void string_in_parts(unsigned major, std::string_view text, std::size_t first) {
    if (random_.one_in(2)) {
      head(major, text.size());
      out.append(text);
      return;
    }
    out.push_back(static_cast<char>((major << 5U) | 31U));
    first = std::min(first, text.size());
    for (const std::string_view part : {text.substr(0, first), text.substr(first)}) {
      head(major, part.size());
      out.append(part);
    }
    out.push_back('\xFF');
  }

  Random& random_;
};

TEST(Cbor, RandomValuesThereAndBack) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    const Sample sample = random_sample(random);
    const auto strictly = read(written_by<CborSink>(sample));
    ASSERT_EQ(strictly.index(), 0U) << seed << ": " << std::get<1>(strictly);
    EXPECT_TRUE(std::get<Sample>(strictly) == sample) << seed;

    CarelessSink careless(random);
    write_value(careless, Names{}, sample);
    const auto carelessly = read(careless.out);
    ASSERT_EQ(carelessly.index(), 0U) << seed << ": " << std::get<1>(carelessly) << " " << hex_of(careless.out);
    EXPECT_TRUE(std::get<Sample>(carelessly) == sample) << seed;

    const std::string json = written_by<JsonSink>(sample);
    auto parsed = parse_json(json);
    Sample from_json;
    ASSERT_EQ(parsed.index(), 0U) << seed;
    ASSERT_FALSE(read_members(std::get<JsonSource>(parsed), from_json)) << seed;
    EXPECT_TRUE(from_json == sample) << seed << " " << json;
  }
}

TEST(Cbor, DamagedBodiesAreReadOrRefused) {
  for (std::uint64_t seed = 1; seed <= 3'000; ++seed) {
    Random random(seed);
    Sample sample = random_sample(random);
    if (sample.leaf && sample.leaf->data) sample.leaf->data->bytes.resize(3);
    sample.leaves.reset();
    CarelessSink careless(random);
    write_value(careless, Names{}, sample);
    std::string body = careless.out;
    for (std::uint64_t left = 1 + random.below(4); left > 0 && !body.empty(); --left) {
      const std::size_t at = random.below(body.size());
      switch (random.below(4)) {
        case 0:
          body[at] = static_cast<char>(random.below(256));
          break;
        case 1:
          body.erase(at, 1 + random.below(3));
          break;
        case 2:
          body.insert(at, 1, static_cast<char>(random.below(256)));
          break;
        default:
          body.resize(at);
          break;
      }
    }
    read(body);
  }
}

TEST(Json, MomentsAreSecondsWithAFraction) {
  const auto written = [](std::int64_t ms) {
    Sample sample;
    sample.at = Timestamp{ms};
    return written_by<JsonSink>(sample);
  };
  EXPECT_EQ(written(1'700'000'000'123), R"({"At":1700000000.123})");
  EXPECT_EQ(written(1'700'000'000'100), R"({"At":1700000000.100})");
  EXPECT_EQ(written(1'700'000'000'007), R"({"At":1700000000.007})");
  EXPECT_EQ(written(1'700'000'000'000), R"({"At":1700000000})");
  EXPECT_EQ(written(0), R"({"At":0})");
  EXPECT_EQ(written(-1'500), R"({"At":-1.500})");
}

}  // namespace
}  // namespace penstock::protocol::testing
