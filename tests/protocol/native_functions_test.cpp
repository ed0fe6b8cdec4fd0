// Functions that are no zips: how they are registered, described and listed, and how their logs are read.
#include <gtest/gtest.h>

#include <ostream>
#include <set>
#include <string>
#include <string_view>

#include "protocol/lambda_support.hpp"
#include "protocol/native/operations.hpp"
#include "protocol/native_support.hpp"

namespace penstock::protocol::testing {
namespace {

/// `path` is what follows /_penstock/functions.
Request functions_request(std::string_view method, std::string_view path, std::string body = {}) {
  return lambda_request(method, "/_penstock/functions" + std::string(path), std::move(body));
}

struct FunctionCase {
  std::string name;
  std::string method;
  std::string path;
  std::string body;
  std::string asked;
  std::function<TriggerResult()> result;
  std::string answer;
  Request request() const { return functions_request(method, path, body); }
  friend void PrintTo(const FunctionCase& golden, std::ostream* out) { *out << golden.name; }
};

const std::string whole_state =
    R"({"FunctionName":"f","FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","Kind":"handler",)"
    R"("Handler":"app.handler","Runtime":"python3.12","Timeout":30,"MemorySize":256,"Environment":{"A1":"1","B2":""},)"
    R"("ReservedConcurrency":5,"CodeSha256":"c3Vt","ModifiedTimestamp":1767225600})";

FunctionRecord exec_record() {
  FunctionRecord function;
  function.name = {"000000000000", "us-east-1", "e"};
  function.kind = FunctionKind::exec;
  function.command = {"/bin/cat", "-"};
  function.directory = "/srv";
  return function;
}
const std::string exec_state =
    R"({"FunctionName":"e","FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:e","Kind":"exec",)"
    R"("Command":["/bin/cat","-"],"Directory":"/srv","Timeout":3,"MemorySize":128,"ModifiedTimestamp":0})";

std::vector<FunctionCase> function_cases() {
  const std::string role = " role=arn:aws:iam::000000000000:role/penstock timeout=3 memory=128";
  return {
      {"RegisterFunction/a runtime", "PUT", "/f", R"({"Kind":"runtime","Command":["./run","--fast",""]})",
       "CreateFunction 000000000000/us-east-1/f kind=runtime command=./run,--fast," + role + " replace",
       [] { return FunctionDescription{function_record()}; }, "200 " + whole_state},
      {"RegisterFunction/a bootstrap", "PUT", "/f", R"({"Kind":"runtime","Directory":"/srv/f","Handler":"h"})",
       "CreateFunction 000000000000/us-east-1/f kind=runtime handler=h directory=/srv/f" + role + " replace",
       [] { return FunctionDescription{function_record()}; }, "200 " + whole_state},
      {"RegisterFunction/a handler", "PUT", "/f?Account=123456789012&Region=local",
       R"({"Kind":"handler","Directory":"/srv","Handler":"app.handler","Runtime":"nodejs22.x","Timeout":900,)"
       R"("MemorySize":256,"Environment":{"A1":"1","B2":""},"ReservedConcurrency":0})",
       "CreateFunction 123456789012/local/f kind=handler runtime=nodejs22.x handler=app.handler directory=/srv "
       "role=arn:aws:iam::123456789012:role/penstock timeout=900 memory=256 environment=A1:1,B2: reserved=0 replace",
       [] { return FunctionDescription{function_record()}; }, "200 " + whole_state},
      {"RegisterFunction/an exec", "PUT", "/e", R"({"Kind":"exec","Command":["/bin/cat","-"],"Directory":"/srv"})",
       "CreateFunction 000000000000/us-east-1/e kind=exec command=/bin/cat,- directory=/srv" + role + " replace",
       [] { return FunctionDescription{exec_record()}; }, "200 " + exec_state},
      {"RegisterFunction/a URL", "PUT", "/u",
       R"({"Kind":"url","Url":"http://127.0.0.1:3001/2015-03-31/functions/u/invocations"})",
       "CreateFunction 000000000000/us-east-1/u kind=url url=http://127.0.0.1:3001/2015-03-31/functions/u/invocations" +
           role + " replace",
       [] { return FunctionDescription{exec_record()}; }, "200 " + exec_state},
      {"RegisterFunction/with a remark", "PUT", "/e",
       R"({"Kind":"exec","Command":["/bin/cat","-"],"Directory":"/srv"})",
       "CreateFunction 000000000000/us-east-1/e kind=exec command=/bin/cat,- directory=/srv" + role + " replace",
       [] {
         return FunctionDescription{exec_record(), "Something else runs it."};
       },
       "200 " + exec_state.substr(0, exec_state.size() - 1) + R"(,"Remark":"Something else runs it."})"},
      {"DescribeFunction", "GET", "/f", "", "GetFunction 000000000000/us-east-1/f",
       [] { return FunctionDescription{function_record()}; }, "200 " + whole_state},
      {"ListFunctions", "GET", "?ExclusiveStartFunction=a&Limit=2", "",
       "ListFunctions 000000000000/us-east-1 after=a limit=2",
       [] {
         return FunctionList{{exec_record(), function_record()}, true};
       },
       R"(200 {"Functions":[)" + exec_state + "," + whole_state + R"(],"HasMoreFunctions":true})"},
      {"DeregisterFunction", "DELETE", "/f", "", "DeleteFunction 000000000000/us-east-1/f", [] { return Done{}; },
       "204"},
      {"ReadFunctionLog", "GET", "/f/logs?After=41&Limit=10&WaitSeconds=20", "",
       "ReadFunctionLog 000000000000/us-east-1/f after=41 lines=10 wait=20000",
       [] {
         FunctionLog log;
         log.lines.push_back({44, from_epoch_ms(1'700'000'000'123), "START \"x\""});
         log.dropped = 2;
         return log;
       },
       R"(200 {"Lines":[{"Number":44,"Timestamp":1700000000.123,"Text":"START \"x\""}],"DroppedLines":2})"},
      {"ReadFunctionLog/from its beginning", "GET", "/f/logs", "",
       "ReadFunctionLog 000000000000/us-east-1/f after=0 lines=1000 wait=0", [] { return FunctionLog{}; },
       R"(200 {"Lines":[],"DroppedLines":0})"},
  };
}

