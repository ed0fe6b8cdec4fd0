// The names of streams, of shards and of positions in them as the service writes them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "penstock/streams.hpp"

namespace penstock {

namespace detail {

/// The number that only digits make, if it is no more than `max`.
inline std::optional<std::uint64_t> parse_digits(std::string_view text, std::uint64_t max) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (max - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

/// An unsigned number of `words` times 32 bits, the most significant first: wide enough for a hash key or a sequence
/// number, and no wider.
template <std::size_t words>
struct Wide {
  std::array<std::uint32_t, words> word{};

  /// Value times `factor`, plus `summand`; false if that does not fit.
  bool multiply_add(std::uint32_t factor, std::uint32_t summand) {
    std::uint64_t carry = summand;
    for (std::size_t i = words; i-- > 0;) {
      carry += std::uint64_t{word.at(i)} * factor;
      word.at(i) = static_cast<std::uint32_t>(carry);
      carry >>= 32U;
    }
    return carry == 0;
  }
  /// Value divided by `divisor`; the remainder. Of a constant the compiler makes multiplications, and a page of records
  /// has ten thousand numbers.
  template <std::uint32_t divisor>
  std::uint32_t divide() {
    std::size_t at = 0;
    while (at + 1 < words && word[at] == 0) ++at;
    std::uint64_t rest = 0;
    for (; at < words; ++at) {
      rest = (rest << 32U) | word[at];
      word[at] = static_cast<std::uint32_t>(rest / divisor);
      rest %= divisor;
    }
    return static_cast<std::uint32_t>(rest);
  }
  /// Takes the low bits off.
  std::uint64_t pop(unsigned bits) {
    std::uint64_t value = 0;
    for (unsigned bit = 0; bit < bits; ++bit) value |= std::uint64_t{divide<2>()} << bit;
    return value;
  }
  bool is_zero() const {
    for (const std::uint32_t each : word) {
      if (each != 0) return false;
    }
    return true;
  }
};

/// "00" to "99", one behind the other.
inline constexpr std::array<char, 200> digit_pairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

template <std::size_t words>
std::string to_decimal(Wide<words> value) {
  // Eight digits at a time, two of them in each step.
  constexpr std::uint32_t step = 100'000'000;
  constexpr std::size_t step_digits = 8;
  std::array<char, (words * 10 + step_digits - 1) / step_digits * step_digits> digits{};  // a word has no more than ten
  std::size_t at = digits.size();
  do {
    std::uint32_t rest = value.template divide<step>();
    for (std::size_t i = 0; i < step_digits; i += 2, rest /= 100) {
      at -= 2;
      digits[at] = digit_pairs[rest % 100 * 2];
      digits[at + 1] = digit_pairs[rest % 100 * 2 + 1];
    }
  } while (!value.is_zero());
  while (at + 1 < digits.size() && digits[at] == '0') ++at;
  return {digits.data() + at, digits.size() - at};
}

template <std::size_t words>
std::optional<Wide<words>> from_decimal(std::string_view text) {
  if (text.empty()) return std::nullopt;
  Wide<words> value;
  for (const char c : text) {
    if (c < '0' || c > '9' || !value.multiply_add(10, static_cast<std::uint32_t>(c - '0'))) return std::nullopt;
  }
  return value;
}

inline constexpr std::string_view id_digits = "0123456789abcdefghijklmnopqrstuvwxyz";

inline std::string to_base36(std::uint64_t value, std::size_t length) {
  std::string text(length, '0');
  for (std::size_t at = length; at-- > 0; value /= id_digits.size()) text[at] = id_digits[value % id_digits.size()];
  return text;
}

}  // namespace detail

inline constexpr std::string_view kinesis_arn_prefix = "arn:aws:kinesis:";

/// `arn:aws:kinesis:<region>:<account>:stream/<name>`
inline std::string arn_of(const StreamName& stream) {
  std::string arn(kinesis_arn_prefix);
  return arn.append(stream.region).append(":").append(stream.account).append(":stream/").append(stream.name);
}

/// A consumer as its ARN names it: of several incarnations of one name, the one that was created in that second.
struct ConsumerRef {
  std::string name;
  std::int64_t created_s = 0;
  friend bool operator==(const ConsumerRef&, const ConsumerRef&) = default;
};

/// `<the stream's ARN>/consumer/<name>:<seconds since the epoch>`
inline std::string arn_of(const StreamName& stream, const StreamConsumer& consumer) {
  const auto created = std::chrono::floor<std::chrono::seconds>(consumer.created).time_since_epoch();
  return arn_of(stream).append("/consumer/").append(consumer.name).append(":").append(std::to_string(created.count()));
}

/// What an ARN of Kinesis names: a stream or one of its consumers.
struct StreamArn {
  StreamName stream;
  std::optional<ConsumerRef> consumer;
};
/// The parts of an ARN of either form, none empty, in any partition (`aws`, `aws-cn`); nothing for what has another
/// form.
inline std::optional<StreamArn> split_stream_arn(std::string_view arn) {
  std::array<std::string_view, 5> parts;  // arn, partition, service, region, account; the resource is the rest
  for (std::string_view& part : parts) {
    const std::size_t colon = arn.find(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    part = arn.substr(0, colon);
    arn.remove_prefix(colon + 1);
  }
  constexpr std::string_view stream_prefix = "stream/";
  constexpr std::string_view consumer_prefix = "/consumer/";
  if (parts[0] != "arn" || !parts[1].starts_with("aws") || parts[2] != "kinesis" || !arn.starts_with(stream_prefix)) {
    return std::nullopt;
  }
  arn.remove_prefix(stream_prefix.size());
  StreamArn named{{std::string(parts[4]), std::string(parts[3]), std::string(arn.substr(0, arn.find('/')))}, {}};
  arn.remove_prefix(named.stream.name.size());
  if (named.stream.name.empty()) return std::nullopt;
  if (arn.empty()) return named;
  if (!arn.starts_with(consumer_prefix)) return std::nullopt;
  arn.remove_prefix(consumer_prefix.size());
  const std::size_t colon = arn.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const auto created_s = detail::parse_digits(arn.substr(colon + 1), INT64_MAX);
  if (!created_s) return std::nullopt;
  named.consumer = ConsumerRef{std::string(arn.substr(0, colon)), static_cast<std::int64_t>(*created_s)};
  return named;
}

/// As the service spells it.
constexpr std::string_view name_of(StreamStatus status) {
  switch (status) {
    case StreamStatus::creating:
      return "CREATING";
    case StreamStatus::deleting:
      return "DELETING";
    case StreamStatus::updating:
      return "UPDATING";
    case StreamStatus::active:
      break;
  }
  return "ACTIVE";
}

/// The StreamId that DescribeStreamSummary reports and that addresses a stream: 20 of [a-z0-9], a dash, three more.
inline std::string format_stream_id(StreamId id) {
  constexpr std::size_t digits = 20;
  constexpr std::size_t check_digits = 3;
  // The last three say nothing new; they make a mistyped id another stream's in one of 46,656 cases only.
  constexpr std::uint64_t mix = 0x9e37'79b9'7f4a'7c15ULL;
  return detail::to_base36(id.value, digits)
      .append("-")
      .append(detail::to_base36((id.value * mix) >> 40U, check_digits));
}
inline std::optional<StreamId> parse_stream_id(std::string_view text) {
  StreamId id;
  for (const char c : text.substr(0, text.find('-'))) {
    const std::size_t digit = detail::id_digits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    id.value = id.value * detail::id_digits.size() + digit;
  }
  if (format_stream_id(id) != text) return std::nullopt;
  return id;
}

/// `shardId-` and 12 digits.
inline std::string format_shard_id(ShardIndex shard) {
  constexpr std::size_t digits = 12;
  std::string number = std::to_string(shard.value);
  return number.insert(0, digits - number.size(), '0').insert(0, "shardId-");
}
/// Of what a client says: the service takes any word before the dash, and any number of digits behind it.
inline std::optional<ShardIndex> parse_shard_id(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto index = detail::parse_digits(text.substr(dash + 1), UINT32_MAX);
  if (!index) return std::nullopt;
  return ShardIndex{static_cast<std::uint32_t>(*index)};
}

/// Decimal, without leading zeros.
inline std::string format_hash_key(HashKey key) {
  detail::Wide<4> wide;
  wide.word = {static_cast<std::uint32_t>(key.high >> 32U), static_cast<std::uint32_t>(key.high),
               static_cast<std::uint32_t>(key.low >> 32U), static_cast<std::uint32_t>(key.low)};
  return detail::to_decimal(wide);
}
/// Nothing for what is no number, or above 2^128 - 1.
inline std::optional<HashKey> parse_hash_key(std::string_view text) {
  const auto wide = detail::from_decimal<4>(text);
  if (!wide) return std::nullopt;
  return HashKey{(std::uint64_t{wide->word[0]} << 32U) | wide->word[1],
                 (std::uint64_t{wide->word[2]} << 32U) | wide->word[3]};
}

/// Decimal, 56 digits: 186 bits which hold the format's version (2), the second in which the shard was opened, the
/// record's index, the second of its arrival, and the shard. Between index and second the service has a byte that is
/// zero; here it is one in a number that lies behind its index.
inline std::string format_sequence_number(const SequenceNumber& number) {
  // From the most significant bits: 2, 36 bits of seconds, four of the shard, 64 of the index, the byte, 36 bits of
  // seconds, 32 of the shard, and the version, 2. With the leading 2 in its two bits that is 186 bits.
  using Number = unsigned __int128;
  constexpr unsigned seconds_bits = 36;
  constexpr std::uint64_t seconds_mask = (std::uint64_t{1} << seconds_bits) - 1;
  const std::uint64_t created = static_cast<std::uint64_t>(number.created_s) & seconds_mask;
  const std::uint64_t at = static_cast<std::uint64_t>(number.at_s) & seconds_mask;
  const Number low = (Number{at} << 36U) | (Number{number.shard.value} << 4U) | 2U;  // 72 bits, below the byte
  const Number high = (Number{2} << 40U) | (Number{created} << 4U) | (number.shard.value & 0xfU);  // 42 bits
  const Number byte = number.behind ? 1U : 0U;
  const Number index_and_low_high =
      (Number{number.index.value} << 16U) | (byte << 8U) | (low >> 64U);  // of 80 bits: index, byte, low's top
  detail::Wide<6> wide;
  const std::uint64_t third = static_cast<std::uint64_t>(low);
  const std::uint64_t second = static_cast<std::uint64_t>(index_and_low_high);
  const std::uint64_t first = static_cast<std::uint64_t>((high << 16U) | (index_and_low_high >> 64U));
  wide.word = {static_cast<std::uint32_t>(first >> 32U),  static_cast<std::uint32_t>(first),
               static_cast<std::uint32_t>(second >> 32U), static_cast<std::uint32_t>(second),
               static_cast<std::uint32_t>(third >> 32U),  static_cast<std::uint32_t>(third)};
  return detail::to_decimal(wide);
}
/// Nothing for what is no such number.
inline std::optional<SequenceNumber> parse_sequence_number(std::string_view text) {
  auto wide = detail::from_decimal<6>(text);
  if (!wide || text.starts_with('0')) return std::nullopt;
  SequenceNumber number;
  const std::uint64_t version = wide->pop(4);
  number.shard = ShardIndex{static_cast<std::uint32_t>(wide->pop(32))};
  number.at_s = static_cast<std::int64_t>(wide->pop(36));
  const std::uint64_t byte = wide->pop(8);
  number.behind = byte == 1;
  number.index = RecordIndex{wide->pop(64)};
  const std::uint64_t nibble = wide->pop(4);
  number.created_s = static_cast<std::int64_t>(wide->pop(36));
  const std::uint64_t leading = wide->pop(32);
  if (version != 2 || byte > 1 || leading != 2 || nibble != (number.shard.value & 0xfU)) return std::nullopt;
  return number;
}

/// StartingSequenceNumber of a shard.
inline SequenceNumber starting_number(const ShardRecord& shard) {
  return {shard.created_s, RecordIndex{0}, shard.created_s, shard.index};
}
/// EndingSequenceNumber of a shard. REQUIRES: it is closed.
inline SequenceNumber ending_number(const ShardRecord& shard) {
  return {shard.created_s, sequence_index_end, shard.closed_s, shard.index};
}
/// The part of a record's number that says when it arrived.
inline std::int64_t arrival_second(Instant arrived) {
  return std::chrono::floor<std::chrono::seconds>(arrived).time_since_epoch().count();
}
/// Of a record, which arrived then.
inline SequenceNumber record_number(ShardIndex shard, std::int64_t created_s, RecordIndex index, Instant arrived) {
  return {created_s, index, arrival_second(arrived), shard};
}

}  // namespace penstock
