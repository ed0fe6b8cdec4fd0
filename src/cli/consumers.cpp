#include <cstdint>
#include <string>
#include <utility>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"

namespace penstock::cli {

namespace native = protocol::native;
namespace wire = client::wire;

namespace {

/// One consumer as this command shows it: its description, without its shards, and its lag.
struct Shown {
  std::optional<std::string> consumer_name;
  std::optional<std::string> commit_mode;
  std::optional<std::int64_t> lease_millis;
  std::optional<bool> ephemeral;
  std::optional<protocol::Timestamp> created;
  std::optional<std::string> start_type;
  std::optional<std::vector<wire::MemberState>> members;
  std::optional<std::int64_t> shards;
  std::optional<std::int64_t> records_behind;
  std::optional<std::int64_t> millis_behind;
  std::optional<std::int64_t> lost_records;

  static constexpr auto shape() {
    using protocol::optional;
    using Self = Shown;
    return protocol::Shape("Shown", optional("ConsumerName", &Self::consumer_name),
                           optional("CommitMode", &Self::commit_mode), optional("LeaseMillis", &Self::lease_millis),
                           optional("Ephemeral", &Self::ephemeral), optional("CreationTimestamp", &Self::created),
                           optional("StartType", &Self::start_type), optional("Members", &Self::members),
                           optional("Shards", &Self::shards), optional("RecordsBehind", &Self::records_behind),
                           optional("MillisBehind", &Self::millis_behind),
                           optional("LostRecords", &Self::lost_records));
  }
};

struct ShownAll {
  std::optional<std::vector<Shown>> consumers;

  static constexpr auto shape() {
    return protocol::Shape("ShownAll", protocol::optional("Consumers", &ShownAll::consumers));
  }
};

// Nothing if it was deleted meanwhile.
std::optional<Shown> look_at(Server& server, const std::string& name) {
  try {
    native::ShardsPageInput input;
    input.limit = 1;
    auto is = server.ask<native::DescribeConsumerOperation, wire::DescribeOutput>(name, input);
    const wire::LagOutput lag = server.lag(name);
    return Shown{
        is.consumer_name,   is.commit_mode,    is.lease_millis,       is.ephemeral,
        is.created,         is.start_type,     std::move(is.members), static_cast<std::int64_t>(lag.shards->size()),
        lag.records_behind, lag.millis_behind, lag.lost_records};
  } catch (const client::Error& error) {
    if (error.code() != "ConsumerNotFound") throw;
    return std::nullopt;
  }
}

Table table_of(const std::vector<Shown>& consumers) {
  Table table({"CONSUMER", "MODE", "MEMBERS", "SHARDS", "BEHIND", "LAG", "LOST"});
  for (const Shown& shown : consumers) {
    const std::size_t members = shown.members ? shown.members->size() : 0;
    const std::string mode = shown.commit_mode.value_or("") + (shown.ephemeral.value_or(false) ? ",EPHEMERAL" : "");
    table.add({shown.consumer_name.value_or(""), mode, std::to_string(members), number_text(shown.shards),
               number_text(shown.records_behind), duration_text(shown.millis_behind.value_or(0)),
               number_text(shown.lost_records)});
  }
  return table;
}

}  // namespace

int run_consumers(const Arguments& arguments) {
  Server server(arguments);
  std::vector<Shown> consumers;
  for (const std::string& name : server.consumers()) {
    if (auto shown = look_at(server, name)) consumers.push_back(std::move(*shown));
  }
  if (arguments.json) {
    print_json(ShownAll{std::move(consumers)});
  } else {
    table_of(consumers).print();
  }
  return success_status;
}

}  // namespace penstock::cli
