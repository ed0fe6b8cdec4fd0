// What a client sends and reads is what the API says that it takes and gives.
#include "client/api.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "client/shapes.hpp"
#include "protocol/native/consumer_operations.hpp"
#include "protocol/native/member_operations.hpp"
#include "protocol/native/position_operations.hpp"
#include "protocol/shape.hpp"

namespace penstock::client {
namespace {

namespace native = protocol::native;

TEST(RequestOf, PutsEachMemberWhereItBelongs) {
  native::ShardsPageInput page;
  page.exclusive_start_shard_id = "shardId-000000000007";
  page.limit = 3;
  const Request get = request_of<native::DescribeLagOperation>({"a b", "c/d", "us-east-1", "111122223333"}, page);
  EXPECT_EQ(get.method, "GET");
  EXPECT_EQ(get.target,
            "/_penstock/streams/a%20b/consumers/c%2Fd/lag?ExclusiveStartShardId=shardId-000000000007&Limit=3&"
            "Region=us-east-1&Account=111122223333");
  EXPECT_EQ(get.body, "");

  native::ResetInput reset;
  reset.type = "LATEST";
  const Request post = request_of<native::ResetOperation>({"s", "c", "", ""}, reset);
  EXPECT_EQ(post.method, "POST");
  EXPECT_EQ(post.target, "/_penstock/streams/s/consumers/c/reset");
  EXPECT_EQ(post.body, R"({"Type":"LATEST"})");

  EXPECT_EQ(request_of<native::ListConsumersOperation>({"s", "", "", ""}, {}).target, "/_penstock/streams/s/consumers");
}

TEST(ReadFault, TakesTheStatusWhereTheAnswerIsNoneOfTheApi) {
  EXPECT_EQ(read_fault({409, R"({"Error":"LeaseLost","Message":"it is w's"})"}).code, "LeaseLost");
  EXPECT_EQ(read_fault({409, R"({"Error":"LeaseLost","Message":"it is w's"})"}).message, "it is w's");
  for (const char* body : {"", "{}", "<html>", "[]", R"({"Error":5})"}) {
    EXPECT_EQ(read_fault({502, body}).code, "Http502") << body;
  }
}

// Every member that the client reads is one that the server writes, in the same way.
void expect_within(const protocol::StructureInfo& read, const protocol::StructureInfo& written) {
  for (const protocol::MemberInfo& member : read.members) {
    SCOPED_TRACE(std::string(read.name) + "." + std::string(member.names.json));
    const auto found = std::ranges::find(written.members, member.names.json,
                                         [](const protocol::MemberInfo& other) { return other.names.json; });
    ASSERT_NE(found, written.members.end()) << "is none of " << written.name;
    const protocol::TypeInfo* mine = member.type;
    const protocol::TypeInfo* its = found->type;
    while (mine->kind == protocol::Kind::list && its->kind == protocol::Kind::list) {
      mine = mine->element;
      its = its->element;
    }
    ASSERT_EQ(mine->kind, its->kind);
    if (mine->structure != nullptr) expect_within(*mine->structure, *its->structure);
  }
}

template <protocol::Structure Read, class Op>
void expect_answer() {
  expect_within(protocol::describe<Read>(), protocol::describe<typename Op::Output>());
}

TEST(Shapes, AreThoseOfTheApi) {
  expect_answer<wire::PollOutput, native::PollOperation>();
  expect_answer<wire::DescribeOutput, native::DescribeConsumerOperation>();
  expect_answer<wire::ListOutput, native::ListConsumersOperation>();
  expect_answer<wire::LagOutput, native::DescribeLagOperation>();
}

}  // namespace
}  // namespace penstock::client
