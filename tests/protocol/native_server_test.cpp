// The operations about the server as a whole: what a request asks for, and how it is answered.
#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "penstock/server_commands.hpp"
#include "protocol/kinesis_support.hpp"
#include "protocol/native/operations.hpp"
#include "protocol/native_support.hpp"

namespace penstock::protocol::testing {
namespace {

Request server_request(std::string_view method, std::string_view path, std::string body = {}) {
  Request request;
  request.method = method;
  request.target = "/_penstock" + std::string(path);
  request.body = std::move(body);
  return request;
}

std::string in_ms(Millis length) { return std::to_string(length.count()); }

struct ServerCommandText {
  std::string operator()(const ReadClock& /*command*/) const { return "ReadClock"; }
  std::string operator()(const ChangeClock& command) const {
    return "ChangeClock " + std::visit(*this, command.change) + " wait=" + in_ms(command.wait_max);
  }
  std::string operator()(const AdvanceClock& change) const { return "by " + in_ms(change.by); }
  std::string operator()(const AdvanceClockToNext& /*change*/) const { return "to the next"; }
  std::string operator()(const SetClock& change) const { return "to " + std::to_string(to_epoch_ms(change.to)); }
  std::string operator()(const FreezeClock& change) const { return change.frozen ? "freeze" : "thaw"; }
  std::string operator()(const SpeedClock& change) const { return "speed " + std::to_string(change.factor); }
  std::string operator()(const AwaitIdle& command) const { return "AwaitIdle wait=" + in_ms(command.wait); }
  std::string operator()(const TraceMessage& command) const { return "TraceMessage " + command.message_id; }
  std::string operator()(const ListFaults& /*command*/) const { return "ListFaults"; }
  std::string operator()(const AddFaults& command) const {
    std::string text = command.replace ? "AddFaults instead" : "AddFaults";
    for (const FaultRule& rule : command.rules) text += to_text(rule);
    return text;
  }
  std::string operator()(const RemoveFaults& command) const {
    if (!command.like) return "RemoveFaults " + command.id.value_or("all");
    std::string text = "RemoveFaults like";
    for (const FaultRule& rule : *command.like) text += to_text(rule);
    return text;
  }
  std::string operator()(const BackUp& command) const {
    return "BackUp " + command.directory + " wait=" + in_ms(command.wait_max);
  }
  std::string operator()(const DescribeBackup& command) const {
    return "DescribeBackup wait=" + in_ms(command.wait_max);
  }
  std::string operator()(const ResetServer& command) const {
    using Scope = ResetServer::Scope;
    const std::string scope = command.scope == Scope::all       ? "all"
                              : command.scope == Scope::sqs     ? "sqs"
                              : command.scope == Scope::kinesis ? "kinesis"
                                                                : "lambda";
    return "ResetServer " + scope + (command.setup ? " setup" : "");
  }

