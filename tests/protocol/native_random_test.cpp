// Input for Penstock's own API that nobody means.
#include "protocol/kinesis_support.hpp"
#include "protocol/native_support.hpp"
#include "protocol/random_requests.hpp"

namespace penstock::protocol::testing {
namespace {

class NativeRandom : public RandomRequests<NativeCase> {
 protected:
  NativeRandom() : RandomRequests(native_cases()) {}

  void try_request(const Request& request) override {
    Prepared prepared = prepare_at(request);
    if (const auto* response = std::get_if<WireResponse>(&prepared)) return expect_answer(*response);
    auto& call = std::get<PreparedCall>(prepared);
    if (one_in(4)) return expect_answer(call.respond(Error{ErrorCode::LeaseLost, random_bytes(20)}));
    expect_answer(call.respond(any_case().result()));
  }
};

TEST_F(NativeRandom, ChangedBodies) { try_changed_bodies(); }
TEST_F(NativeRandom, ChangedTargets) { try_changed_targets(); }
TEST_F(NativeRandom, BodiesOfOtherOperations) { try_bodies_of_others(); }
TEST_F(NativeRandom, RandomBytes) { try_random_bytes("/_penstock/"); }

}  // namespace
}  // namespace penstock::protocol::testing
