#include "protocol/kinesis/tokens.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <utility>

#include "penstock/limits.hpp"
#include "protocol/token_bytes.hpp"

namespace penstock::protocol::kinesis {
namespace {

/// The bytes of a token of that kind between the kind and the sum; nothing if any character is not as it was written.
std::optional<std::string> open(std::string_view text, TokenKind kind) {
  std::optional<OpenedToken> token = open_token(text);
  if (!token || token->kind != kind) return std::nullopt;
  return std::move(token->bytes);
}

/// "created at time ... while right now it is ..."
std::string outlived(Instant issued, Instant now, Millis life) {
  return "created at time " + to_message_date(issued) + " while right now it is " + to_message_date(now) +
         " which is further in the future than the tolerated delay of " + std::to_string(life.count()) +
         " milliseconds.";
}

TokenKind kind_of(NextToken::List list) {
  switch (list) {
    case NextToken::List::shards:
      return TokenKind::shards;
    case NextToken::List::streams:
      return TokenKind::streams;
    case NextToken::List::consumers:
      break;
  }
  return TokenKind::consumers;
}

// Whether there is a filter, whether it has a moment.
constexpr std::uint8_t has_filter = 1;
constexpr std::uint8_t has_timestamp = 2;

void write_filter(const std::optional<ShardFilter>& filter, TokenWriter& writer) {
  if (!filter) return writer.small(0);
  writer.small(filter->timestamp ? has_filter | has_timestamp : has_filter);
  writer.small(static_cast<std::uint8_t>(filter->type));
  writer.text(filter->shard_id);
  if (filter->timestamp) writer.moment(*filter->timestamp);
}

std::optional<ShardFilter> read_filter(TokenReader& reader) {
  const std::uint8_t has = reader.small();
  if (has == 0) return std::nullopt;
  ShardFilter filter;
  constexpr auto last = static_cast<std::uint8_t>(ShardFilter::Type::from_timestamp);
  filter.type = static_cast<ShardFilter::Type>(std::min(reader.small(), last));
  filter.shard_id = reader.text();
  if ((has & has_timestamp) != 0) filter.timestamp = reader.moment();
  return filter;
}

void write_hold(const GroupHold& hold, TokenWriter& writer) {
  writer.text(hold.group);
  writer.count(hold.epoch);
  writer.small(hold.commits ? 1 : 0);
  writer.count(static_cast<std::uint64_t>(hold.at_s));
}

GroupHold read_hold(TokenReader& reader) {
  GroupHold hold;
  hold.group = reader.text();
  hold.epoch = reader.count();
  hold.commits = reader.small() != 0;
  hold.at_s = static_cast<std::int64_t>(reader.count());
  return hold;
}

}  // namespace

std::string to_string(const ShardIterator& iterator) {
  const std::optional<GroupHold>& hold = iterator.position.hold;
  TokenWriter writer(hold ? TokenKind::held_iterator : TokenKind::iterator);
  writer.moment(iterator.issued);
  writer.number(iterator.position.id.value);
  writer.number(iterator.position.shard.value);
  writer.number(iterator.position.from.value);
  writer.moment(iterator.position.not_before);
  writer.stream(iterator.stream);
  if (hold) write_hold(*hold, writer);
  return writer.take();
}

std::variant<Error, ShardIterator> read_iterator(std::string_view text, Instant now) {
  if (text.starts_with('"')) text.remove_prefix(1);
  if (text.ends_with('"')) text.remove_suffix(1);
  const Error invalid{ErrorCode::KinesisInvalidArgument, "Invalid ShardIterator."};
  const auto token = open_token(text);
  if (!token || (token->kind != TokenKind::iterator && token->kind != TokenKind::held_iterator)) return invalid;
  TokenReader reader(token->bytes);
  ShardIterator iterator;
  iterator.issued = reader.moment();
  iterator.position.id = StreamId{reader.number()};
  iterator.position.shard = ShardIndex{static_cast<std::uint32_t>(reader.number())};
  iterator.position.from = RecordIndex{reader.number()};
  iterator.position.not_before = reader.moment();
  iterator.stream = reader.stream();
  if (token->kind == TokenKind::held_iterator) iterator.position.hold = read_hold(reader);
  if (!reader.complete() || iterator.issued < Instant{}) return invalid;
  if (now - iterator.issued > kinesis_limits::iterator_life) {
    return Error{ErrorCode::KinesisExpiredIterator,
                 "Iterator expired. The iterator was " + outlived(iterator.issued, now, kinesis_limits::iterator_life)};
  }
  return iterator;
}

std::string to_string(const NextToken& token) {
  TokenWriter writer(kind_of(token.list));
  writer.moment(token.issued);
  writer.number(token.id.value);
  writer.stream(token.stream);
  writer.text(token.after);
  write_filter(token.filter, writer);
  return writer.take();
}

std::variant<Error, NextToken> read_next_token(std::string_view text, NextToken::List list, Instant now) {
  const Error invalid{ErrorCode::KinesisInvalidArgument, "Invalid NextToken."};
  const auto bytes = open(text, kind_of(list));
  if (!bytes) return invalid;
  TokenReader reader(*bytes);
  NextToken token;
  token.list = list;
  token.issued = reader.moment();
  token.id = StreamId{reader.number()};
  token.stream = reader.stream();
  token.after = reader.text();
  token.filter = read_filter(reader);
  if (!reader.complete() || token.issued < Instant{}) return invalid;
  if (now - token.issued > kinesis_limits::token_life) {
    return Error{ErrorCode::KinesisExpiredNextToken,
                 "NextToken expired. The token was " + outlived(token.issued, now, kinesis_limits::token_life)};
  }
  return token;
}

Error excluded_by_token(std::string_view member) {
  std::string message = "NextToken and ";
  return {ErrorCode::KinesisInvalidArgument, message.append(member).append(" cannot be provided together.")};
}

std::size_t page_of(const std::optional<std::int32_t>& asked, std::size_t usual) {
  return asked ? std::min(static_cast<std::size_t>(*asked), usual) : usual;
}

std::string to_message_date(Instant at) {
  constexpr std::array<std::string_view, 7> weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(at - day));
  const auto two_digits = [](auto number) {
    std::string text = std::to_string(number);
    return text.size() < 2 ? text.insert(0, 1, '0') : text;
  };
  std::string text(weekdays.at(std::chrono::weekday(day).c_encoding()));
  text.append(" ").append(months.at(static_cast<unsigned>(date.month()) - 1));
  text.append(" ").append(two_digits(static_cast<unsigned>(date.day())));
  text.append(" ").append(two_digits(time.hours().count()));
  text.append(":").append(two_digits(time.minutes().count()));
  text.append(":").append(two_digits(time.seconds().count()));
  return text.append(" UTC ").append(std::to_string(static_cast<int>(date.year())));
}

}  // namespace penstock::protocol::kinesis
