// The flag --parameter, which gives a template's parameters their values: NAME=VALUE, as often as there are parameters.
#pragma once

#include <istream>
#include <string>
#include <vector>

#include "config/template/evaluator.hpp"

namespace penstock::config {

/// What the flag was given, each time as it stands: a value may well have a comma.
struct ParameterWords {
  std::vector<std::string> words;
};
/// Takes all that is left of the stream as one more word.
std::istream& operator>>(std::istream& in, ParameterWords& given);

inline constexpr const char* parameter_flag = "parameter";
inline constexpr const char* parameter_help =
    "value of a parameter of a CloudFormation or SAM template; may be given more than once";

/// Throws std::invalid_argument with a sentence for a person.
std::vector<GivenParameter> read_parameters(const ParameterWords& given);

}  // namespace penstock::config
