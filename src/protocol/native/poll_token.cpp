#include "protocol/native/poll_token.hpp"

#include <algorithm>
#include <chrono>

#include "penstock/limits.hpp"
#include "protocol/native/call.hpp"
#include "protocol/native/constraints.hpp"
#include "protocol/token_bytes.hpp"

namespace penstock::protocol::native {
namespace {

// Five numbers of seven bits to the byte for each shard; before them the kind, two ids and how many there are. Base64
// makes four characters of three bytes.
constexpr std::size_t count_bytes_max = 10;
constexpr std::size_t token_bytes_max =
    1 + 8 + 8 + count_bytes_max + group_limits::poll_shards_max * 5 * count_bytes_max + token_sum_bytes;
static_assert((token_bytes_max + 2) / 3 * 4 <= token_chars_max, "a token is as long as its constraint lets it be");

std::int64_t last_arrival_s(const GroupBatch& batch) {
  const RecordsPage& page = batch.page;
  if (!page.records.empty()) {
    return std::chrono::floor<std::chrono::seconds>(page.records.back().record.arrived).time_since_epoch().count();
  }
  return page.next == batch.position.next && !batch.position.sub ? batch.position.at_s : 0;
}

}  // namespace

GroupToken token_of(const GroupPolled& polled) {
  GroupToken token{polled.group, polled.session, {}};
  token.handed.reserve(polled.batches.size());
  for (const GroupBatch& batch : polled.batches) {
    if (!was_read(batch)) continue;
    token.handed.push_back({batch.page.shard, batch.epoch, batch.page.next, last_arrival_s(batch),
                            lost_records(batch.position, batch.page)});
  }
  return token;
}

std::string to_string(const GroupToken& token) {
  TokenWriter writer(TokenKind::poll);
  writer.number(token.group.value);
  writer.number(token.session);
  writer.count(token.handed.size());
  for (const HandedOut& handed : token.handed) {
    writer.count(handed.shard.value);
    writer.count(handed.epoch);
    writer.count(handed.next.value);
    writer.count(static_cast<std::uint64_t>(handed.at_s));
    writer.count(handed.lost_records);
  }
  return writer.take_url();
}

std::variant<Error, GroupToken> read_token(std::string_view text) {
  const Error invalid = invalid_request("Token is none that a poll has answered.");
  const auto opened = open_url_token(text);
  if (!opened || opened->kind != TokenKind::poll) return invalid;
  TokenReader reader(opened->bytes);
  GroupToken token;
  token.group = GroupId{reader.number()};
  token.session = reader.number();
  const std::uint64_t count = reader.count();
  if (count > group_limits::poll_shards_max) return invalid;
  for (std::uint64_t i = 0; i < count; ++i) {
    HandedOut& handed = token.handed.emplace_back();
    handed.shard = ShardIndex{static_cast<std::uint32_t>(reader.count())};
    handed.epoch = reader.count();
    handed.next = RecordIndex{reader.count()};
    handed.at_s = static_cast<std::int64_t>(reader.count());
    handed.lost_records = reader.count();
  }
  if (!reader.complete()) return invalid;
  return token;
}

}  // namespace penstock::protocol::native
