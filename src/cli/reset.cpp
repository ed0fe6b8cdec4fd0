#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"
#include "cli/terminal.hpp"
#include "protocol/text.hpp"

namespace penstock::cli {

namespace native = protocol::native;

namespace {

// Those of Kinesis have 56 digits, moments far fewer.
constexpr std::size_t sequence_digits_min = 20;

bool is_sequence_number(const std::string& text) {
  return text.size() >= sequence_digits_min && std::all_of(text.begin(), text.end(), protocol::is_digit);
}

native::ResetInput input_of(const Arguments& arguments) {
  native::ResetInput input;
  const std::string to = arguments.text("to");
  if (arguments.has("shard")) input.shard_id = arguments.text("shard");
  input.dry_run = arguments.has("dry-run");
  if (is_sequence_number(to)) {
    if (!input.shard_id) throw UsageError("--to a sequence number goes with --shard");
    input.type = "AT_SEQUENCE_NUMBER";
    input.sequence_number = to;
    return input;
  }
  const auto start = parse_start(to);
  if (!start) throw UsageError("--to is horizon, latest, a time or a sequence number, not '" + to + "'");
  switch (start->at) {
    case client::Start::At::trim_horizon:
      input.type = "TRIM_HORIZON";
      break;
    case client::Start::At::latest:
      input.type = "LATEST";
      break;
    case client::Start::At::timestamp:
      input.type = "AT_TIMESTAMP";
      input.timestamp = protocol::Timestamp{start->timestamp.time_since_epoch().count()};
      break;
  }
  return input;
}

Table table_of(const native::ResetOutput& done) {
  Table table({"SHARD", "REPEATED", "SKIPPED", "BEFORE", "AFTER"});
  if (!done.shards) return table;
  for (const native::ShardResetState& shard : *done.shards) {
    const native::PositionState before = shard.before.value_or(native::PositionState{});
    const native::PositionState after = shard.after.value_or(native::PositionState{});
    table.add({shard.shard_id.value_or(""), std::to_string(shard.records_repeated.value_or(0)),
               std::to_string(shard.records_skipped.value_or(0)),
               place_text(before.sequence_number, before.sub_sequence_number),
               place_text(after.sequence_number, after.sub_sequence_number)});
  }
  return table;
}

}  // namespace

void describe_reset(cxxopts::Options& flags) {
  const auto text = [] { return cxxopts::value<std::string>(); };
  // clang-format off
  flags.add_options()
      ("consumer", "the consumer", text(), "CONSUMER")
      ("to", "the place that it is to go on from: horizon, the oldest record that there is; latest, behind the newest; a "
       "time, in seconds since 1970 or like 2030-01-31T12:00:00Z; or, of one shard, the sequence number of the record "
       "to come next", text(), "PLACE")
      ("shard", "only this shard (default: all)", text(), "ID")
      ("dry-run", "change nothing, and tell what would be repeated or skipped", cxxopts::value<bool>());
  // clang-format on
}

int run_reset(const Arguments& arguments) {
  if (!arguments.has("consumer")) throw UsageError("reset goes with --consumer");
  if (!arguments.has("to")) throw UsageError("reset goes with --to");
  const native::ResetInput input = input_of(arguments);
  Server server(arguments);
  const auto done = server.ask<native::ResetOperation>(arguments.text("consumer"), input);
  if (arguments.json) {
    print_json(done);
  } else {
    table_of(done).print();
    if (*input.dry_run) remark("this was a dry run, nothing is changed");
  }
  return success_status;
}

}  // namespace penstock::cli
