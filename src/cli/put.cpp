#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/input.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"
#include "cli/stream_shapes.hpp"
#include "cli/terminal.hpp"
#include "client/backoff.hpp"
#include "penstock/limits.hpp"
#include "protocol/kinesis/record_operations.hpp"

namespace penstock::cli {

namespace kinesis = protocol::kinesis;
using std::chrono::milliseconds;

namespace {

// A record whose shard has no room in this second is put again, with pauses of up to 2 s, so often.
constexpr int tries_max = 10;
constexpr milliseconds backoff_min{100};
constexpr milliseconds backoff_max{2'000};

constexpr std::size_t data_bytes_max = std::size_t{kinesis_limits::record_kib_max} << 10U;

std::string random_key(std::random_device& random) {
  constexpr std::string_view digits = "0123456789abcdef";
  constexpr std::size_t length = 16;
  std::string key;
  for (std::size_t i = 0; i < length; ++i) key += digits[random() % digits.size()];
  return key;
}

/// Whether it may be taken later.
bool may_mend(const wire::PutRecord& put) {
  return put.error_code == "ProvisionedThroughputExceededException" || put.error_code == "InternalFailure";
}

class Putting {
 public:
  explicit Putting(const Arguments& arguments)
      : stream_(arguments.stream()),
        json_(arguments.json),
        progress_(arguments.has("lines") && !is_terminal(STDOUT_FILENO) && !is_terminal(STDIN_FILENO)),
        server_(arguments) {
    if (arguments.has("key")) key_ = arguments.text("key");
    if (arguments.has("explicit-hash-key")) explicit_hash_key_ = arguments.text("explicit-hash-key");
  }

  void add(std::string data, std::size_t line) {
    kinesis::PutRecordsRequestEntry record{protocol::Blob{std::move(data)}, explicit_hash_key_,
                                           key_ ? *key_ : random_key(random_)};
    const std::size_t bytes = record.data->bytes.size() + record.partition_key->size();
    const bool full = records_.size() == kinesis_limits::put_records_max ||
                      (!records_.empty() && bytes_ + bytes > kinesis_limits::put_bytes_max);
    if (full) put_batch();
    if (records_.empty()) first_line_ = line;
    records_.push_back(std::move(record));
    bytes_ += bytes;
  }

  void add_lines() {
    LineReader lines(STDIN_FILENO);
    try {
      while (true) {
        // What waits for the next line does not keep those before it waiting.
        if (!lines.is_ready()) put_batch();
        const auto line = lines.next();
        if (!line) return;
        add(std::string(*line), lines.number());
      }
    } catch (const std::exception&) {
      // What was read is put, so that whoever sees the numbers knows where to go on.
      put_batch();
      throw;
    }
  }

  /// Tells in their order what became of all of them.
  void put_batch() {
    if (records_.empty()) return;
    const std::vector<kinesis::PutRecordsRequestEntry> records = std::exchange(records_, {});
    bytes_ = 0;
    std::vector<wire::PutRecord> all(records.size());
    std::vector<std::size_t> left(records.size());
    for (std::size_t i = 0; i < left.size(); ++i) left[i] = i;
    client::Backoff backoff(backoff_min, backoff_max);
    for (int tries = 1; !left.empty(); ++tries) {
      left = put(records, left, all);
      if (tries == tries_max || interrupted() != 0) break;
      if (!left.empty()) wait(backoff.next(0));
    }
    tell(all);
  }

  std::size_t failed() const { return failed_; }

 private:
  /// Gives those that may be taken later.
  std::vector<std::size_t> put(const std::vector<kinesis::PutRecordsRequestEntry>& records,
                               const std::vector<std::size_t>& chosen, std::vector<wire::PutRecord>& all) {
    kinesis::PutRecordsInput input;
    input.stream_name = stream_;
    input.records.emplace();
    for (const std::size_t index : chosen) input.records->push_back(records[index]);
    auto done = server_.kinesis<kinesis::PutRecordsOperation, wire::PutRecords>(input, until_answered);
    if (!done.records || done.records->size() != chosen.size()) {
      throw std::runtime_error("the server's answer does not fit what was put");
    }
    std::vector<std::size_t> left;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (may_mend((*done.records)[i])) left.push_back(chosen[i]);
      all[chosen[i]] = std::move((*done.records)[i]);
    }
    return left;
  }

  /// What was put is still to be told, also if a signal ends the wait.
  static void wait(milliseconds time) {
    try {
      wait_for(time);
    } catch (const Interrupted&) {
      return;
    }
  }

  void tell(const std::vector<wire::PutRecord>& all) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const wire::PutRecord& one = all[i];
      if (one.error_code) {
        progress_.clear();
        const std::string where = first_line_ == 0 ? "" : "line " + std::to_string(first_line_ + i) + ": ";
        complain(where + *one.error_code + ": " + one.error_message.value_or(""));
        ++failed_;
      } else {
        output_.line(json_ ? client::to_json(one) : or_dash(one.shard_id) + "\t" + or_dash(one.sequence_number));
        ++put_;
      }
    }
    output_.flush();
    progress_.show(grouped(put_) + " put");
  }

  const std::string stream_;
  const bool json_;
  std::optional<std::string> key_;
  std::optional<std::string> explicit_hash_key_;
  Progress progress_;
  Output output_;
  Server server_;
  // Of the system: two processes at a time are to have different keys.
  std::random_device random_;
  std::vector<kinesis::PutRecordsRequestEntry> records_;
  std::size_t bytes_ = 0;
  std::size_t first_line_ = 0;  ///< of the first of them; 0 where it is no line
  std::size_t put_ = 0;
  std::size_t failed_ = 0;
};

}  // namespace

void describe_put(cxxopts::Options& flags) {
  const auto text = [] { return cxxopts::value<std::string>(); };
  // clang-format off
  flags.add_options()
      ("lines", "put each line of standard input, up to 1 MiB, as a record; those that their shard has no room for are put "
       "again a little later", cxxopts::value<bool>())
      ("key", "the partition key (default: for each record another one, so that they spread over the shards)", text(),
       "KEY")
      ("explicit-hash-key", "a number that decides about the shard in the key's place", text(), "NUMBER");
  // clang-format on
}

int run_put(const Arguments& arguments) {
  const std::size_t given = arguments.words.size() - 1 + arguments.rest.size();
  if (given > 1) throw UsageError("a record has its data once");
  const bool lines = arguments.has("lines");
  if (lines && given > 0) throw UsageError("--lines puts standard input, and does not go with data");
  Putting putting(arguments);
  if (lines) {
    putting.add_lines();
  } else if (arguments.words.size() > 1) {
    putting.add(arguments.word(1), 0);
  } else if (!arguments.rest.empty()) {
    putting.add(arguments.rest.front(), 0);
  } else {
    putting.add(read_all(STDIN_FILENO, data_bytes_max, "standard input"), 0);
  }
  putting.put_batch();
  return putting.failed() == 0 ? success_status : failure_status;
}

}  // namespace penstock::cli
