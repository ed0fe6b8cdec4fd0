// Input for Lambda that nobody means.
#include "protocol/lambda_support.hpp"
#include "protocol/random_requests.hpp"

namespace penstock::protocol::testing {
namespace {

class LambdaRandom : public RandomRequests<LambdaCase> {
 protected:
  LambdaRandom() : RandomRequests(lambda_cases()) {}

  void try_request(const Request& request) override {
    Prepared prepared = prepare_request(request);
    if (const auto* response = std::get_if<WireResponse>(&prepared)) return expect_answer(*response);
    if (std::holds_alternative<PreparedCall>(prepared)) return;  // a changed path may be a queue's
    auto& call = std::get<PreparedTriggerCall>(prepared);
    if (one_in(4)) return expect_answer(call.respond(Error{ErrorCode::LambdaResourceNotFound, random_bytes(20)}));
    expect_answer(call.respond(any_case().result()));
  }
};

TEST_F(LambdaRandom, ChangedBodies) { try_changed_bodies(); }
TEST_F(LambdaRandom, ChangedTargets) { try_changed_targets(); }
TEST_F(LambdaRandom, BodiesOfOtherOperations) { try_bodies_of_others(); }
TEST_F(LambdaRandom, RandomBytes) { try_random_bytes("/2015-03-31/"); }

}  // namespace
}  // namespace penstock::protocol::testing
