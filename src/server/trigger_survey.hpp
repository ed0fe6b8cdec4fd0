// What an operator is told of functions and mappings.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "penstock/functions.hpp"
#include "penstock/histogram.hpp"
#include "penstock/runner.hpp"
#include "penstock/survey.hpp"

namespace penstock::server {

inline constexpr std::array invocation_seconds_bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,   0.25,
                                                      0.5,    1.0,   2.5,    5.0,   10.0, 30.0,  60.0, 300.0, 900.0};

/// How invocations ended, of one function or of all. Only grows.
struct FunctionTally {
  std::uint64_t succeeded = 0;
  std::uint64_t function_errors = 0;
  std::uint64_t throttled = 0;  ///< refused, since too many ran already
  std::uint64_t failed = 0;     ///< it could not be run, or was not reached
  std::uint64_t cold_starts = 0;
  /// Of those that have an answer, from when they were begun: the start of an environment is in it.
  Histogram<invocation_seconds_bounds> seconds;

  void observe(const RunOutcome& outcome, double took) {
    if (outcome.init > Millis{0}) ++cold_starts;
    switch (outcome.status) {
      case RunOutcome::Status::answered:
        ++(outcome.succeeded() ? succeeded : function_errors);
        return seconds.observe(took);
      case RunOutcome::Status::throttled:
        ++throttled;
        return;
      case RunOutcome::Status::failed:
      case RunOutcome::Status::unreached:
        ++failed;
        return;
    }
  }
};

struct FunctionView {
  FunctionName name;
  FunctionTally tally;
};

/// Where a survey goes on, as SurveyPlace.
struct TriggerPlace {
  bool functions_over = false;
  bool over = false;
  std::optional<FunctionName> function;
  std::string mapping;  ///< its UUID
};

struct TriggerSurvey {
  std::vector<FunctionView> functions;
  std::vector<MappingView> mappings;
};

}  // namespace penstock::server
