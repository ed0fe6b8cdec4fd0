// What is wrong with a request of Penstock's own API, in words that name the member, and where there is nothing.
#include <gtest/gtest.h>

#include "protocol/faults.hpp"
#include "protocol/kinesis_support.hpp"
#include "protocol/native/constraints.hpp"
#include "protocol/native/operations.hpp"
#include "protocol/native_support.hpp"

namespace penstock::protocol::testing {
namespace {

struct NativeErrorCase {
  std::string name;
  std::string method;
  std::string path;
  std::string body;
  std::string message;

  friend void PrintTo(const NativeErrorCase& error, std::ostream* out) { *out << error.name; }
};

const std::string long_name(129, 'n');

std::vector<NativeErrorCase> shape_cases() {
  const std::string start_members = "there are Type, Timestamp, Positions.";
  return {
      {"NoObject", "PUT", "/c", "[]", "The request body could not be parsed as JSON: the top level is not an object."},
      {"UnknownMember", "PUT", "/c", R"({"LeaseMilis":5})",
       "'LeaseMilis' is not known; there are Start, LeaseMillis, CommitMode, Ephemeral. Is LeaseMillis meant?"},
      {"UnknownMemberWithin", "PUT", "/c", R"({"Start":{"Tipe":"LATEST"}})",
       "'Tipe' of Start is not known; " + start_members + " Is Type meant?"},
      {"UnknownMemberOfElement", "POST", "/c/commit",
       R"({"Positions":[{"ShardId":"a-1","Epoch":1,"SequenceNumber":"1"},{"Shard":"a-1"}]})",
       "'Shard' of Positions[1] is not known; there are ShardId, Epoch, SequenceNumber, SubSequenceNumber, Metadata. "
       "Is ShardId meant?"},
      {"UnknownMemberWhereNoneIs", "DELETE", "/c", R"({"Force":true})",
       "'Force' is not known: nothing is taken there."},
      {"MembersOfThePathAreNotOfTheBody", "DELETE", "/c", R"({"Consumer":"c"})",
       "'Consumer' is not known: nothing is taken there."},
      {"LongUnknownMember", "DELETE", "/c", R"({")" + long_name + R"(":1})",
       "'" + std::string(64, 'n') + "...' is not known: nothing is taken there."},
      {"UnknownParameter", "GET", "/c?limit=5", "",
       "'limit' is not known; there are ExclusiveStartShardId, Limit, Region, Account. Is Limit meant?"},
      {"NoString", "POST", "/c/poll", R"({"Member":5})", "Member has to be a string."},
      {"NoNumber", "PUT", "/c", R"({"LeaseMillis":"5"})", "LeaseMillis has to be a whole number."},
      {"NoWholeNumber", "PUT", "/c", R"({"LeaseMillis":100.5})", "LeaseMillis has to be a whole number."},
      {"TooLargeNumber", "PUT", "/c", R"({"LeaseMillis":4294967396})", "LeaseMillis has to be a smaller number."},
      {"NoFlag", "PUT", "/c", R"({"Ephemeral":"true"})", "Ephemeral has to be true or false."},
      {"NoObjectWithin", "PUT", "/c", R"({"Start":"LATEST"})", "Start has to be an object."},
      {"NoList", "POST", "/c/commit", R"({"Positions":{}})", "Positions has to be a list."},
      {"NullInAList", "POST", "/c/commit", R"({"Positions":[null]})", "Positions[0] has to be an object."},
      {"NoMoment", "PUT", "/c", R"({"Start":{"Type":"AT_TIMESTAMP","Timestamp":"now"}})",
       "Start.Timestamp has to be a number of seconds since 1970."},
      {"NoBase64", "POST", "/c/transact",
       R"({"Positions":[{"ShardId":"a-1","Epoch":1,"SequenceNumber":"1"}],"StreamName":"t",
           "Records":[{"Data":"?","PartitionKey":"k"}]})",
       "Records[0].Data has to be a string of base64."},
      {"NoNumberInTheQuery", "GET", "/c?Limit=5x", "", "Limit has to be a whole number."},
      {"BadEscape", "GET", "/c?Limit=%2", "", "The request has a malformed percent-encoding."},
  };
}

