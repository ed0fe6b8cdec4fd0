#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"
#include "cli/terminal.hpp"
#include "cli/token.hpp"

namespace penstock::cli {

namespace wire = client::wire;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t poll_records_max = 1'000;
constexpr milliseconds follow_wait{20'000};
/// Where it is to end at the end, how long a poll waits for a shard that is to come from another member.
constexpr milliseconds grant_wait{500};
constexpr milliseconds tail_lease{10'000};

/// A record as a line of JSON.
struct Line {
  std::optional<std::string> shard_id;
  std::optional<std::string> sequence_number;
  std::optional<protocol::Timestamp> arrived;
  std::optional<std::string> partition_key;
  std::optional<protocol::BlobView> data;
  std::optional<std::string> encryption_type;

  static constexpr auto shape() {
    using protocol::optional;
    return protocol::Shape(
        "Line", optional("ShardId", &Line::shard_id), optional("SequenceNumber", &Line::sequence_number),
        optional("ApproximateArrivalTimestamp", &Line::arrived), optional("PartitionKey", &Line::partition_key),
        optional("Data", &Line::data), optional("EncryptionType", &Line::encryption_type));
  }
};

Line line_of(const client::Batch& batch, const client::Record& record) {
  Line line;
  line.shard_id = batch.shard_id;
  line.sequence_number = record.sequence_number;
  line.arrived = protocol::Timestamp{record.arrived.time_since_epoch().count()};
  line.partition_key = record.partition_key;
  line.data = protocol::BlobView{record.data};
  if (!record.encryption_type.empty()) line.encryption_type = record.encryption_type;
  return line;
}

class Tail {
 public:
  Tail(const Arguments& arguments, client::Options options)
      : arguments_(arguments),
        limit_(read_count(arguments, "limit")),
        follows_(!arguments.has("no-follow")),
        name_(options.consumer),
        server_(arguments),
        consumer_(with_callbacks(std::move(options)), world_with_token(client::real_world(), find_token(arguments))) {}

  int run() {
    // The consumer itself would wait for a server that is not there.
    server_.check_stream();
    const OnInterrupt stop([](void* consumer) noexcept { static_cast<client::Consumer*>(consumer)->stop(); },
                           &consumer_);
    try {
      print_all();
    } catch (const OutputClosed&) {
      // Nobody knows how much of the last batch was read, so it comes again.
      consumer_.leave(false);
      throw;
    } catch (const Interrupted&) {
      consumer_.leave();
      throw;
    }
    consumer_.leave();
    return printed_ == 0 ? empty_status : success_status;
  }

 private:
  client::Options with_callbacks(client::Options options) {
    options.on_retry = [this](const std::string& why, milliseconds) {
      if (!std::exchange(away_, true)) remark(why + "; trying again");
    };
    options.on_lost = [](const client::LostLease& lost) {
      remark(lost.shard_id + " is " + (lost.owner.empty() ? "nobody's" : "that of " + lost.owner) +
             " now; the last lines of it may be printed there again");
    };
    return options;
  }

  void print_all() {
    milliseconds wait = follows_ ? follow_wait : milliseconds(0);
    while (!consumer_.stopping() && printed_ < limit_.value_or(printed_ + 1)) {
      const std::size_t left = limit_ ? *limit_ - printed_ : poll_records_max;
      const client::Polled polled = consumer_.poll({std::min(left, poll_records_max), wait});
      away_ = false;
      for (const client::Batch& batch : polled.batches) print(batch);
      output_.flush();
      if (follows_ || !polled.batches.empty()) continue;
      if (is_at_end()) return;
      wait = grant_wait;
    }
  }

  void print(const client::Batch& batch) {
    if (batch.lost_records > 0) {
      remark(std::to_string(batch.lost_records) + " records of " + batch.shard_id +
             " were past retention before they were read");
    }
    for (const client::Record& record : batch.records) {
      if (arguments_.json) {
        output_.line(client::to_json(line_of(batch, record)));
      } else {
        output_.line(record.data);
      }
    }
    printed_ += batch.records.size();
  }

  // Whether all that this member may get is printed. What others hold they print themselves.
  bool is_at_end() {
    const wire::LagOutput lag = server_.lag(name_);
    bool others = false;
    bool waits_for_parents = false;
    for (const wire::ShardLag& shard : *lag.shards) {
      const bool behind = shard.records_behind.value_or(0) > 0;
      const bool of_other = shard.state == "LEASED" && shard.owner != consumer_.member();
      others = others || of_other;
      if (!behind || of_other) continue;
      if (shard.state != "BLOCKED") return false;
      waits_for_parents = true;
    }
    return !waits_for_parents || others;
  }

  const Arguments& arguments_;
  const std::optional<std::size_t> limit_;
  const bool follows_;
  const std::string name_;
  bool away_ = false;  ///< and that was said
  Output output_;
  std::size_t printed_ = 0;
  Server server_;
  client::Consumer consumer_;
};

client::Options options_of(const Arguments& arguments) {
  client::Options options;
  options.endpoint = arguments.endpoint;
  options.region = arguments.region;
  options.account = arguments.account;
  options.stream = arguments.stream();
  options.lease = tail_lease;
  const auto start = parse_start(arguments.has("from") ? arguments.text("from") : "horizon");
  if (!start) throw UsageError("--from is horizon, latest or a time, not '" + arguments.text("from") + "'");
  options.start = *start;
  options.consumer = arguments.text("consumer");
  if (arguments.has("consumer")) return options;
  const auto moment = std::chrono::system_clock::now().time_since_epoch();
  options.consumer = "tail-" + std::to_string(::getpid()) + "-" + std::to_string(moment.count());
  options.ephemeral = true;
  return options;
}

}  // namespace

void describe_tail(cxxopts::Options& flags) {
  const auto text = [] { return cxxopts::value<std::string>(); };
  // clang-format off
  flags.add_options()
      ("consumer", "print what this consumer has not had yet, and keep its place: the next tail of that name goes on "
       "behind the last line of this one. It is created if it does not exist. Several at a time share the shards "
       "(default: one that is gone afterwards)", text(), "CONSUMER")
      ("from", "where a consumer begins that is created: horizon, the oldest record that there is; latest, with what "
       "comes from now on; or a time, in seconds since 1970 or like 2030-01-31T12:00:00Z (default: horizon)", text(),
       "PLACE")
      ("limit", "end after so many records", text(), "N")
      ("no-follow", "end when there is no more for now", cxxopts::value<bool>());
  // clang-format on
}

int run_tail(const Arguments& arguments) {
  client::Options options = options_of(arguments);
  try {
    return Tail(arguments, std::move(options)).run();
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
}

}  // namespace penstock::cli