  static std::string to_text(const FaultRule& rule) {
    std::string text = " (" + rule.id + "|" + rule.service + "|" + rule.operation + "|" + rule.region + "|" +
                       rule.resource + "|" + std::to_string(static_cast<int>(rule.probability * 100)) + "%";
    if (rule.seed) text += " seed=" + std::to_string(*rule.seed);
    if (rule.count) text += " count=" + std::to_string(*rule.count);
    if (rule.error) text += " " + std::to_string(rule.error->status) + " " + rule.error->code;
    if (rule.error) text += " '" + rule.error->message + "'";
    text += std::string(rule.throttle ? " throttle" : "") + (rule.duplicate ? " duplicate" : "") +
            (rule.reorder ? " reorder" : "");
    return text + " latency=" + in_ms(rule.latency) + " commit=" + in_ms(rule.commit_latency) + ")";
  }
};

FaultList fault_list() {
  FaultRule rule;
  rule.id = "fault-1";
  rule.service = "sqs";
  rule.probability = 0.5;
  rule.error = FaultError{503, "ServiceUnavailable", "Later."};
  rule.latency = Millis{200};
  return {{{rule, 7}}};
}

const std::string faults_json =
    R"(200 {"rules":[{"id":"fault-1","service":"sqs","probability":0.5,"error":{"statusCode":503,)"
    R"("code":"ServiceUnavailable","message":"Later."},"latency":"200ms","hits":7}]})";

std::string server_asked(const Request& request) {
  const Prepared prepared = prepare_at(request);
  if (const auto* response = std::get_if<WireResponse>(&prepared)) return status_and_body(*response);
  return std::visit(ServerCommandText{}, std::get<PreparedServerCall>(prepared).command->what);
}

std::string server_answer(const Request& request, ServerResult result) {
  Prepared prepared = prepare_at(request);
  return status_and_body(std::get<PreparedServerCall>(prepared).respond(std::move(result)));
}

ClockState changed_clock() {
  ClockState state;
  state.is_virtual = true;
  state.now = from_epoch_ms(1'767'225'600'250);
  state.frozen = true;
  state.speed = 60;
  state.next = from_epoch_ms(1'767'225'601'000);
  state.settled = false;
  state.target = from_epoch_ms(1'767'268'800'000);
  state.steps = 3;
  return state;
}

BackupState running_backup() {
  BackupState state;
  state.phase = BackupState::Phase::running;
  state.directory = "/backups/one";
  state.what = "copying";
  state.files = 5;
  state.files_done = 2;
  state.bytes = 4'000;
  state.bytes_done = 1'500;
  return state;
}

BackupState backup_made() {
  BackupState state = running_backup();
  state.phase = BackupState::Phase::done;
  state.files_done = state.files;
  state.bytes_done = state.bytes;
  state.warnings = {"The code of f is not there."};
  return state;
}

struct ServerCase {
  std::string name;  ///< the operation's, with what is special about the case behind a slash
  std::string method;
  std::string path;
  std::string body;
  std::string asked;
  std::function<ServerResult()> result;
  std::string answer;