std::vector<NativeErrorCase> constraint_cases() {
  const std::string position = R"({"ShardId":"a-1","Epoch":1,"SequenceNumber":"1"})";
  const std::string transact = R"({"Positions":[)" + position + R"(],"StreamName":"t","Records":)";
  std::string many = "[" + position;
  for (int i = 0; i < 1'000; ++i) many += "," + position;
  std::string many_records = R"([{"Data":"","PartitionKey":"k"})";
  for (int i = 0; i < 500; ++i) many_records += R"(,{"Data":"","PartitionKey":"k"})";
  return {
      {"NoMember", "POST", "/c/poll", "{}", "Member is missing."},
      {"NullMember", "POST", "/c/poll", R"({"Member":null})", "Member is missing."},
      {"EmptyMember", "POST", "/c/poll", R"({"Member":""})", "Member has to have 1 to 128 characters."},
      {"LongMember", "POST", "/c/poll", R"({"Member":")" + long_name + "\"}",
       "Member has to have 1 to 128 characters."},
      {"OddMember", "POST", "/c/poll", R"({"Member":"a b"})", "Member has to match [a-zA-Z0-9_.-]+, and is 'a b'."},
      {"OddConsumer", "GET", "/a%20b", "", "Consumer has to match [a-zA-Z0-9_.-]+, and is 'a b'."},
      {"LongConsumer", "GET", "/" + long_name, "", "Consumer has to have 1 to 128 characters."},
      {"OddRegion", "GET", "/c?Region=Mars", "", "Region has to match [a-z0-9-]{1,32}, and is 'Mars'."},
      {"OddAccount", "GET", "/c?Account=1", "", R"(Account has to match \\d{12}, and is '1'.)"},
      {"ShortLease", "PUT", "/c", R"({"LeaseMillis":99})", "LeaseMillis has to be 100 to 3600000, and is 99."},
      {"LongLease", "PUT", "/c", R"({"LeaseMillis":3600001})", "LeaseMillis has to be 100 to 3600000, and is 3600001."},
      {"NoCommitMode", "PUT", "/c", R"({"CommitMode":"on_poll"})",
       "CommitMode has to be one of ON_POLL, ON_COMMIT, and is 'on_poll'."},
      {"NoStartType", "PUT", "/c", R"({"Start":{"Type":"AT_SEQUENCE_NUMBER"}})",
       "Start.Type has to be one of TRIM_HORIZON, LATEST, AT_TIMESTAMP, and is 'AT_SEQUENCE_NUMBER'."},
      {"LongWait", "POST", "/c/poll", R"({"Member":"m","WaitMillis":20001})",
       "WaitMillis has to be 0 to 20000, and is 20001."},
      {"NoRecordsWanted", "POST", "/c/poll", R"({"Member":"m","MaxRecords":0})",
       "MaxRecords has to be 1 to 10000, and is 0."},
      {"TooManyBytesWanted", "POST", "/c/poll", R"({"Member":"m","MaxBytes":10485761})",
       "MaxBytes has to be 1 to 10485760, and is 10485761."},
      {"LargePage", "GET", "/c/lag?Limit=1001", "", "Limit has to be 1 to 1000, and is 1001."},
      {"EmptyParameter", "GET", "/c?ExclusiveStartShardId=", "",
       "ExclusiveStartShardId has to have 1 to 128 characters."},
      {"NoToken", "POST", "/c/heartbeat", R"({"Member":"m"})", "Token is missing."},
      {"EmptyToken", "POST", "/c/leave", R"({"Member":"m","Token":""})", "Token has to have 1 to 8192 characters."},
      {"GarbageToken", "POST", "/c/poll", R"({"Member":"m","Token":"abcd"})",
       "Token is none that a poll has answered."},
      {"GarbageTokenOfHeartbeat", "POST", "/c/heartbeat", R"({"Member":"m","Token":"abcd"})",
       "Token is none that a poll has answered."},
      {"NoPositions", "POST", "/c/commit", R"({"Positions":[]})", "Positions has to have 1 to 1000 elements."},
      {"TooManyPositions", "POST", "/c/commit", R"({"Positions":)" + many + "]}",
       "Positions has to have 1 to 1000 elements."},
      {"NegativeEpoch", "POST", "/c/commit", R"({"Positions":[{"ShardId":"a-1","Epoch":-1,"SequenceNumber":"1"}]})",
       "Positions[0].Epoch has to be at least 0, and is -1."},
      {"NoEpoch", "POST", "/c/commit", R"({"Positions":[{"ShardId":"a-1","SequenceNumber":"1"}]})",
       "Positions[0].Epoch is missing."},
      {"OddNumber", "POST", "/c/commit", R"({"Positions":[{"ShardId":"a-1","Epoch":1,"SequenceNumber":"x"}]})",
       R"(Positions[0].SequenceNumber has to match SHARD_END|0|[1-9]\\d{0,128}, and is 'x'.)"},
      {"TooManyRecords", "POST", "/c/transact", transact + many_records + "]}",
       "Records has to have 1 to 500 elements."},
      {"NoRecords", "POST", "/c/transact", transact + "[]}", "Records has to have 1 to 500 elements."},
      {"NoPartitionKey", "POST", "/c/transact", transact + R"([{"Data":""}]})", "Records[0].PartitionKey is missing."},
  };
}

