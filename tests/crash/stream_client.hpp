// A client of the server's streams, which tells the ledger of all that it does.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crash/client.hpp"
#include "crash/http_client.hpp"
#include "crash/json_call.hpp"
#include "crash/stream_ledger.hpp"
#include "penstock/stream_names.hpp"

namespace penstock::crash {

struct SeenShard {
  std::string id;
  std::string parent;
  std::string adjacent_parent;
  HashKey first_hash;
  HashKey last_hash;
  std::string starting_number;
  std::string ending_number;  ///< empty while it is open
  bool is_open() const { return ending_number.empty(); }
};

struct SeenPage {
  std::vector<SeenRecord> records;
  std::string next_iterator;          ///< empty at the end of a closed shard
  std::vector<std::string> children;  ///< there, and only there
  std::int64_t behind_ms = 0;
};

/// What became of a change that the server may refuse while it is busy with another.
enum class Change : std::uint8_t { accepted, refused, unanswered };

/// A connection, and the operations as the ledger wants them told. Each answers nothing once there is no server any
/// more.
class StreamClient {
 public:
  StreamClient(std::uint16_t port, StreamLedger& ledger, std::string stream)
      : http_(port, kinesis_service), ledger_(ledger), stream_(std::move(stream)) {}

  bool create(int shards) {
    return call("CreateStream", "{" + named() + ",\"ShardCount\":" + std::to_string(shards) + "}").has_value();
  }

  /// CREATING, ACTIVE and so on.
  std::optional<std::string> status() {
    const auto answer = call("DescribeStreamSummary", "{" + named() + "}");
    simdjson::dom::element summary;
    if (!answer || (*answer)["StreamDescriptionSummary"].get(summary) != simdjson::SUCCESS) return std::nullopt;
    return text_of(summary, "StreamStatus");
  }

  bool put(std::size_t count) {
    const std::vector<std::uint64_t> numbers = ledger_.putting(count);
    std::string json = "{" + named() + ",\"Records\":[";
    for (const std::uint64_t number : numbers) json += entry_of(number) + (number == numbers.back() ? "]}" : ",");
    const auto answer = call("PutRecords", json);
    if (!answer) return false;
    std::vector<PutRecord> put;
    simdjson::dom::array records;
    if ((*answer)["Records"].get(records) == simdjson::SUCCESS) {
      for (const simdjson::dom::element record : records) put.push_back(put_record(record));
    }
    ledger_.put(numbers, put);
    return true;
  }

  bool put_one() {
    const std::vector<std::uint64_t> numbers = ledger_.putting(1);
    const std::string entry = entry_of(numbers[0]);
    const auto answer = call("PutRecord", "{" + named() + "," + entry.substr(1));
    if (!answer) return false;
    ledger_.put(numbers, {put_record(*answer)});
    return true;
  }

  std::optional<std::vector<SeenShard>> shards() {
    const auto answer = call("ListShards", "{" + named() + "}");
    simdjson::dom::array listed;
    if (!answer || (*answer)["Shards"].get(listed) != simdjson::SUCCESS) return std::nullopt;
    std::vector<SeenShard> shards;
    for (const simdjson::dom::element shard : listed) shards.push_back(seen_shard(shard));
    return shards;
  }

  std::optional<std::string> iterator(const std::string& shard) {
    const auto answer = call("GetShardIterator",
                             "{" + named() + ",\"ShardId\":\"" + shard + "\",\"ShardIteratorType\":\"TRIM_HORIZON\"}");
    if (!answer) return std::nullopt;
    return text_of(*answer, "ShardIterator");
  }

  std::optional<SeenPage> read(const std::string& iterator, int limit) {
    const auto answer =
        call("GetRecords", "{\"ShardIterator\":\"" + iterator + "\",\"Limit\":" + std::to_string(limit) + "}");
    if (!answer) return std::nullopt;
    SeenPage page;
    simdjson::dom::array records;
    if ((*answer)["Records"].get(records) == simdjson::SUCCESS) {
      for (const simdjson::dom::element record : records) {
        page.records.push_back(
            {text_of(record, "SequenceNumber"), text_of(record, "PartitionKey"), text_of(record, "Data")});
      }
    }
    simdjson::dom::array children;
    if ((*answer)["ChildShards"].get(children) == simdjson::SUCCESS) {
      for (const simdjson::dom::element child : children) page.children.push_back(text_of(child, "ShardId"));
    }
    page.next_iterator = text_of(*answer, "NextShardIterator");
    if (page.next_iterator.empty() == page.children.empty()) {
      ledger_.report("a shard ends without children, or has children and does not end");
    }
    if ((*answer)["MillisBehindLatest"].get(page.behind_ms) != simdjson::SUCCESS) {
      ledger_.report("GetRecords does not say how far behind its reader is");
    }
    return page;
  }

  Change split(const std::string& shard, HashKey at) {
    return change("SplitShard", "{" + named() + ",\"ShardToSplit\":\"" + shard + "\",\"NewStartingHashKey\":\"" +
                                    format_hash_key(at) + "\"}");
  }
  Change merge(const std::string& shard, const std::string& other) {
    return change("MergeShards",
                  "{" + named() + ",\"ShardToMerge\":\"" + shard + "\",\"AdjacentShardToMerge\":\"" + other + "\"}");
  }

 private:
  std::string named() const { return "\"StreamName\":\"" + stream_ + "\""; }

  static std::string entry_of(std::uint64_t number) {
    return "{\"Data\":\"" + StreamLedger::data_of(number) + "\",\"PartitionKey\":\"" + StreamLedger::key_of(number) +
           "\"}";
  }

  static PutRecord put_record(const simdjson::dom::element& record) {
    return {text_of(record, "ShardId"), text_of(record, "SequenceNumber")};
  }

  SeenShard seen_shard(const simdjson::dom::element& shard) {
    SeenShard seen;
    seen.id = text_of(shard, "ShardId");
    seen.parent = text_of(shard, "ParentShardId");
    seen.adjacent_parent = text_of(shard, "AdjacentParentShardId");
    simdjson::dom::element range;
    if (shard["HashKeyRange"].get(range) == simdjson::SUCCESS) {
      seen.first_hash = parse_hash_key(text_of(range, "StartingHashKey")).value_or(hash_key_max);
      seen.last_hash = parse_hash_key(text_of(range, "EndingHashKey")).value_or(HashKey{});
    }
    if (shard["SequenceNumberRange"].get(range) == simdjson::SUCCESS) {
      seen.starting_number = text_of(range, "StartingSequenceNumber");
      seen.ending_number = text_of(range, "EndingSequenceNumber");
    }
    if (seen.id.empty() || seen.starting_number.empty()) ledger_.report("a shard is listed without a part");
    return seen;
  }

  /// Another change may be under way.
  Change change(std::string_view operation, const std::string& json) {
    const auto answer = http_.call(operation, json);
    if (!answer) return Change::unanswered;
    if (answer->status == 200) return Change::accepted;
    if (answer->body.find("ResourceInUseException") == std::string::npos) {
      ledger_.report(std::string(operation) + " was answered with " + answer->body.substr(0, 200));
    }
    return Change::refused;
  }

  std::optional<simdjson::dom::element> call(std::string_view operation, const std::string& json) {
    return call_json(http_, parser_, ledger_, operation, json);
  }

  HttpClient http_;
  StreamLedger& ledger_;
  std::string stream_;
  simdjson::dom::parser parser_;
};

}  // namespace penstock::crash
