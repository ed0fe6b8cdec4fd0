// Handlers of Python and Node, by the bootstraps that the binary carries.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "workbench.hpp"

namespace penstock::runner {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

using Handlers = Workbench;

TEST_F(Handlers, OfPythonGetTheEventAndTheContext) {
  directory_.write("app.py", R"(
import os
def handler(event, context):
    print('hello')
    return {'event': event, 'id': context.aws_request_id, 'name': context.function_name,
            'memory': context.memory_limit_in_mb, 'arn': context.invoked_function_arn, 'group': context.log_group_name,
            'left': context.get_remaining_time_in_millis() > 5000, 'custom': context.client_context.custom,
            'root': os.getcwd() == os.environ['LAMBDA_TASK_ROOT'], 'runtime': os.environ['AWS_EXECUTION_ENV']}
)");
  const RunOutcome outcome =
      invoke(handler("python3.12", "app.handler"), R"({"text":"ä"})", "eyJjdXN0b20iOnsiYSI6MX19");
  EXPECT_EQ(outcome.function_error, "") << outcome.payload << outcome.message;
  EXPECT_EQ(outcome.payload, R"({"event": {"text": "ä"}, "id": ")" + last_id_ +
                                 R"(", "name": "f", "memory": "128", "arn": )"
                                 R"("arn:aws:lambda:us-east-1:000000000000:function:f", "group": "/aws/lambda/f", )"
                                 R"("left": true, "custom": {"a": 1}, "root": true, "runtime": )"
                                 R"("AWS_Lambda_python3.12"})");
  EXPECT_THAT(outcome.log_tail, HasSubstr("\nhello\n"));
}

TEST_F(Handlers, OfPythonKeepWhatTheyHoldBetweenEvents) {
  directory_.write("lib/counter.py", "n = 0\ndef next(event, context):\n    global n\n    n += 1\n    return n\n");
  const FunctionRecord record = handler("python3.11", "lib/counter.next");
  EXPECT_EQ(invoke(record, "{}").payload, "1");
  EXPECT_EQ(invoke(record, "{}").payload, "2");
}

TEST_F(Handlers, OfPythonReportTheirErrors) {
  directory_.write("app.py", "def handler(event, context):\n    raise ValueError('bad ' + event['what'])\n");
  const FunctionRecord record = handler("python3.12", "app.handler");
  const RunOutcome outcome = invoke(record, R"({"what":"thing"})");
  EXPECT_EQ(outcome.function_error, "Unhandled");
  EXPECT_EQ(outcome.payload, R"({"errorMessage": "bad thing", "errorType": "ValueError", "requestId": ")" + last_id_ +
                                 R"(", "stackTrace": ["  File \")" + directory_.path() +
                                 R"(/app.py\", line 2, in handler\n    raise ValueError('bad ' + event['what'])\n"]})");
  EXPECT_THAT(outcome.log_tail, HasSubstr("[ERROR] ValueError: bad thing\n"));
  EXPECT_THAT(invoke(record, R"({"what":"one"})").payload, HasSubstr("bad one")) << "the environment goes on";
  EXPECT_EQ(pool().environments(), 1U);
}

TEST_F(Handlers, OfPythonThatCannotBeLoadedSayWhy) {
  directory_.write("app.py", "def handler(event, context):\n    return object()\n");
  directory_.write("broken.py", "def handler(:\n");
  directory_.write("needy.py", "import not_there\n");
  const auto error_of = [&](const std::string& name) { return invoke(handler("python3.12", name), "{}").payload; };
  EXPECT_THAT(error_of("nowhere.handler"),
              HasSubstr(R"({"errorMessage": "Unable to import module 'nowhere': No module named 'nowhere'", )"
                        R"("errorType": "Runtime.ImportModuleError")"));
  EXPECT_THAT(error_of("needy.handler"), HasSubstr("Unable to import module 'needy': No module named 'not_there'"));
  EXPECT_THAT(error_of("app.other"), HasSubstr(R"({"errorMessage": "Handler 'other' missing on module 'app'", )"
                                               R"("errorType": "Runtime.HandlerNotFound")"));
  EXPECT_THAT(error_of("broken.handler"), HasSubstr("Runtime.UserCodeSyntaxError"));
  EXPECT_THAT(error_of("app"), HasSubstr("Runtime.MalformedHandlerName"));
  EXPECT_THAT(error_of("app.handler"), HasSubstr("Runtime.MarshalError"));
}