std::vector<NativeErrorCase> rule_cases() {
  const std::string first = R"({"Positions":[{"ShardId":"shardId-000000000001","Epoch":1,"SequenceNumber":"1")";
  const std::string record = R"({"Data":"@{4194304}","PartitionKey":"k"})";
  return {
      {"MomentIsMissing", "PUT", "/c", R"({"Start":{"Type":"AT_TIMESTAMP"}})",
       "Start.Timestamp is missing, which AT_TIMESTAMP needs."},
      {"MomentIsTooMuch", "PUT", "/c", R"({"Start":{"Timestamp":1}})",
       "Start.Timestamp can stand only beside the Type AT_TIMESTAMP."},
      {"PositionsAreTooMuch", "PUT", "/c", R"({"Start":{"Type":"LATEST","Positions":[{"ShardId":"a-1"}]}})",
       "Start.Positions can stand only beside the Type TRIM_HORIZON."},
      {"SubOfNothing", "PUT", "/c", R"({"Start":{"Positions":[{"ShardId":"a-1","SubSequenceNumber":1}]}})",
       "Start.Positions[0].SubSequenceNumber needs a SequenceNumber beside it."},
      {"SubOfTheEnd", "PUT", "/c",
       R"({"Start":{"Positions":[{"ShardId":"a-1","SequenceNumber":"SHARD_END","SubSequenceNumber":1}]}})",
       "Start.Positions[0].SubSequenceNumber can not stand beside SHARD_END."},
      {"SameShardTwice", "POST", "/c/commit", first + R"(},{"ShardId":"s-1","Epoch":1,"SequenceNumber":"1"}]})",
       "Positions[1].ShardId is s-1, of which there is a position before it."},
      {"MuchMetadata", "POST", "/c/commit", first + R"(,"Metadata":")" + std::string(1'025, 'a') + "\"}]}",
       "Positions[0].Metadata has to have 0 to 1024 characters."},
      {"MetadataOfManyBytes", "POST", "/c/commit", first + R"(,"Metadata":")" + std::string(1'023, 'a') + "\u00e9\"}]}",
       "Positions[0].Metadata has to have at most 1024 bytes."},
      {"ManyBytes", "POST", "/c/transact",
       first + R"(}],"StreamName":"t","Records":[)" + record + "," + record + "," + record + "," + record + "]}",
       "Records are more than 10 MiB together."},
      {"ResetToNoMoment", "POST", "/c/reset", R"({"Type":"AT_TIMESTAMP"})",
       "Timestamp is missing, which AT_TIMESTAMP needs."},
      {"ResetToAMomentTooMany", "POST", "/c/reset", R"({"Type":"LATEST","Timestamp":1})",
       "Timestamp can not stand beside LATEST."},
      {"ResetToNoNumber", "POST", "/c/reset", R"({"Type":"AT_SEQUENCE_NUMBER","ShardId":"a-1"})",
       "SequenceNumber is missing, which AT_SEQUENCE_NUMBER needs."},
      {"ResetToANumberTooMany", "POST", "/c/reset", R"({"Type":"TRIM_HORIZON","SequenceNumber":"1"})",
       "SequenceNumber can not stand beside TRIM_HORIZON."},
      {"ResetToANumberOfNoShard", "POST", "/c/reset", R"({"Type":"AT_SEQUENCE_NUMBER","SequenceNumber":"1"})",
       "ShardId is missing, which AT_SEQUENCE_NUMBER needs."},
  };
}

