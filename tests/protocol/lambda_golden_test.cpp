// Each operation of Lambda: what its request becomes, and how its answer is worded.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "protocol/lambda/operations.hpp"
#include "protocol/lambda_support.hpp"

namespace penstock::protocol::testing {
namespace {

class LambdaGolden : public ::testing::TestWithParam<LambdaCase> {};

TEST_P(LambdaGolden, BecomesTheCommand) { EXPECT_EQ(trigger_asked(GetParam().request()), GetParam().asked); }

TEST_P(LambdaGolden, IsAnsweredLikeThis) {
  EXPECT_EQ(trigger_answer(GetParam().request(), GetParam().result()), GetParam().answer);
}

INSTANTIATE_TEST_SUITE_P(All, LambdaGolden, ::testing::ValuesIn(lambda_cases()));

TEST(LambdaGoldenTable, HasEveryOperation) {
  std::set<std::string> covered;
  for (const LambdaCase& golden : lambda_cases()) covered.insert(golden.operation());
  for (const lambda::Operation& operation : lambda::operations()) {
    EXPECT_TRUE(covered.contains(std::string(operation.name))) << operation.name;
  }
}

TEST(LambdaAnswer, HasTheServicesHeaders) {
  Prepared prepared = prepare_request(lambda_request("GET", "/2015-03-31/functions/f"));
  const WireResponse response =
      std::get<PreparedTriggerCall>(prepared).respond(FunctionDescription{plain_function_record()});
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(header_of(response, "x-amzn-RequestId"), request_id);
}

TEST(LambdaAnswer, WithoutABodyHasNoContentType) {
  Prepared prepared = prepare_request(lambda_request("DELETE", "/2015-03-31/functions/f"));
  const WireResponse response = std::get<PreparedTriggerCall>(prepared).respond(Done{});
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(response.content_type, "");
}

TEST(LambdaAnswer, APayloadIsTheFunctionsByteForByte) {
  RunOutcome outcome;
  outcome.payload = std::string("\0\xff plain", 8);
  Prepared prepared = prepare_request(lambda_request("POST", "/2015-03-31/functions/f/invocations", "{}"));
  const WireResponse response = std::get<PreparedTriggerCall>(prepared).respond(Invoked{outcome});
  EXPECT_EQ(response.body, outcome.payload);
}

TEST(LambdaAnswer, AResultThatACommandCanNotHaveIsAFailure) {
  for (const LambdaCase& golden : lambda_cases()) {
    const std::string answer = trigger_answer(golden.request(), FunctionLog{});
    EXPECT_TRUE(answer.starts_with("500 InternalFailure ")) << golden.name << ": " << answer;
  }
}

TEST(LambdaAnswer, ErrorsOfTheEngineAreWordedByTheirModel) {
  const Request request = lambda_request("GET", "/2015-03-31/functions/f");
  EXPECT_EQ(trigger_answer(request, Error{ErrorCode::LambdaResourceNotFound, "Function not found: f"}),
            lambda_error(404, "ResourceNotFoundException", "Function not found: f", "Message"));
  EXPECT_EQ(trigger_answer(request, Error{ErrorCode::LambdaResourceConflict, "x"}),
            lambda_error(409, "ResourceConflictException", "x"));
  EXPECT_EQ(trigger_answer(request, Error{ErrorCode::LambdaServiceException, "x"}),
            R"(500 ServiceException {"Type":"Service","Message":"x"})");
  EXPECT_EQ(trigger_answer(request, Error{ErrorCode::LambdaPreconditionFailed, "x"}),
            lambda_error(412, "PreconditionFailedException", "x"));
  EXPECT_EQ(trigger_answer(request, Error{ErrorCode::LambdaResourceInUse, "x"}),
            lambda_error(400, "ResourceInUseException", "x", "Message"));
}

TEST(LambdaAnswer, AThrottledCallIsToldTheReason) {
  const Request request = lambda_request("POST", "/2015-03-31/functions/f/invocations", "{}");
  const auto with_reason = [](std::string_view reason) {
    return R"(429 TooManyRequestsException {"Reason":")" + std::string(reason) +
           R"(","Type":"User","message":"Rate Exceeded."})";
  };
  EXPECT_EQ(trigger_answer(request, Error{ErrorCode::LambdaTooManyRequests, {}}),
            with_reason("CallerRateLimitExceeded"));
  EXPECT_EQ(trigger_answer(request, Error{ErrorCode::LambdaConcurrencyExceeded, {}}),
            with_reason("ConcurrentInvocationLimitExceeded"));
  EXPECT_EQ(trigger_answer(request, Error{ErrorCode::LambdaReservedConcurrencyExceeded, {}}),
            with_reason("ReservedFunctionConcurrentInvocationLimitExceeded"));
}

}  // namespace
}  // namespace penstock::protocol::testing
