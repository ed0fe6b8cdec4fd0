// What a function's settings come to: what works is taken into a record or a patch, and what has no effect here is
// refused.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "penstock/errors.hpp"
#include "penstock/functions.hpp"
#include "protocol/decode.hpp"
#include "protocol/lambda/function_operations.hpp"

namespace penstock::protocol::lambda {

/// How functions of a runtime are run. Error: LambdaInvalidParameterValue, for what is no runtime, and for those that
/// have no bootstrap here.
std::variant<FunctionKind, Error> kind_of_runtime(std::string_view runtime);

/// The zip that a function is made of. Error: LambdaInvalidParameterValue where its code comes from elsewhere, or from
/// nowhere.
std::variant<std::string, Error> take_zip(FunctionCode&& code);

/// Takes what a request says of a function's configuration; what it leaves out is not in the patch.
std::variant<FunctionPatch, Error> take_settings(FunctionSettings& settings);

/// What is wrong with the variables of an environment, in the service's words.
Refusal check_environment(const std::map<std::string, std::string>& variables);

/// A message that goes to where no message can go is lost. `member` is where the ARN stands.
Refusal check_queue_arn(std::string_view arn, std::string_view member);

}  // namespace penstock::protocol::lambda
