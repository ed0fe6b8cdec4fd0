#include "protocol/native/token.hpp"

#include "penstock/limits.hpp"
#include "penstock/stream_names.hpp"
#include "protocol/sealed.hpp"

namespace penstock::protocol::native {
namespace {

constexpr char kind = 'F';

}  // namespace

std::string token_of(const GroupPolled& polled) {
  SealedWriter writer(kind);
  writer.number(polled.group.value);
  writer.number(polled.session);
  for (const GroupBatch& batch : polled.batches) {
    const RecordsPage& page = batch.page;
    writer.number(page.shard.value);
    writer.number(batch.epoch);
    writer.number(page.next.value);
    writer.number(
        static_cast<std::uint64_t>(page.records.empty() ? 0 : arrival_second(page.records.back().record.arrived)));
    writer.number(first_kept(batch.position, page).value);
  }
  return writer.take();
}

std::optional<GroupToken> read_token(std::string_view text) {
  const auto bytes = unseal(text, kind);
  if (!bytes) return std::nullopt;
  SealedReader reader(*bytes);
  GroupToken token;
  token.group = GroupId{reader.number()};
  token.session = reader.number();
  while (!reader.empty() && token.handed.size() < group_limits::poll_shards_max) {
    HandedOut& handed = token.handed.emplace_back();
    handed.shard = ShardIndex{static_cast<std::uint32_t>(reader.number())};
    handed.epoch = reader.number();
    handed.next = RecordIndex{reader.number()};
    handed.at_s = static_cast<std::int64_t>(reader.number());
    handed.first = RecordIndex{reader.number()};
  }
  if (!reader.complete()) return std::nullopt;
  return token;
}

}  // namespace penstock::protocol::native