class NativeErrors : public ::testing::TestWithParam<NativeErrorCase> {};

TEST_P(NativeErrors, NamesWhatIsWrong) {
  const NativeErrorCase& wrong = GetParam();
  EXPECT_EQ(native_refusal(native_request(wrong.method, wrong.path, spelled_out(wrong.body))),
            invalid_request_error(wrong.message));
}

const auto name_of_error = [](const auto& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Shapes, NativeErrors, ::testing::ValuesIn(shape_cases()), name_of_error);
INSTANTIATE_TEST_SUITE_P(Constraints, NativeErrors, ::testing::ValuesIn(constraint_cases()), name_of_error);
INSTANTIATE_TEST_SUITE_P(Rules, NativeErrors, ::testing::ValuesIn(rule_cases()), name_of_error);

TEST(NativeErrors, BodiesThatAreNoJsonAreRefused) {
  const std::string deep(200, '[');
  for (const std::string& body :
       {std::string("{"), std::string("nothing"), std::string("{\"Member\":\"m\"} more"), deep}) {
    const std::string refusal = native_refusal(native_request("POST", "/c/poll", body));
    EXPECT_TRUE(refusal.starts_with(R"(400 {"Error":"InvalidRequest","Message":"The request body)")) << refusal;
  }
}

TEST(NativeErrors, AHashKeyOutOfItsRangeIsAnArgument) {
  const Request request =
      native_request("POST", "/c/transact",
                     R"({"Positions":[{"ShardId":"a-1","Epoch":1,"SequenceNumber":"1"}],"StreamName":"t","Records":[
          {"Data":"","PartitionKey":"k","ExplicitHashKey":"340282366920938463463374607431768211456"}]})");
  EXPECT_EQ(native_refusal(request),
            native_error("InvalidArgumentException",
                         "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value "
                         "was 340282366920938463463374607431768211456"));
}

TEST(NativeErrors, HaveNamesAndStatusesOfTheirOwn) {
  const Request request = native_request("DELETE", "/c");
  const auto answered = [&](ErrorCode code) { return native_answer(request, Error{code, "M"}); };
  EXPECT_EQ(answered(ErrorCode::ConsumerNotFound), native_error("ConsumerNotFound", "M", 404));
  EXPECT_EQ(answered(ErrorCode::KinesisResourceNotFound), native_error("StreamNotFound", "M", 404));
  for (const auto& [code, name] :
       {std::pair{ErrorCode::ConsumerExists, "ConsumerExists"}, std::pair{ErrorCode::ConsumerBusy, "ConsumerBusy"},
        std::pair{ErrorCode::LeaseLost, "LeaseLost"}, std::pair{ErrorCode::MemberReplaced, "MemberReplaced"},
        std::pair{ErrorCode::MemberUnknown, "MemberUnknown"},
        std::pair{ErrorCode::PositionConflict, "PositionConflict"}}) {
    EXPECT_EQ(answered(code), native_error(name, "M", 409));
  }
  EXPECT_EQ(answered(ErrorCode::ConsumerLimitExceeded), native_error("ConsumerLimitExceeded", "M", 429));
  EXPECT_EQ(answered(ErrorCode::KinesisThroughputExceeded),
            native_error("ProvisionedThroughputExceededException", "M", 429));
  EXPECT_EQ(answered(ErrorCode::InvalidPosition), native_error("InvalidPosition", "M"));
  EXPECT_EQ(answered(ErrorCode::InvalidRequest), native_error("InvalidRequest", "M"));
  EXPECT_EQ(answered(ErrorCode::KinesisInvalidArgument), native_error("InvalidArgumentException", "M"));
  EXPECT_EQ(answered(ErrorCode::ServiceUnavailable), native_error("ServiceUnavailable", "M", 503));
  EXPECT_EQ(answered(ErrorCode::InternalFailure), native_error("InternalFailure", "M", 500));
  EXPECT_EQ(native_answer(request, Error{ErrorCode::MemberUnknown, ""}),
            native_error("MemberUnknown", fault_of(ErrorCode::MemberUnknown).message, 409));
}