  Request request() const { return server_request(method, path, body); }
  friend void PrintTo(const ServerCase& golden, std::ostream* out) { *out << golden.name; }
};

std::vector<ServerCase> server_cases() {
  const auto real = [] {
    ClockState state;
    state.now = from_epoch_ms(1'767'225'600'000);
    return state;
  };
  const auto busy = [] { return Idleness{false, {{"mapping", "a to b", "a batch is in flight"}}}; };
  const std::string changed = R"({"now":"2026-01-01T00:00:00.250Z","now_ms":1767225600250,"mode":"virtual",)"
                              R"("frozen":true,"speed":60,"next":"2026-01-01T00:00:01.000Z")";
  const std::string unsettled = R"(,"settled":false,"target":"2026-01-01T12:00:00.000Z","steps":3})";
  const std::string running = R"(200 {"state":"running","directory":"/backups/one","what":"copying","files":5,)"
                              R"("files_done":2,"bytes":4000,"bytes_done":1500})";
  const auto deleted = [] { return ServerReset{3, 2, 1, 4}; };
  const std::string deleted_json = R"(200 {"queues":3,"streams":2,"functions":1,"mappings":4})";
  return {
      {"ReadClock", "GET", "/clock", "", "ReadClock", real,
       R"(200 {"now":"2026-01-01T00:00:00.000Z","now_ms":1767225600000,"mode":"real","frozen":false,"speed":1})"},
      {"ChangeClock", "POST", "/clock", R"({"advance":"12h30m"})", "ChangeClock by 45000000 wait=30000", changed_clock,
       "200 " + changed + unsettled},
      {"ChangeClock/next", "POST", "/clock", R"({"advance":"next","wait":"5m"})", "ChangeClock to the next wait=300000",
       changed_clock, "200 " + changed + unsettled},
      {"ChangeClock/set", "POST", "/clock", R"({"set":"2026-01-01T00:00:00Z"})",
       "ChangeClock to 1767225600000 wait=30000", changed_clock, "200 " + changed + unsettled},
      {"ChangeClock/freeze", "POST", "/clock", R"({"freeze":true})", "ChangeClock freeze wait=30000", changed_clock,
       "200 " + changed + unsettled},
      {"ChangeClock/speed", "POST", "/clock", R"({"speed":60,"wait":"0"})", "ChangeClock speed 60 wait=0",
       changed_clock, "200 " + changed + unsettled},
      {"AwaitIdle", "GET", "/idle?wait=1m30s", "", "AwaitIdle wait=90000", busy,
       R"(200 {"idle":false,"busy":[{"kind":"mapping","name":"a to b","what":"a batch is in flight"}]})"},
      {"TraceMessage", "GET", "/messages/0f8fad5b-d9cb-469f-a165-70867728950e", "",
       "TraceMessage 0f8fad5b-d9cb-469f-a165-70867728950e",
       [] {
         return MessageTrace{{{from_epoch_ms(1'767'225'600'000), "jobs", "sent", "", {}},
                              {from_epoch_ms(1'767'225'601'000), "jobs", "received", "by a client, for the 1. time",
                               from_epoch_ms(1'767'225'631'000)}}};
       },
       R"(200 {"message_id":"0f8fad5b-d9cb-469f-a165-70867728950e","steps":[)"
       R"({"at":"2026-01-01T00:00:00.000Z","where":"jobs","what":"sent"},)"
       R"({"at":"2026-01-01T00:00:01.000Z","where":"jobs","what":"received","detail":"by a client, for the 1. time",)"
       R"("until":"2026-01-01T00:00:31.000Z"}]})"},
      {"ListFaults", "GET", "/faults", "", "ListFaults", fault_list, faults_json},
      {"AddFaults", "POST", "/faults",
       R"({"rules":[{"service":"kinesis","operation":"PutRecord","region":"us-east-1","resource":"a*","probability":0.25,)"
       R"("seed":7,"count":3,"error":{"statusCode":500,"code":"InternalFailure","message":"Oh."},"latency":"1s"}]})",
       "AddFaults (|kinesis|PutRecord|us-east-1|a*|25% seed=7 count=3 500 InternalFailure 'Oh.' latency=1000 commit=0)",
       fault_list, faults_json},
      {"AddFaults/list", "POST", "/faults", R"( [{"id":"x","throttle":true},{"duplicate":true,"reorder":true}])",
       "AddFaults (x|||||100% throttle latency=0 commit=0) "
       "(|sqs|ReceiveMessage|||100% duplicate reorder latency=0 commit=0)",
       fault_list, faults_json},
      {"AddFaults/usual", "POST", "/faults", R"([{"error":{"code":"E"}},{"commit_latency":"50ms"}])",
       "AddFaults (|||||100% 503 E 'A fault that was asked for.' latency=0 commit=0) (|||||100% latency=0 commit=50)",
       fault_list, faults_json},
      {"ReplaceFaults", "PUT", "/faults", R"({"rules":[]})", "AddFaults instead", fault_list, faults_json},
      {"RemoveFaults", "DELETE", "/faults", "", "RemoveFaults all", fault_list, faults_json},
      {"RemoveFault", "DELETE", "/faults/fault-1", "", "RemoveFaults fault-1", fault_list, faults_json},
      {"BackUp", "POST", "/backup", R"({"directory":"/backups/one"})", "BackUp /backups/one wait=600000", backup_made,
       R"(200 {"state":"done","directory":"/backups/one","files":5,"files_done":5,"bytes":4000,"bytes_done":4000,)"
       R"("warnings":["The code of f is not there."]})"},
      {"BackUp/not_awaited", "POST", "/backup", R"({"directory":"/backups/one","wait":"0s"})",
       "BackUp /backups/one wait=0", running_backup, running},
      {"DescribeBackup", "GET", "/backup", "", "DescribeBackup wait=0", [] { return BackupState{}; },
       R"(200 {"state":"none"})"},
      {"DescribeBackup/awaited", "GET", "/backup?wait=1m", "", "DescribeBackup wait=60000", running_backup, running},
      {"DescribeBackup/failed", "GET", "/backup", "", "DescribeBackup wait=0",
       [] {
         BackupState state;
         state.phase = BackupState::Phase::failed;
         state.directory = "/backups/one";
         state.failure = Error{ErrorCode::ServiceUnavailable, "there is no room"};
         return state;
       },
       R"(200 {"state":"failed","directory":"/backups/one","files":0,"files_done":0,"bytes":0,"bytes_done":0,)"
       R"("failure":"there is no room"})"},
      {"ResetServer", "POST", "/reset", "", "ResetServer all", deleted, deleted_json},
      {"ResetServer/service", "POST", "/reset", R"({"service":"kinesis"})", "ResetServer kinesis", deleted,
       deleted_json},
      {"ResetServer/setup", "POST", "/reset", R"({"setup":true})", "ResetServer all setup", deleted, deleted_json},
      {"AwaitIdle/at_once", "GET", "/idle", "", "AwaitIdle wait=0",
       [] {
         return Idleness{true, {}};
       },
       R"(200 {"idle":true,"busy":[]})"},
  };
}

class NativeServer : public ::testing::TestWithParam<ServerCase> {};

TEST_P(NativeServer, BecomesTheCommand) { EXPECT_EQ(server_asked(GetParam().request()), GetParam().asked); }

TEST_P(NativeServer, IsAnsweredLikeThis) {
  EXPECT_EQ(server_answer(GetParam().request(), GetParam().result()), GetParam().answer);
}

TEST_P(NativeServer, AnErrorIsTheAnswer) {
  EXPECT_EQ(server_answer(GetParam().request(), Error{ErrorCode::ServerBusy, "Later."}),
            native_error("TooManyRequests", "Later.", 429));
}

INSTANTIATE_TEST_SUITE_P(All, NativeServer, ::testing::ValuesIn(server_cases()));

TEST(NativeServerOperations, EachHasACase) {
  std::set<std::string> cases;
  for (const ServerCase& golden : server_cases()) cases.insert(golden.name.substr(0, golden.name.find('/')));
  for (const native::Operation& operation : native::operations()) {
    const bool is_other = operation.path.starts_with("/_penstock/streams") ||
                          operation.path.starts_with("/_penstock/functions") || operation.name == "DescribeApi";
    if (!is_other) EXPECT_TRUE(cases.contains(std::string(operation.name))) << operation.name;
  }
}

// Whoever asked for it and waits learns why there is none; whoever looks later is told as well, see above.
TEST(NativeServerOperations, ABackupThatFailedIsAnError) {
  BackupState state;
  state.phase = BackupState::Phase::failed;
  state.failure = Error{ErrorCode::ServiceUnavailable, "there is no room"};
  EXPECT_EQ(server_answer(server_request("POST", "/backup", R"({"directory":"/b"})"), state),
            native_error("ServiceUnavailable", "there is no room", 503));
}

TEST(NativeServerOperations, RefuseToBackUpNowhereAndToResetNoService) {
  const auto asked = [](std::string_view path, std::string body) {
    return server_asked(server_request("POST", path, std::move(body)));
  };
  for (const std::string body :
       {"{}", R"({"directory":""})", R"({"directory":5})", R"({"directory":"/b","wait":"x"})"}) {
    EXPECT_TRUE(asked("/backup", body).starts_with("400 ")) << body;
  }
  const std::string long_name(server_limits::directory_bytes_max + 1, 'a');
  EXPECT_TRUE(asked("/backup", R"({"directory":")" + long_name + R"("})").starts_with("400 "));
  EXPECT_TRUE(asked("/reset", R"({"service":"s3"})").starts_with("400 "));
}

TEST(NativeServerOperations, RefuseWhatIsNoTime) {
  const auto refused = [](std::string body) { return server_asked(server_request("POST", "/clock", std::move(body))); };
  const std::string one = "One of advance, set, freeze and speed has to be given.";
  EXPECT_EQ(refused("{}"), invalid_request_error(one));
  EXPECT_EQ(refused(R"({"advance":"1s","speed":2})"), invalid_request_error(one));
  EXPECT_EQ(refused(R"({"advance":"soon"})"),
            invalid_request_error("advance is a length of time such as 12h30m, 90s or 500ms, not 'soon'."));
  EXPECT_EQ(refused(R"({"set":"today"})"),
            invalid_request_error("set is a time such as 2026-01-01T00:00:00Z, not 'today'."));
  EXPECT_EQ(refused(R"({"advance":"1s","wait":"11m"})"), invalid_request_error("wait is at most 10m."));
  EXPECT_TRUE(refused(R"({"speed":0})").starts_with("400 "));
  EXPECT_TRUE(refused(R"({"Advance":"1s"})").starts_with("400 "));
  EXPECT_EQ(server_asked(server_request("GET", "/idle?wait=long")),
            invalid_request_error("wait is a length of time such as 12h30m, 90s or 500ms, not 'long'."));
  EXPECT_EQ(server_asked(server_request("GET", "/idle?wait=1s&wait=2s")),
            invalid_request_error("wait is there more than once."));
}

TEST(NativeServerOperations, HaveFaultsAtLocalStacksPathToo) {
  const auto chaos = [](std::string_view method, std::string body = {}) {
    Request request = server_request(method, "", std::move(body));
    request.target = "/_localstack/chaos/faults";
    return request;
  };
  const std::string outage =
      "(|kinesis||||100% 503 ServiceUnavailable 'A fault that was asked for.' latency=0 commit=0)";
  const std::string rules = R"([{"service":"kinesis"}])";
  EXPECT_EQ(server_asked(chaos("GET")), "ListFaults");
  EXPECT_EQ(server_asked(chaos("POST", rules)), "AddFaults instead " + outage);
  EXPECT_EQ(server_asked(chaos("PATCH", rules)), "AddFaults " + outage);
  EXPECT_EQ(server_asked(chaos("DELETE", rules)), "RemoveFaults like " + outage);
  EXPECT_EQ(server_asked(chaos("DELETE")), "RemoveFaults all");
  EXPECT_EQ(server_asked(chaos("PATCH", R"([{"service":"s3"}])")).substr(0, 4), "400 ");
  EXPECT_EQ(server_asked(chaos("PUT", rules)).substr(0, 4), "405 ");
  // The list that stands in the answer of the API's own path stands alone.
  const std::string_view own = faults_json;
  const std::string list = "200 " + std::string(own.substr(own.find('['), own.rfind(']') + 1 - own.find('[')));
  for (const Request& request : {chaos("GET"), chaos("POST", rules), chaos("PATCH", rules), chaos("DELETE")}) {
    EXPECT_EQ(server_answer(request, fault_list()), list);
  }
  EXPECT_EQ(server_answer(chaos("GET"), Error{ErrorCode::NotEnabled, "off"}),
            server_answer(server_request("GET", "/faults"), Error{ErrorCode::NotEnabled, "off"}));
}

TEST(NativeServerOperations, RefuseFaultsThatMakeNoSense) {
  const auto refused = [](std::string body) {
    return server_asked(server_request("POST", "/faults", std::move(body)));
  };
  EXPECT_EQ(refused("{}"), invalid_request_error("rules is missing."));
  EXPECT_EQ(refused(R"([{"service":"sqs","latency":"0s","throttle":false}])"),
            invalid_request_error("What the rule says of error, throttle, latency, duplicate, reorder and "
                                  "commit_latency comes to nothing."));
  EXPECT_EQ(refused(R"([{"throttle":true,"error":{"code":"E"}}])"),
            invalid_request_error("A rule has either error or throttle."));
  EXPECT_EQ(refused(R"([{"throttle":true,"probability":1.5}])"), invalid_request_error("probability is from 0 to 1."));
  EXPECT_EQ(refused(R"([{"latency":"20m"}])"), invalid_request_error("latency is at most 600000ms."));
  EXPECT_EQ(refused(R"([{"commit_latency":"1s","service":"sqs"}])"),
            invalid_request_error("commit_latency is of every commit, and goes with no other member but id."));
  EXPECT_TRUE(refused(R"([{"throttle":true,"service":"s3"}])").starts_with("400 "));
  EXPECT_TRUE(refused(R"([{"throttle":true,"probability":"often"}])").starts_with("400 "));
  EXPECT_TRUE(refused(R"([{"trottle":true}])").starts_with("400 "));
  EXPECT_TRUE(refused(R"([{"error":{"code":"E","statusCode":200}}])").starts_with("400 "));
  for (const char* code : {R"(E\r\nX: y)", R"(\u0001)", R"(\u00e9)", "E F"}) {
    EXPECT_EQ(refused(R"([{"error":{"code":")" + std::string(code) + R"("}}])"),
              invalid_request_error("code is of printable ASCII characters without spaces."));
  }
}

TEST(NativeServerOperations, RefuseFaultsOfOperationsThatThereAreNot) {
  const auto asked = [](std::string body) { return server_asked(server_request("POST", "/faults", std::move(body))); };
  EXPECT_EQ(asked(R"([{"operation":"SendMesage","throttle":true}])"),
            invalid_request_error("operation 'SendMesage' is none of sqs, kinesis or lambda. Is SendMessage meant?"));
  EXPECT_EQ(asked(R"([{"operation":"putrecord","service":"kinesis","throttle":true}])"),
            invalid_request_error("operation 'putrecord' is none of kinesis. Is PutRecord meant?"));
  EXPECT_EQ(asked(R"([{"operation":"PutRecord","service":"sqs","throttle":true}])"),
            invalid_request_error("operation 'PutRecord' is none of sqs: it is one of kinesis."));
  EXPECT_EQ(asked(R"([{"operation":"Fly","throttle":true}])"),
            invalid_request_error("operation 'Fly' is none of sqs, kinesis or lambda."));
  EXPECT_EQ(asked(R"([{"operation":"ListFaults","throttle":true}])"),
            invalid_request_error("operation 'ListFaults' is none of sqs, kinesis or lambda."));
  const std::string of_receives =
      "duplicate is of what a ReceiveMessage of sqs delivers, and of no other operation or service.";
  EXPECT_EQ(asked(R"([{"operation":"SendMessage","duplicate":true}])"), invalid_request_error(of_receives));
  EXPECT_EQ(asked(R"([{"service":"kinesis","duplicate":true,"latency":"1s"}])"), invalid_request_error(of_receives));
  EXPECT_TRUE(asked(R"([{"operation":"DeleteMessage","reorder":true}])").starts_with("400 "));
  for (const char* operation : {"PeekMessages", "SubscribeToShard", "Poll", "Invoke", "RegisterFunction"}) {
    EXPECT_TRUE(
        asked(R"([{"throttle":true,"operation":")" + std::string(operation) + R"("}])").starts_with("AddFaults"))
        << operation;
  }
}

// As LocalStack documents it for its own.
TEST(NativeServerOperations, TakeFaultsThatLeaveOutWhatIsUsual) {
  const auto asked = [](std::string body) { return server_asked(server_request("POST", "/faults", std::move(body))); };
  const std::string unavailable = "100% 503 ServiceUnavailable 'A fault that was asked for.' latency=0 commit=0)";
  EXPECT_EQ(asked(R"([{"service":"kinesis","region":"us-east-1"}])"), "AddFaults (|kinesis||us-east-1||" + unavailable);
  EXPECT_EQ(asked("[{}]"), "AddFaults (|||||" + unavailable);
  EXPECT_EQ(asked(R"([{"error":{}}])"), "AddFaults (|||||" + unavailable);
  EXPECT_EQ(asked(R"([{"error":{"statusCode":500}}])"),
            "AddFaults (|||||100% 500 ServiceUnavailable 'A fault that was asked for.' latency=0 commit=0)");
  EXPECT_EQ(asked(R"([{"error":{"code":"X"}}])"),
            "AddFaults (|||||100% 503 X 'A fault that was asked for.' latency=0 commit=0)");
}

}  // namespace
}  // namespace penstock::protocol::testing
