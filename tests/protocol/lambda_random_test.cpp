// Input for Lambda that nobody means: requests with something changed in the target or the body, and random
// bytes. Nothing may crash, and every answer is one.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>

#include "protocol/json.hpp"
#include "protocol/lambda_support.hpp"
#include "support/random.hpp"

namespace penstock::protocol::testing {
namespace {

constexpr int rounds = 30'000;

class LambdaRandom : public ::testing::Test {
 protected:
  LambdaRandom() : seed_(given_seed()), random_(seed_), cases_(lambda_cases()) {
    std::cout << "PENSTOCK_TEST_SEED=" << seed_ << "\n";
  }
  void TearDown() override {
    if (HasFailure()) ADD_FAILURE() << "PENSTOCK_TEST_SEED=" << seed_ << " replays this";
  }

  std::size_t below(std::size_t end) { return static_cast<std::size_t>(random_.below(end)); }

  std::string random_bytes(std::size_t limit) {
    std::string bytes(below(limit), '\0');
    for (char& c : bytes) c = static_cast<char>(random_.next());
    return bytes;
  }

  void mutate(std::string& text) {
    static constexpr std::string_view pieces[] = {"{",  "}",      "[",       "]",    "\"", ":", ",",     "null", "-1",
                                                  "%2", "%00",    "1e999",   "\xff", "9",  "/", "@",     "?",    "&",
                                                  "=",  "\\ud80", "\\u0000", "é",    "+",  "1", "Limit", "true", ".."};
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
      const std::size_t at = below(text.size() + 1);
      switch (below(3)) {
        case 0:
          text.insert(at, pieces[below(std::size(pieces))]);
          break;
        case 1:
          text.erase(at, below(9));
          break;
        default:
          if (at < text.size()) text[at] = static_cast<char>(random_.next());
          break;
      }
    }
  }

  const LambdaCase& any_case() { return cases_.at(below(cases_.size())); }

  static void expect_answer(const WireResponse& response) {
    EXPECT_GE(response.status, 200);
    EXPECT_LT(response.status, 600);
    if (response.content_type != "application/json" || !header_of(response, "X-Amz-Executed-Version").empty()) return;
    EXPECT_TRUE(std::holds_alternative<JsonSource>(parse_json(response.body))) << response.body;
  }

  void try_request(const Request& request) {
    Prepared prepared = prepare_request(request);
    if (const auto* response = std::get_if<WireResponse>(&prepared)) return expect_answer(*response);
    if (std::holds_alternative<PreparedCall>(prepared)) return;  // a changed path may be a queue's
    auto& call = std::get<PreparedTriggerCall>(prepared);
    if (random_.one_in(4))
      return expect_answer(call.respond(Error{ErrorCode::LambdaResourceNotFound, random_bytes(20)}));
    expect_answer(call.respond(any_case().result()));
  }

 private:
  static std::uint64_t given_seed() {
    const char* given = std::getenv("PENSTOCK_TEST_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  }

  std::uint64_t seed_;
  test::Random random_;
  std::vector<LambdaCase> cases_;
};

TEST_F(LambdaRandom, ChangedBodies) {
  for (int i = 0; i < rounds && !HasFailure(); ++i) {
    Request request = any_case().request();
    mutate(request.body);
    try_request(request);
  }
}

TEST_F(LambdaRandom, ChangedTargets) {
  for (int i = 0; i < rounds && !HasFailure(); ++i) {
    Request request = any_case().request();
    if (below(3) == 0) request.target.insert(0, "/@consumer/c/m");
    mutate(request.target);
    try_request(request);
  }
}

TEST_F(LambdaRandom, BodiesOfOtherOperations) {
  for (int i = 0; i < rounds && !HasFailure(); ++i) {
    Request request = any_case().request();
    request.body = any_case().body;
    try_request(request);
  }
}

TEST_F(LambdaRandom, RandomBytes) {
  for (int i = 0; i < rounds && !HasFailure(); ++i) {
    Request request = any_case().request();
    request.body = random_bytes(60);
    try_request(request);
    request.target = "/2015-03-31/" + random_bytes(40);
    try_request(request);
  }
}

}  // namespace
}  // namespace penstock::protocol::testing