TEST(NativeErrors, AreOfTheSameFormWhereTheServerHasNoPlace) {
  const std::string id(request_id);
  const WireRequest request{"POST", "/@consumer/c/_penstock/streams/s/consumers/c/poll", {}, {}, id};
  EXPECT_EQ(status_and_body(respond_error(request, {ErrorCode::RequestTooLarge, {}})),
            native_error("RequestTooLarge", "The request is too large.", 413));
  EXPECT_EQ(status_and_body(respond_error(request, {ErrorCode::ServiceUnavailable, "The disk is full."})),
            native_error("ServiceUnavailable", "The disk is full.", 503));
}

// ---- Routes

Request at(std::string method, std::string target) {
  Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  return request;
}

TEST(NativeRoutes, ThereIsNothingElsewhere) {
  for (const std::string path :
       {"/_penstock", "/_penstock/", "/_penstock/streams", "/_penstock/streams/s", "/_penstock/streams//consumers",
        "/_penstock/streams/s/consumers/", "/_penstock/streams/s/consumers/c/", "/_penstock/streams/s/consumers//poll",
        "/_penstock/streams/s/consumers/c/pol", "/_penstock/streams/s/consumers/c/poll/x",
        "/_penstock/streams/s%2/consumers", "/_penstock/openapi.json/", "/_penstock/STREAMS/s/consumers"}) {
    EXPECT_EQ(native_refusal(at("GET", path)), native_error("NotFound", "There is nothing at " + path + ".", 404));
  }
  EXPECT_EQ(native_refusal(at("GET", "/_penstock/x?y=z")),
            native_error("NotFound", "There is nothing at /_penstock/x.", 404));
}

TEST(NativeRoutes, OtherMethodsAreNotAllowed) {
  const auto allowed = [](std::string method, std::string path) {
    const Prepared prepared = prepare_request(at(std::move(method), std::move(path)));
    const auto& response = std::get<WireResponse>(prepared);
    return std::to_string(response.status) + " " + header_of(response, "Allow");
  };
  EXPECT_EQ(allowed("POST", "/_penstock/streams/s/consumers"), "405 GET");
  EXPECT_EQ(allowed("POST", "/_penstock/streams/s/consumers/c"), "405 PUT, GET, DELETE");
  EXPECT_EQ(allowed("GET", "/_penstock/streams/s/consumers/c/poll"), "405 POST");
  EXPECT_EQ(allowed("get", "/_penstock/streams/s/consumers/c/lag"), "405 GET");
  EXPECT_EQ(allowed("PUT", "/_penstock/openapi.json"), "405 GET");
  EXPECT_EQ(native_refusal(native_request("GET", "/c/poll")),
            native_error("MethodNotAllowed",
                         "GET is not possible at /_penstock/streams/s/consumers/c/poll; there is POST.", 405));
}

TEST(NativeRoutes, ThePathDecidesWhateverTheHeadersSay) {
  const Request request = native_request("DELETE", "/c")
                              .with("X-Amz-Target", "Kinesis_20131202.ListStreams")
                              .with("Content-Type", "application/x-amz-cbor-1.1");
  EXPECT_EQ(native_asked(request), "000000000000/us-east-1/s DeleteGroup c");
  Request form = native_request("POST", "/c/poll", R"({"Member":"m"})");
  form.with("Content-Type", "application/x-www-form-urlencoded");
  EXPECT_TRUE(native_asked(form).starts_with("000000000000/us-east-1/s PollGroup c")) << "as curl says it";
  EXPECT_EQ(prepare_request(at("GET", "/_penstocks")).index(), 0U) << "a queue's name, perhaps";
  EXPECT_EQ(std::get<WireResponse>(prepare_request(at("GET", "/_penstocks"))).content_type, "text/xml");
}

TEST(NativeRoutes, CallsAreNamedByTheirOperations) {
  for (const NativeCase& golden : native_cases()) {
    const Prepared prepared = prepare_at(golden.request());
    ASSERT_TRUE(std::holds_alternative<PreparedCall>(prepared)) << golden.name;
    EXPECT_EQ(std::get<PreparedCall>(prepared).operation, golden.operation());
  }
}

}  // namespace
}  // namespace penstock::protocol::testing
