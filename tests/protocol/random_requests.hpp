// Input that nobody means, made of cases of what is meant: requests with something changed in the target or the body,
// and random bytes. Nothing may crash, and every answer is one.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/json.hpp"
#include "protocol/support.hpp"
#include "support/random.hpp"

namespace penstock::protocol::testing {

/// A Case has request(), body and result(). PENSTOCK_TEST_SEED replays a run.
template <class Case>
class RandomRequests : public ::testing::Test {
 protected:
  explicit RandomRequests(std::vector<Case> cases) : seed_(given_seed()), random_(seed_), cases_(std::move(cases)) {
    std::cout << "PENSTOCK_TEST_SEED=" << seed_ << "\n";
  }
  void TearDown() override {
    if (HasFailure()) ADD_FAILURE() << "PENSTOCK_TEST_SEED=" << seed_ << " replays this";
  }

  virtual void try_request(const Request& request) = 0;

  void try_changed_bodies() {
    for_rounds([&](Request& request) {
      mutate(request.body);
      try_request(request);
    });
  }
  void try_changed_targets() {
    for_rounds([&](Request& request) {
      if (below(3) == 0) request.target.insert(0, "/@consumer/c/m");
      mutate(request.target);
      try_request(request);
    });
  }
  void try_bodies_of_others() {
    for_rounds([&](Request& request) {
      request.body = any_case().body;
      try_request(request);
    });
  }
  void try_random_bytes(const std::string& path) {
    for_rounds([&](Request& request) {
      request.body = random_bytes(60);
      try_request(request);
      request.target = path + random_bytes(40);
      try_request(request);
    });
  }

  const Case& any_case() { return cases_.at(below(cases_.size())); }
  bool one_in(std::uint64_t count) { return random_.one_in(count); }

  std::string random_bytes(std::size_t limit) {
    std::string bytes(below(limit), '\0');
    for (char& c : bytes) c = static_cast<char>(random_.next());
    return bytes;
  }

  static void expect_answer(const WireResponse& response) {
    EXPECT_GE(response.status, 200);
    EXPECT_LT(response.status, 600);
    // What a function answers is its own.
    if (response.content_type != "application/json" || !header_of(response, "X-Amz-Executed-Version").empty()) return;
    EXPECT_TRUE(std::holds_alternative<JsonSource>(parse_json(response.body))) << response.body;
  }

 private:
  static constexpr int rounds = 30'000;

  template <class Try>
  void for_rounds(const Try& attempt) {
    for (int i = 0; i < rounds && !HasFailure(); ++i) {
      Request request = any_case().request();
      attempt(request);
    }
  }

  std::size_t below(std::size_t end) { return static_cast<std::size_t>(random_.below(end)); }

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

  static std::uint64_t given_seed() {
    const char* given = std::getenv("PENSTOCK_TEST_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  }

  std::uint64_t seed_;
  test::Random random_;
  std::vector<Case> cases_;
};

}  // namespace penstock::protocol::testing
