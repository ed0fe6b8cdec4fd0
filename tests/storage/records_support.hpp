// What the tests of records share: their bytes, and those that were released.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/records.hpp"
#include "penstock/store.hpp"
#include "storage/records.hpp"

namespace penstock::storage {

inline void commit(Store& store, const std::vector<Mutation>& mutations) {
  WriteBatch batch;
  encode(mutations, batch);
  ASSERT_FALSE(store.commit(batch, true));
}

/// The value of the only put of a mutation.
inline std::string encoded(const Mutation& mutation) {
  WriteBatch batch;
  encode({mutation}, batch);
  std::string bytes;
  batch.for_each([&](WriteBatch::Op op, Table, std::string_view, std::string_view value) {
    EXPECT_EQ(op, WriteBatch::Op::put);
    bytes.assign(value);
  });
  return bytes;
}

inline std::string golden_path(const std::string& name) {
  return std::string{PENSTOCK_SOURCE_DIR} + "/tests/golden/records/" + name + ".hex";
}

inline std::string read_golden(const std::string& name) {
  std::ifstream file{golden_path(name)};
  EXPECT_TRUE(file) << golden_path(name);
  std::string bytes;
  for (std::string pair; file >> pair;) bytes.push_back(static_cast<char>(std::stoi(pair, nullptr, 16)));
  return bytes;
}

inline std::string to_hex(std::string_view bytes) {
  constexpr std::size_t line_bytes = 32;
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text += {"0123456789abcdef"[byte >> 4U], "0123456789abcdef"[byte & 0xfU], (i + 1) % line_bytes == 0 ? '\n' : ' '};
  }
  return text;
}

}  // namespace penstock::storage
