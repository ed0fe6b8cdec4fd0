#include "runner/spawn_request.hpp"

#include <gtest/gtest.h>

#include <string>

namespace penstock::runner {
namespace {

SpawnRequest example() { return {"/bin/x", "/tmp", {"x", "", "y z"}, {"A=1", "B="}, true}; }

TEST(SpawnRequests, ArriveAsTheyWereSent) {
  const SpawnRequest sent = example();
  const auto bytes = encode(sent);
  ASSERT_TRUE(bytes);
  const auto received = decode_spawn_request(*bytes);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->path, sent.path);
  EXPECT_EQ(received->directory, sent.directory);
  EXPECT_EQ(received->arguments, sent.arguments);
  EXPECT_EQ(received->environment, sent.environment);
  EXPECT_TRUE(received->yields);
}

TEST(SpawnRequests, AreRefusedWhenTheyAreCutOff) {
  const std::string bytes = *encode(example());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_spawn_request(bytes.substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_spawn_request(bytes + "x"));
}

TEST(SpawnRequests, SurviveEveryByteBeingAnother) {
  const std::string bytes = *encode(example());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int value : {0x00, 0x01, 0x7F, 0xFF}) {
      std::string other = bytes;
      other[at] = static_cast<char>(value);
      (void)decode_spawn_request(other);
    }
  }
}

TEST(SpawnRequests, HaveALimit) {
  SpawnRequest request = example();
  request.environment.push_back("A=" + std::string(spawn_bytes_max, 'x'));
  EXPECT_FALSE(encode(request));
  request = example();
  request.arguments.assign(spawn_strings_max + 1, "");
  EXPECT_FALSE(encode(request));
}

}  // namespace
}  // namespace penstock::runner