TEST_F(Handlers, OfPythonLogAsTheServiceDoes) {
  directory_.write("app.py",
                   "import logging\ndef handler(event, context):\n    logging.warning('careful')\n    return None\n");
  const RunOutcome outcome = invoke(handler("python3.12", "app.handler"), "{}");
  EXPECT_EQ(outcome.payload, "null");
  EXPECT_THAT(outcome.log_tail, HasSubstr("[WARNING]\t20"));
  EXPECT_THAT(outcome.log_tail, HasSubstr("Z\t" + last_id_ + "\tcareful\n"));
}

TEST_F(Handlers, OfNodeGetTheEventAndTheContext) {
  directory_.write("index.mjs", R"(
export const handler = async (event, context) => {
  console.log('hello', event);
  return { event, id: context.awsRequestId, name: context.functionName, memory: context.memoryLimitInMB,
           left: context.getRemainingTimeInMillis() > 5000, custom: context.clientContext.custom };
};
)");
  const RunOutcome outcome =
      invoke(handler("nodejs20.x", "index.handler"), R"({"text":"ä"})", "eyJjdXN0b20iOnsiYSI6MX19");
  EXPECT_EQ(outcome.function_error, "") << outcome.payload << outcome.message;
  EXPECT_EQ(outcome.payload, R"({"event":{"text":"ä"},"id":")" + last_id_ +
                                 R"(","name":"f","memory":"128","left":true,"custom":{"a":1}})");
  EXPECT_THAT(outcome.log_tail, HasSubstr("Z\t" + last_id_ + "\tINFO\thello { text: 'ä' }\n"));
}

TEST_F(Handlers, OfNodeMayBeCommonJsAndCallBack) {
  directory_.write("lib/app.js", R"(
let n = 0;
exports.now = (event, context, callback) => callback(null, ++n);
exports.later = (event, context, callback) => { setTimeout(() => callback(null, ++n), 20); };
exports.at_once = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  setTimeout(() => {}, 100000).unref();
  callback(null, ++n);
};
exports.fails = (event, context, callback) => callback(new RangeError('too far'));
exports.silent = () => {};
exports.nested = { deep: async () => 'found' };
exports.rejects = async () => { throw 'text'; };
)");
  const auto record = [&](const std::string& name) { return handler("nodejs20.x", "lib/app." + name); };
  EXPECT_EQ(invoke(record("now"), "{}").payload, "1");
  EXPECT_EQ(invoke(record("later"), "{}").payload, "2") << "the group of a generation has one handler";
  EXPECT_EQ(pool().environments(), 1U);
}

TEST_F(Handlers, OfNodeHaveManyWaysToAnswer) {
  directory_.write("lib/app.cjs", R"(
let n = 0;
const ways = {
  now: (event, context, callback) => callback(null, 1),
  later: (event, context, callback) => { setTimeout(() => callback(null, 2), 20); },
  at_once: (event, context, callback) => {
    context.callbackWaitsForEmptyEventLoop = false;
    setTimeout(() => {}, 300);
    callback(null, 3);
  },
  succeeds: (event, context) => context.succeed(4),
  fails: (event, context, callback) => callback(new RangeError('too far')),
  silent: () => {},
  rejects: async () => { throw new TypeError('not so'); },
};
exports.deep = { handler: (event, context, callback) => ways[event](event, context, callback) };
)");
  const FunctionRecord record = handler("nodejs20.x", "lib/app.deep.handler");
  EXPECT_EQ(invoke(record, "\"now\"").payload, "1");
  EXPECT_EQ(invoke(record, "\"later\"").payload, "2");
  EXPECT_EQ(invoke(record, "\"at_once\"").payload, "3");
  EXPECT_EQ(invoke(record, "\"succeeds\"").payload, "4");
  EXPECT_EQ(invoke(record, "\"silent\"").payload, "null");
  EXPECT_THAT(
      invoke(record, "\"fails\"").payload,
      MatchesRegex(R"(\{"errorType":"RangeError","errorMessage":"too far","trace":\["RangeError: too far",.*)"));
  const RunOutcome rejected = invoke(record, "\"rejects\"");
  EXPECT_EQ(rejected.function_error, "Unhandled");
  EXPECT_THAT(rejected.payload, HasSubstr(R"({"errorType":"TypeError","errorMessage":"not so","trace":[)"));
  EXPECT_EQ(pool().environments(), 1U);
}