class NativeFunction : public ::testing::TestWithParam<FunctionCase> {};

TEST_P(NativeFunction, BecomesTheCommand) { EXPECT_EQ(trigger_asked(GetParam().request()), GetParam().asked); }

TEST_P(NativeFunction, IsAnsweredLikeThis) {
  EXPECT_EQ(trigger_answer(GetParam().request(), GetParam().result()), GetParam().answer);
}

INSTANTIATE_TEST_SUITE_P(All, NativeFunction, ::testing::ValuesIn(function_cases()));

TEST(NativeFunctions, EachOperationHasACase) {
  std::set<std::string> cases;
  for (const FunctionCase& golden : function_cases()) cases.insert(golden.name.substr(0, golden.name.find('/')));
  for (const native::Operation& operation : native::operations()) {
    if (!operation.path.starts_with("/_penstock/functions")) continue;
    EXPECT_TRUE(cases.contains(std::string(operation.name))) << operation.name;
  }
}

struct RegistrationCase {
  std::string body;
  std::string message;
  friend void PrintTo(const RegistrationCase& given, std::ostream* out) { *out << given.body; }
};
class NativeRegistration : public ::testing::TestWithParam<RegistrationCase> {};

TEST_P(NativeRegistration, IsRefused) {
  EXPECT_EQ(trigger_refusal(functions_request("PUT", "/f", GetParam().body)),
            invalid_request_error(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, NativeRegistration,
    ::testing::Values(
        RegistrationCase{"{}", "Kind is missing."},
        RegistrationCase{R"({"Kind":"zip"})", "Kind has to be one of runtime, handler, exec, url, and is 'zip'."},
        RegistrationCase{R"({"Kind":"runtime"})",
                         "Command or Directory is missing, of which one is needed for a function of kind runtime."},
        RegistrationCase{R"({"Kind":"exec"})", "Command is missing, which is needed for a function of kind exec."},
        RegistrationCase{R"({"Kind":"exec","Command":[]})", "Command has to have 1 to 256 elements."},
        RegistrationCase{R"({"Kind":"exec","Command":[""]})", "Command[0] is empty."},
        RegistrationCase{R"({"Kind":"exec","Command":["a\u0000b"]})", "A NUL can not be in a Command."},
        RegistrationCase{R"({"Kind":"exec","Command":["a"],"Runtime":"python3.12"})",
                         "Runtime says nothing of a function of kind exec."},
        RegistrationCase{R"({"Kind":"handler","Directory":"/srv","Handler":"h"})",
                         "Runtime is missing, which is needed for a function of kind handler."},
        RegistrationCase{R"({"Kind":"handler","Directory":"srv","Handler":"h","Runtime":"python3.12"})",
                         "Directory has to be an absolute path, since the server may run elsewhere than its clients."},
        RegistrationCase{R"({"Kind":"handler","Directory":"/srv","Handler":"h","Runtime":"provided.al2"})",
                         "The Runtime provided.al2 has no handlers; its Kind is runtime."},
        RegistrationCase{R"({"Kind":"handler","Directory":"/srv","Handler":"h","Runtime":"java21"})",
                         "The runtime java21 is not supported here: it has no bootstrap. Use provided.al2023, with the "
                         "bootstrap in the code."},
        RegistrationCase{R"({"Kind":"url"})", "Url is missing, which is needed for a function of kind url."},
        RegistrationCase{R"({"Kind":"url","Url":"ftp://x"})", "Url has to begin with http://."},
        RegistrationCase{R"({"Kind":"url","Url":"http://x","Command":["a"]})",
                         "Command says nothing of a function of kind url."},
        RegistrationCase{R"({"Kind":"exec","Command":["a"],"Timeout":901})", "Timeout has to be 1 to 900, and is 901."},
        RegistrationCase{R"({"Kind":"exec","Command":["a"],"Environment":{"A":1}})",
                         "Environment.A has to be a string."},
        RegistrationCase{R"({"Kind":"exec","Command":["a"],"Environment":{"A1":"x","B":"y"}})",
                         "The names in Environment have to match [a-zA-Z]([a-zA-Z0-9_])+, and one is 'B'."},
        RegistrationCase{R"({"Kind":"url","Url":"http://x","Environment":{"A-B":"y"}})",
                         "The names in Environment have to match [a-zA-Z]([a-zA-Z0-9_])+, and one is 'A-B'."},
        RegistrationCase{R"({"Kind":"exec","Command":["a"],"Environment":["A"]})",
                         "Environment has to be an object."}));

TEST(NativeFunctions, AFunctionThatThereIsNotIsNamedSo) {
  EXPECT_EQ(
      trigger_answer(functions_request("GET", "/f"), Error{ErrorCode::LambdaResourceNotFound, "Function not found: f"}),
      native_error("FunctionNotFound", "Function not found: f", 404));
  EXPECT_EQ(trigger_answer(functions_request("PUT", "/f", R"({"Kind":"exec","Command":["a"]})"),
                           Error{ErrorCode::LambdaInvalidParameterValue, "There is no python3.12."}),
            invalid_request_error("There is no python3.12."));
  EXPECT_EQ(trigger_answer(functions_request("GET", "/f/logs"), Error{ErrorCode::LambdaTooManyRequests, "Too many."}),
            native_error("TooManyRequests", "Too many.", 429));
}

}  // namespace
}  // namespace penstock::protocol::testing
