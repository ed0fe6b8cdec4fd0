#include "runner/claim.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "workbench.hpp"

namespace penstock::runner {
namespace {

namespace fs = std::filesystem;

TEST(Claims, AreOfOneAtATimeAndOfWhatIsThere) {
  const TemporaryDirectory directory;
  fs::create_directory(directory.path() + "/a");
  fs::create_directory_symlink(directory.path() + "/a", directory.path() + "/link");
  Descriptor first = claim_directory(directory.path() + "/a");
  EXPECT_TRUE(first);
  EXPECT_FALSE(claim_directory(directory.path() + "/a"));
  first.close();
  EXPECT_TRUE(claim_directory(directory.path() + "/a"));
  EXPECT_FALSE(claim_directory(directory.path() + "/link"));
  EXPECT_FALSE(claim_directory(directory.path() + "/b"));
}

TEST(Claims, KeepDirectoriesFromWhoCleansUp) {
  const TemporaryDirectory directory;
  for (const char* name : {"mine-1/code", "mine-2/code", "other-3/code"}) {
    directory.write(std::string(name) + "/file", "x");
  }
  const Descriptor claim = claim_directory(directory.path() + "/mine-2");
  remove_unclaimed(directory.path(), "mine-", false);
  EXPECT_FALSE(fs::exists(directory.path() + "/mine-1")) << "its owner has gone";
  EXPECT_TRUE(fs::exists(directory.path() + "/mine-2/code/file")) << "its owner lives";
  EXPECT_TRUE(fs::exists(directory.path() + "/other-3"));
}

TEST(Claims, OfGroupsAreLeftOnceTheirGroupsAreEmpty) {
  const TemporaryDirectory directory;
  fs::create_directories(directory.path() + "/mine-1/1");
  fs::create_directories(directory.path() + "/mine-1/2");
  fs::create_directories(directory.path() + "/mine-2/1");
  directory.write("mine-2/1/process", "as one that is not empty");
  remove_unclaimed(directory.path(), "mine-", true);
  EXPECT_FALSE(fs::exists(directory.path() + "/mine-1"));
  EXPECT_TRUE(fs::exists(directory.path() + "/mine-2/1"));
}

}  // namespace
}  // namespace penstock::runner
