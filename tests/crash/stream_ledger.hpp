// What clients have put into a stream, and what came back: holds the server to every record that it acknowledged, to
// their order and to its sequence numbers. Thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::crash {

/// Decimal digits without leading zeros, in the order of the numbers.
struct ByNumber {
  using is_transparent = void;
  bool operator()(std::string_view one, std::string_view other) const {
    return one.size() != other.size() ? one.size() < other.size() : one < other;
  }
};

/// A record as a reader gets it; its data in base64.
struct SeenRecord {
  std::string sequence_number;
  std::string partition_key;
  std::string data;
  friend bool operator==(const SeenRecord&, const SeenRecord&) = default;
};

/// A record as its producer is told of it.
struct PutRecord {
  std::string shard;
  std::string sequence_number;
};

inline std::string to_base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view group = bytes.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = (bits << 8U) | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) text.push_back(i <= group.size() ? digits[(bits >> (18 - 6 * i)) & 63U] : '=');
  }
  return text;
}

class StreamLedger {
 public:
  static std::string key_of(std::uint64_t number) { return "key-" + std::to_string(number % 16); }
  /// Of sizes from a few bytes to a few kilobytes, and different for every number.
  static std::string data_of(std::uint64_t number) {
    std::string bytes = "record " + std::to_string(number) + " ";
    bytes.append(number * 37 % (number % 10 == 0 ? 4'000 : 200), static_cast<char>(number % 256));
    return to_base64(bytes);
  }

  /// Numbers of records that are about to be put.
  std::vector<std::uint64_t> putting(std::size_t count) {
    const std::lock_guard lock(mutex_);
    std::vector<std::uint64_t> numbers;
    for (; count > 0; --count) {
      numbers.push_back(++next_number_);
      Record& record = records_[next_number_];
      numbers_.emplace(data_of(next_number_), next_number_);
      // What was acknowledged under its key before has a lower number, in whichever shard it is.
      const auto newest = newest_of_key_.find(key_of(next_number_));
      if (newest != newest_of_key_.end()) record.after = newest->second;
    }
    return numbers;
  }

  void put(const std::vector<std::uint64_t>& numbers, const std::vector<PutRecord>& answers) {
    const std::lock_guard lock(mutex_);
    if (numbers.size() != answers.size()) return say("a put was not answered record by record");
    std::map<std::string, std::string> last;  // of each shard, within the call
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      Record& record = records_.at(numbers[i]);
      const PutRecord& answer = answers[i];
      record.acknowledged = true;
      place(numbers[i], record, answer.shard, answer.sequence_number);
      if (!ByNumber{}(record.after, answer.sequence_number)) {
        say(name_of(numbers[i]) + " has no higher sequence number than what was put under its key before");
      }
      std::string& before = last[answer.shard];
      if (!ByNumber{}(before, answer.sequence_number)) say(name_of(numbers[i]) + " is out of its call's order");
      before = answer.sequence_number;
      std::string& newest = newest_of_key_[key_of(numbers[i])];
      newest = std::max(newest, answer.sequence_number, ByNumber{});
    }
    puts_ += numbers.size();
  }

  /// One page of a shard, behind the record `after`; empty at the beginning.
  void read(const std::string& shard, std::string_view after, const std::vector<SeenRecord>& page) {
    const std::lock_guard lock(mutex_);
    std::string before(after);
    for (const SeenRecord& seen : page) {
      if (!ByNumber{}(before, seen.sequence_number)) say("a page of " + shard + " is out of order");
      before = seen.sequence_number;
      const auto found = numbers_.find(seen.data);
      if (found == numbers_.end()) {
        say("read data that nobody put, at " + seen.sequence_number);
        continue;
      }
      if (seen.partition_key != key_of(found->second)) say(name_of(found->second) + " has another partition key");
      place(found->second, records_.at(found->second), shard, seen.sequence_number);
    }
    reads_ += page.size();
  }

  /// All that a shard has, read from its beginning.
  void read_whole(const std::string& shard, const std::vector<SeenRecord>& all) {
    read(shard, {}, all);
    const std::lock_guard lock(mutex_);
    std::set<std::string, ByNumber> there;
    for (const SeenRecord& seen : all) there.insert(seen.sequence_number);
    for (const auto& [sequence_number, number] : places_[shard]) {
      if (there.contains(sequence_number)) continue;
      const bool acknowledged = records_.at(number).acknowledged;
      say(name_of(number) + (acknowledged ? " was acknowledged and is lost" : " was read and is lost"));
    }
    whole_.insert(shard);
  }

  /// After read_whole() of every shard.
  void account() {
    const std::lock_guard lock(mutex_);
    for (const auto& [shard, places] : places_) {
      if (!whole_.contains(shard))
        say("shard " + shard + " is gone, with " + std::to_string(places.size()) + " records");
    }
    whole_.clear();
  }

  void report(const std::string& violation) {
    const std::lock_guard lock(mutex_);
    say(violation);
  }
  std::vector<std::string> violations() const {
    const std::lock_guard lock(mutex_);
    return violations_;
  }
  std::uint64_t puts() const {
    const std::lock_guard lock(mutex_);
    return puts_;
  }
  std::uint64_t reads() const {
    const std::lock_guard lock(mutex_);
    return reads_;
  }
  /// Records that were read without their put having been answered.
  std::uint64_t unanswered() const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::uint64_t>(std::count_if(records_.begin(), records_.end(), [](const auto& entry) {
      return !entry.second.acknowledged && !entry.second.shard.empty();
    }));
  }

 private:
  struct Record {
    bool acknowledged = false;
    std::string after;            ///< a number below its own
    std::string shard;            ///< empty while it is not known to be anywhere
    std::string sequence_number;  ///< the same
  };

  static std::string name_of(std::uint64_t number) { return "record " + std::to_string(number); }

  void say(const std::string& violation) {
    if (violations_.size() < violations_max) violations_.push_back(violation);
  }

  void place(std::uint64_t number, Record& record, const std::string& shard, const std::string& sequence_number) {
    const auto [found, fresh] = places_[shard].try_emplace(sequence_number, number);
    if (found->second != number) {
      return say(name_of(number) + " and " + name_of(found->second) + " have one sequence number");
    }
    if (!record.shard.empty() && (record.shard != shard || record.sequence_number != sequence_number)) {
      return say(name_of(number) + " is there twice");
    }
    if (fresh && !ByNumber{}(record.after, sequence_number)) say(name_of(number) + " is before an earlier one");
    record.shard = shard;
    record.sequence_number = sequence_number;
  }

  static constexpr std::size_t violations_max = 100;

  mutable std::mutex mutex_;  // protects all below
  std::uint64_t next_number_ = 0;
  std::map<std::uint64_t, Record> records_;
  std::map<std::string, std::uint64_t> numbers_;  ///< by data
  std::map<std::string, std::string> newest_of_key_;
  std::map<std::string, std::map<std::string, std::uint64_t, ByNumber>> places_;  ///< by shard and sequence number
  std::set<std::string> whole_;
  std::vector<std::string> violations_;
  std::uint64_t puts_ = 0;
  std::uint64_t reads_ = 0;
};

}  // namespace penstock::crash