TEST_F(Handlers, OfNodeThatCannotBeLoadedSayWhy) {
  directory_.write("app.mjs", "export const value = 1;\n");
  directory_.write("broken.mjs", "export const = ;\n");
  const auto error_of = [&](const std::string& name) { return invoke(handler("nodejs20.x", name), "{}").payload; };
  EXPECT_THAT(error_of("nowhere.handler"),
              HasSubstr(R"({"errorType":"Runtime.ImportModuleError","errorMessage":"Error: )"));
  EXPECT_THAT(error_of("app.other"), HasSubstr(R"({"errorType":"Runtime.HandlerNotFound","errorMessage":)"
                                               R"("app.other is undefined or not exported")"));
  EXPECT_THAT(error_of("app.value"), HasSubstr("app.value is not a function"));
  EXPECT_THAT(error_of("broken.handler"), HasSubstr("Runtime.UserCodeSyntaxError"));
}

TEST_F(Handlers, OfNodeThatLeaveErrorsUncaughtEnd) {
  directory_.write("app.mjs", "export const handler = () => { setTimeout(() => { throw new Error('late'); }, 1); };\n");
  const RunOutcome outcome = invoke(handler("nodejs20.x", "app.handler"), "{}");
  EXPECT_EQ(outcome.function_error, "Unhandled");
  EXPECT_THAT(outcome.payload, HasSubstr("late"));
  run_until([&] { return pool().environments() == 0; });
}

// Whose version is not the one that is asked for is told before anything runs.
TEST_F(Handlers, NameTheInterpreterThatStandsIn) {
  const std::string places = directory_.path() + "/bin";
  directory_.write("bin/python3.11", "#!/bin/sh\n", true);
  std::filesystem::create_symlink("python3.11", places + "/python3");
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", places.c_str(), 1);
  EXPECT_EQ(substitute_interpreter(handler("python3.12", "a.b")),
            "There is no python3.12 on this server's PATH, so that " + places + "/python3, which is " +
                std::filesystem::canonical(places).string() + "/python3.11, runs the function.");
  EXPECT_EQ(substitute_interpreter(handler("python3.11", "a.b")), std::nullopt);
  std::filesystem::remove(places + "/python3.11");
  directory_.write("bin/python3.12", "#!/bin/sh\n", true);
  EXPECT_EQ(substitute_interpreter(handler("python3.12", "a.b")), std::nullopt);
  EXPECT_EQ(substitute_interpreter(handler("nodejs20.x", "a.b")), std::nullopt) << "Node itself knows";
  EXPECT_EQ(substitute_interpreter(function(FunctionKind::exec)), std::nullopt);
  ::setenv("PATH", path.c_str(), 1);
}

TEST_F(Handlers, SayInTheirLogWhatVersionStandsIn) {
  directory_.write("app.py", "def handler(event, context):\n    return 1\n");
  directory_.write("app.mjs", "export const handler = () => 1;\n");
  EXPECT_THAT(
      invoke(handler("python3.7", "app.handler"), "{}").log_tail,
      MatchesRegex("\\[WARNING\\] The function's runtime is python3.7, and what runs it is python3[.][0-9]+[.]\n"
                   "START (.|\n)*"));
  FunctionRecord node = handler("nodejs10.x", "app.handler");
  node.generation = 1;
  EXPECT_THAT(invoke(node, "{}").log_tail,
              MatchesRegex("\\[WARNING\\] The function's runtime is nodejs10.x, and what runs it is Node [0-9.]+[.]\n"
                           "START (.|\n)*"));
}

TEST_F(Handlers, NeedTheirInterpreter) {
  EXPECT_EQ(missing_interpreter(handler("python3.12", "a.b")), std::nullopt);
  EXPECT_EQ(missing_interpreter(function(FunctionKind::exec)), std::nullopt);
  EXPECT_EQ(missing_interpreter(handler("ruby3.3", "a.b")),
            "The runtime ruby3.3 has no built-in bootstrap: give a command instead.");
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", "/nowhere", 1);
  EXPECT_EQ(missing_interpreter(handler("python3.12", "a.b")),
            "The runtime python3.12 needs python3.12 or python3 on this server's PATH, and there is none.");
  EXPECT_EQ(invoke(handler("python3.12", "a.b"), "{}").status, RunOutcome::Status::failed);
  ::setenv("PATH", path.c_str(), 1);
}

}  // namespace
}  // namespace penstock::runner
