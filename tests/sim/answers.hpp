// What a call was answered with, as the clients of the simulated worlds look at it.
#pragma once

#include <variant>

#include "penstock/commands.hpp"

namespace penstock::sim {

inline bool is(const Error& error, ErrorCode code) { return error.code == code; }

/// The result, if it is one of that kind.
template <class Result_>
const Result_* answer(const Result& result) {
  return std::get_if<Result_>(&result);
}

}  // namespace penstock::sim
