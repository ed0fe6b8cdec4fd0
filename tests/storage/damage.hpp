// What damage does to a record: every status but ok and corrupt, and every crash, is a defect. For tables of golden
// records, each with its name, and a way to read one back from other bytes than its own.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "penstock/store.hpp"
#include "support.hpp"

namespace penstock::storage {

/// Flips each bit. `bytes_of(record)` is what it is stored as, `read_back(record, bytes)` the status of reading those.
template <class Record, class BytesOf, class ReadBack>
void flip_every_bit(const std::vector<Record>& records, const BytesOf& bytes_of, const ReadBack& read_back) {
  for (const Record& record : records) {
    const std::string bytes = bytes_of(record);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(static_cast<unsigned char>(flipped[bit / 8]) ^ (1U << (bit % 8)));
      const StoreStatus status = read_back(record, flipped);
      ASSERT_TRUE(status == StoreStatus::ok || status == StoreStatus::corrupt) << record.name << " bit " << bit;
    }
  }
}

/// Overwrites some bytes at random, and cuts some records off. The same seeds in every run; a failure names its own.
template <class Record, class BytesOf, class ReadBack>
void scribble(const std::vector<Record>& records, const BytesOf& bytes_of, const ReadBack& read_back) {
  constexpr std::uint64_t seeds = 3'000;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SeededEntropy entropy{seed};
    const Record& record = records[entropy.below(records.size())];
    std::string bytes = bytes_of(record);
    const std::uint64_t changes = 1 + entropy.below(8);
    for (std::uint64_t i = 0; i < changes; ++i) bytes[entropy.below(bytes.size())] = static_cast<char>(entropy.next());
    if (entropy.below(4) == 0) bytes.resize(entropy.below(bytes.size() + 1));
    const StoreStatus status = read_back(record, bytes);
    ASSERT_TRUE(status == StoreStatus::ok || status == StoreStatus::corrupt) << record.name << " seed " << seed;
  }
}

}  // namespace penstock::storage
