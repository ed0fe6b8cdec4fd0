// Data directories that the program must not touch.
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/wait.h>

#include <array>
#include <memory>
#include <string>

#include "penstock/store.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"
#include "storage/rocksdb_store.hpp"
#include "storage/support.hpp"

namespace penstock::server {
namespace {

struct Outcome {
  int status = -1;
  std::string said;
};

Outcome serve_on(const std::string& directory) {
  const std::string command =
      std::string(PENSTOCK_BINARY) + " serve --port 0 --log-level off --data-dir " + directory + " 2>&1";
  Outcome outcome;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return outcome;
  std::array<char, 1024> piece{};
  while (::fgets(piece.data(), static_cast<int>(piece.size()), pipe) != nullptr) outcome.said += piece.data();
  const int status = ::pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

TEST(DataDirectory, OfANewerFormatIsOneLineAndExit1) {
  const storage::TemporaryDirectory directory;
  {
    std::unique_ptr<Store> store;
    ASSERT_FALSE(storage::open_rocksdb({directory.path().string()}, store));
    WriteBatch batch;
    batch.put(Table::catalog, storage::format_key().view(),
              storage::Key{}.append_u32(storage::format_version + 1).view());
    ASSERT_FALSE(store->commit(batch, true));
  }
  const Outcome outcome = serve_on(directory.path().string());
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.said, "penstock: cannot use the data directory " + directory.path().string() +
                              ": the data is of format " + std::to_string(storage::format_version + 1) +
                              ", and this version reads formats up to " + std::to_string(storage::format_version) +
                              "\n");
}

}  // namespace
}  // namespace penstock::server
