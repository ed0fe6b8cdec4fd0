// What the tests of Lambda's operations share: requests, commands as text, and one case of each operation at least.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/trigger_commands.hpp"
#include "protocol/support.hpp"

namespace penstock::protocol::testing {

/// As an SDK sends it, signed for account 000000000000 and us-east-1.
Request lambda_request(std::string_view method, std::string_view target, std::string body = {});

/// All that a command says and does not leave at its default, in one line.
std::string to_text(const TriggerCommand& command);

/// The command that a request becomes, or "refused: " and status and body.
std::string trigger_asked(const Request& request);
/// Status, headers of Lambda's own and body of the answer.
std::string trigger_answer(const Request& request, TriggerResult result);
/// The same where the request is refused; "asked: " and the command where it is not.
std::string trigger_refusal(const Request& request);

/// `400 InvalidParameterValueException {"Type":"User","message":"..."}`
std::string lambda_error(int status, std::string_view type, std::string_view message,
                         std::string_view member = "message");
std::string invalid_parameter_error(std::string_view message);
/// Of one broken constraint: what stands behind "detected: ".
std::string lambda_validation_error(std::string_view what);

/// One request and what becomes of it.
struct LambdaCase {
  std::string name;  ///< the operation's, with what is special about the case behind a slash
  std::string method;
  std::string target;
  std::string body;
  std::string asked;
  std::function<TriggerResult()> result;
  std::string answer;
  Headers headers{};

  std::string operation() const { return name.substr(0, name.find('/')); }
  Request request() const;
  friend void PrintTo(const LambdaCase& golden, std::ostream* out) { *out << golden.name; }
};

/// At least one of each operation.
std::vector<LambdaCase> lambda_cases();

/// A function with all that one can have.
FunctionRecord function_record();
/// And one with nothing that need not be.
FunctionRecord plain_function_record();
MappingRecord queue_mapping_record();
MappingRecord stream_mapping_record();

}  // namespace penstock::protocol::testing
