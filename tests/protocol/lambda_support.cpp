#include "protocol/lambda_support.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <type_traits>
#include <utility>

#include "penstock/queue_names.hpp"
#include "penstock/stream_names.hpp"

namespace penstock::protocol::testing {
namespace {

constexpr std::string_view queue_arn = "arn:aws:sqs:us-east-1:000000000000:q";
constexpr std::string_view stream_arn = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
constexpr std::string_view uuid = "14e0db71-5d35-4eb5-b481-8945cf9d10c2";
/// As the callers of these tests name that mapping.
constexpr std::string_view mapping_name = "000000000000/us-east-1/14e0db71-5d35-4eb5-b481-8945cf9d10c2";
constexpr std::int64_t now_ms = 1'767'225'600'000;

std::string to_text(const FunctionName& function) {
  return function.account + "/" + function.region + "/" + function.name;
}

std::string word(std::string_view name, std::string_view value) {
  return value.empty() ? "" : " " + std::string(name) + "=" + std::string(value);
}
std::string number(std::string_view name, std::int64_t value) { return word(name, std::to_string(value)); }
std::string flag(bool set, std::string_view name) { return set ? " " + std::string(name) : ""; }

template <class T>
std::string maybe(std::string_view name, const std::optional<T>& value) {
  if (!value) return "";
  if constexpr (std::is_same_v<T, std::string>) {
    return " " + std::string(name) + "='" + *value + "'";
  } else if constexpr (std::is_same_v<T, bool>) {
    return word(name, *value ? "true" : "false");
  } else {
    return number(name, *value);
  }
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& each : words) text += (text.empty() ? "" : ",") + each;
  return text;
}
std::string joined(const std::map<std::string, std::string>& map) {
  std::string text;
  for (const auto& [key, value] : map) text += (text.empty() ? "" : ",") + key + ":" + value;
  return text;
}

std::string_view name_of(FunctionKind kind) {
  constexpr std::string_view names[]{"runtime", "handler", "exec", "url"};
  return names[static_cast<std::size_t>(kind)];
}

std::string to_text(const FunctionRecord& f) {
  const FunctionRecord none;
  std::string text =
      to_text(f.name) + word("kind", name_of(f.kind)) + word("runtime", f.runtime) + word("handler", f.handler) +
      word("command", joined(f.command)) + word("directory", f.directory) + word("url", f.url) + word("role", f.role) +
      word("description", f.description) + number("timeout", f.timeout_seconds) + number("memory", f.memory_mib) +
      word("environment", joined(f.environment)) + word("tags", joined(f.tags)) + word("log_group", f.log_group) +
      word("key", f.kms_key_arn) + word("dead", f.dead_letter_arn) + maybe("reserved", f.reserved_concurrency);
  if (f.storage_mib != none.storage_mib) text += number("storage", f.storage_mib);
  if (f.architectures != none.architectures) text += word("architectures", joined(f.architectures));
  if (f.tracing_mode != none.tracing_mode) text += word("tracing", f.tracing_mode);
  return text;
}

std::string to_text(const FunctionPatch& p) {
  std::string text;
  if (p.kind) text += word("kind", name_of(*p.kind));
  text += maybe("runtime", p.runtime) + maybe("handler", p.handler) + maybe("role", p.role) +
          maybe("description", p.description) + maybe("timeout", p.timeout_seconds) + maybe("memory", p.memory_mib) +
          maybe("storage", p.storage_mib) + maybe("log_group", p.log_group) + maybe("tracing", p.tracing_mode) +
          maybe("key", p.kms_key_arn) + maybe("dead", p.dead_letter_arn);
  if (p.environment) text += " environment={" + joined(*p.environment) + "}";
  if (p.architectures) text += word("architectures", joined(*p.architectures));
  return text;
}

std::string to_text(const MappingConfig& c) {
  const MappingConfig none;
  std::string text = number("batch", c.batch_size) + number("window", c.window_seconds) +
                     word("filters", joined(c.filters)) + flag(c.report_batch_item_failures, "reports") +
                     maybe("concurrency", c.concurrency_max) + number("start", static_cast<int>(c.start)) +
                     flag(c.bisect, "bisect") + word("on_failure", c.on_failure) + flag(!c.enabled, "disabled") +
                     word("key", c.kms_key_arn) + word("metrics", joined(c.metrics));
  if (c.start_timestamp) text += number("at", to_epoch_ms(*c.start_timestamp));
  if (c.parallelization != none.parallelization) text += number("parallel", c.parallelization);
  if (c.retries_max != none.retries_max) text += number("retries", c.retries_max);
  if (c.record_age_seconds_max != none.record_age_seconds_max) text += number("age", c.record_age_seconds_max);
  if (c.tumbling_seconds != 0) text += number("tumbling", c.tumbling_seconds);
  return text;
}

std::string to_text(const MappingPatch& p) {
  std::string text;
  if (p.function) text += word("function", to_text(*p.function));
  text += maybe("arn", p.function_arn) + maybe("batch", p.batch_size) + maybe("window", p.window_seconds) +
          maybe("reports", p.report_batch_item_failures) + maybe("parallel", p.parallelization) +
          maybe("bisect", p.bisect) + maybe("retries", p.retries_max) + maybe("age", p.record_age_seconds_max) +
          maybe("on_failure", p.on_failure) + maybe("tumbling", p.tumbling_seconds) + maybe("enabled", p.enabled) +
          maybe("key", p.kms_key_arn);
  if (p.filters) text += " filters={" + joined(*p.filters) + "}";
  if (p.metrics) text += " metrics={" + joined(*p.metrics) + "}";
  if (p.concurrency_max) text += *p.concurrency_max ? number("concurrency", **p.concurrency_max) : " concurrency=none";
  return text;
}

std::string to_text(const MappingName& mapping) { return mapping.account + "/" + mapping.region + "/" + mapping.uuid; }

std::string to_text(const TaggedResource& resource) {
  return std::visit([](const auto& each) { return to_text(each); }, resource);
}

struct TriggerCommandText {
  std::string operator()(const CreateFunction& c) const {
    return "CreateFunction " + to_text(c.function) + maybe("zip", c.zip) + flag(c.replace, "replace");
  }
  std::string operator()(const GetFunction& c) const { return "GetFunction " + to_text(c.function); }
  std::string operator()(const ListFunctions& c) const {
    return "ListFunctions " + c.account + "/" + c.region + word("after", c.after) +
           number("limit", static_cast<std::int64_t>(c.limit));
  }
  std::string operator()(const UpdateFunction& c) const {
    return "UpdateFunction " + to_text(c.function) + to_text(c.patch) + maybe("zip", c.zip) +
           word("revision", c.revision_id) + flag(c.dry_run, "dry");
  }
  std::string operator()(const DeleteFunction& c) const { return "DeleteFunction " + to_text(c.function); }
  std::string operator()(const PutFunctionConcurrency& c) const {
    return "PutFunctionConcurrency " + to_text(c.function) + maybe("reserved", c.reserved);
  }
  std::string operator()(const PutAsyncConfig& c) const {
    return "PutAsyncConfig " + to_text(c.function) + flag(c.patch, "patch") + maybe("retries", c.retries_max) +
           maybe("age", c.age_seconds_max) + maybe("on_success", c.on_success) + maybe("on_failure", c.on_failure);
  }
  std::string operator()(const DeleteAsyncConfig& c) const { return "DeleteAsyncConfig " + to_text(c.function); }
  std::string operator()(const TagLambda& c) const { return "TagLambda " + to_text(c.resource) + " " + joined(c.tags); }
  std::string operator()(const UntagLambda& c) const {
    return "UntagLambda " + to_text(c.resource) + " " + joined(c.keys);
  }
  std::string operator()(const ListLambdaTags& c) const { return "ListLambdaTags " + to_text(c.resource); }
  std::string operator()(const GetLambdaAccount& c) const { return "GetLambdaAccount " + c.account + "/" + c.region; }
  std::string operator()(const InvokeFunction& c) const {
    constexpr std::string_view types[]{"RequestResponse", "Event", "DryRun"};
    return "Invoke " + to_text(c.function) + word("arn", c.invoked_arn) +
           word("type", types[static_cast<std::size_t>(c.type)]) + word("payload", *c.payload) +
           word("context", c.client_context) + word("trace", c.trace_id) + word("request", c.request_id);
  }
  std::string operator()(const ReadFunctionLog& c) const {
    return "ReadFunctionLog " + to_text(c.function) + number("after", static_cast<std::int64_t>(c.after)) +
           number("lines", static_cast<std::int64_t>(c.lines_max)) + number("wait", c.wait.count());
  }
  std::string operator()(const CreateMapping& c) const {
    const MappingRecord& m = c.mapping;
    const auto* queue = std::get_if<QueueName>(&m.source);
    return "CreateMapping " + (queue != nullptr ? arn_of(*queue) : arn_of(std::get<StreamName>(m.source))) +
           (m.consumer ? " consumer=" + m.consumer->name + ":" + std::to_string(m.consumer->created_s) : "") +
           word("source", m.source_arn) + word("function", to_text(m.function)) + word("arn", m.function_arn) +
           to_text(m.config) + word("tags", joined(m.tags));
  }
  std::string operator()(const GetMapping& c) const { return "GetMapping " + to_text(c.mapping); }
  std::string operator()(const ListMappings& c) const {
    return "ListMappings " + c.account + "/" + c.region + word("source", c.source_arn) +
           (c.function ? word("function", to_text(*c.function)) : "") + word("after", c.after) +
           number("limit", static_cast<std::int64_t>(c.limit));
  }
  std::string operator()(const UpdateMapping& c) const {
    return "UpdateMapping " + to_text(c.mapping) + to_text(c.patch);
  }
  std::string operator()(const DeleteMapping& c) const { return "DeleteMapping " + to_text(c.mapping); }
  template <class Other>
  std::string operator()(const Other&) const {
    return "a command that no request should become";
  }
};

std::string told(const WireResponse& response) {
  std::string text = std::to_string(response.status);
  for (const auto& [name, value] : response.headers) {
    if (name == "x-amzn-ErrorType") {
      text += " " + value;
    } else if (name.starts_with("X-Amz-")) {
      text += " " + name + "=" + value;
    }
  }
  return response.body.empty() ? text : text + " " + response.body;
}

/// As prepare_request, at the time that mappings of these tests are of: what they start at has to have been.
Prepared prepare_lambda(const Request& request) {
  const auto copy = std::make_unique<Request>(request);
  std::vector<Header> headers;
  headers.reserve(copy->headers.size());
  for (const auto& [name, value] : copy->headers) headers.push_back({name, value});
  const std::string id(request_id);
  const WireRequest wire{.method = copy->method,
                         .target = copy->target,
                         .headers = headers,
                         .body = copy->body,
                         .request_id = id,
                         .now = from_epoch_ms(now_ms)};
  return prepare(wire, {});
}

}  // namespace

Request lambda_request(std::string_view method, std::string_view target, std::string body) {
  Request request;
  request.method = method;
  request.target = target;
  request.body = std::move(body);
  return request.with("Content-Type", "application/json")
      .with("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/lambda/aws4_request, x");
}

std::string to_text(const TriggerCommand& command) { return std::visit(TriggerCommandText{}, command); }

std::string trigger_asked(const Request& request) {
  const Prepared prepared = prepare_lambda(request);
  if (const auto* response = std::get_if<WireResponse>(&prepared)) return "refused: " + told(*response);
  const auto* call = std::get_if<PreparedTriggerCall>(&prepared);
  return call == nullptr ? "a call of another engine" : to_text(call->command);
}

std::string trigger_answer(const Request& request, TriggerResult result) {
  Prepared prepared = prepare_lambda(request);
  if (const auto* response = std::get_if<WireResponse>(&prepared)) return "refused: " + told(*response);
  auto* call = std::get_if<PreparedTriggerCall>(&prepared);
  return call == nullptr ? "a call of another engine" : told(call->respond(std::move(result)));
}

std::string trigger_refusal(const Request& request) {
  const Prepared prepared = prepare_lambda(request);
  if (const auto* response = std::get_if<WireResponse>(&prepared)) return told(*response);
  return "asked: " + trigger_asked(request);
}

std::string lambda_error(int status, std::string_view type, std::string_view message, std::string_view member) {
  std::string text = std::to_string(status) + " ";
  text.append(type).append(R"( {"Type":"User",")").append(member).append(R"(":")");
  return text.append(message).append("\"}");
}

std::string invalid_parameter_error(std::string_view message) {
  return lambda_error(400, "InvalidParameterValueException", message);
}

std::string lambda_validation_error(std::string_view what) {
  return lambda_error(400, "ValidationException", "1 validation error detected: " + std::string(what));
}

Request LambdaCase::request() const {
  Request request = lambda_request(method, target, body);
  for (const auto& [header, value] : headers) request.with(header, value);
  return request;
}

FunctionRecord plain_function_record() {
  FunctionRecord function;
  function.name = {"000000000000", "us-east-1", "f"};
  function.kind = FunctionKind::handler;
  function.runtime = "python3.12";
  function.handler = "app.handler";
  function.role = "arn:aws:iam::000000000000:role/r";
  function.code_sha256 = "c3Vt";
  function.code_bytes = 3;
  function.revision_id = "r1";
  function.modified = from_epoch_ms(1'767'225'600'000);
  return function;
}

FunctionRecord function_record() {
  FunctionRecord function = plain_function_record();
  function.description = "d";
  function.timeout_seconds = 30;
  function.memory_mib = 256;
  function.storage_mib = 1'024;
  function.architectures = {"arm64"};
  function.environment = {{"A1", "1"}, {"B2", ""}};
  function.tags = {{"k", "v"}};
  function.log_group = "/logs/f";
  function.tracing_mode = "Active";
  function.kms_key_arn = "arn:aws:kms:us-east-1:000000000000:key/k";
  function.dead_letter_arn = queue_arn;
  function.reserved_concurrency = 5;
  function.async = AsyncConfig{1, 60, std::string(queue_arn), "", from_epoch_ms(1'767'225'600'500)};
  return function;
}

MappingRecord queue_mapping_record() {
  MappingRecord mapping;
  mapping.uuid = uuid;
  mapping.source = QueueName{"000000000000", "us-east-1", "q"};
  mapping.source_arn = queue_arn;
  mapping.function = {"000000000000", "us-east-1", "f"};
  mapping.function_arn = arn_of(mapping.function);
  mapping.state = MappingState::enabled;
  mapping.state_reason = "USER_INITIATED";
  mapping.last_result = "No records processed";  // which is said of streams only
  mapping.modified = from_epoch_ms(1'767'225'600'000);
  return mapping;
}

MappingRecord stream_mapping_record() {
  MappingRecord mapping = queue_mapping_record();
  mapping.source = StreamName{"000000000000", "us-east-1", "s"};
  mapping.source_arn = stream_arn;
  mapping.state = MappingState::creating;
  mapping.state_reason = "User action";
  mapping.config.batch_size = 100;
  return mapping;
}

namespace {

const std::string plain_configuration =
    R"({"FunctionName":"f","FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","Runtime":"python3.12",)"
    R"("Role":"arn:aws:iam::000000000000:role/r","Handler":"app.handler","CodeSize":3,"Description":"","Timeout":3,)"
    R"("MemorySize":128,"LastModified":"2026-01-01T00:00:00.000+0000","CodeSha256":"c3Vt","Version":"$LATEST",)"
    R"("TracingConfig":{"Mode":"PassThrough"},"RevisionId":"r1","State":"Active","LastUpdateStatus":"Successful",)"
    R"("PackageType":"Zip","Architectures":["x86_64"],"EphemeralStorage":{"Size":512},)"
    R"("SnapStart":{"ApplyOn":"None","OptimizationStatus":"Off"},)"
    R"("LoggingConfig":{"LogFormat":"Text","LogGroup":"/aws/lambda/f"}})";

const std::string whole_configuration =
    R"({"FunctionName":"f","FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","Runtime":"python3.12",)"
    R"("Role":"arn:aws:iam::000000000000:role/r","Handler":"app.handler","CodeSize":3,"Description":"d","Timeout":30,)"
    R"("MemorySize":256,"LastModified":"2026-01-01T00:00:00.000+0000","CodeSha256":"c3Vt","Version":"$LATEST",)"
    R"("DeadLetterConfig":{"TargetArn":"arn:aws:sqs:us-east-1:000000000000:q"},)"
    R"("Environment":{"Variables":{"A1":"1","B2":""}},"KMSKeyArn":"arn:aws:kms:us-east-1:000000000000:key/k",)"
    R"("TracingConfig":{"Mode":"Active"},"RevisionId":"r1","State":"Active","LastUpdateStatus":"Successful",)"
    R"("PackageType":"Zip","Architectures":["arm64"],"EphemeralStorage":{"Size":1024},)"
    R"("SnapStart":{"ApplyOn":"None","OptimizationStatus":"Off"},)"
    R"("LoggingConfig":{"LogFormat":"Text","LogGroup":"/logs/f"}})";

const std::string queue_mapping_text =
    R"({"UUID":"14e0db71-5d35-4eb5-b481-8945cf9d10c2","BatchSize":10,"MaximumBatchingWindowInSeconds":0,)"
    R"("EventSourceArn":"arn:aws:sqs:us-east-1:000000000000:q",)"
    R"("FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","LastModified":1767225600,"State":"Enabled",)"
    R"("StateTransitionReason":"USER_INITIATED","FunctionResponseTypes":[],"EventSourceMappingArn":)"
    R"("arn:aws:lambda:us-east-1:000000000000:event-source-mapping:14e0db71-5d35-4eb5-b481-8945cf9d10c2"})";

const std::string stream_mapping_text =
    R"({"UUID":"14e0db71-5d35-4eb5-b481-8945cf9d10c2","StartingPosition":"LATEST","BatchSize":100,)"
    R"("MaximumBatchingWindowInSeconds":0,"ParallelizationFactor":1,)"
    R"("EventSourceArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s",)"
    R"("FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","LastModified":1767225600,)"
    R"("LastProcessingResult":"No records processed","State":"Creating","StateTransitionReason":"User action",)"
    R"("DestinationConfig":{"OnFailure":{}},"MaximumRecordAgeInSeconds":-1,"BisectBatchOnFunctionError":false,)"
    R"("MaximumRetryAttempts":-1,"TumblingWindowInSeconds":0,"FunctionResponseTypes":[],"EventSourceMappingArn":)"
    R"("arn:aws:lambda:us-east-1:000000000000:event-source-mapping:14e0db71-5d35-4eb5-b481-8945cf9d10c2"})";

const std::string async_config_text =
    R"({"LastModified":1767225600.500,"FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST",)"
    R"("MaximumRetryAttempts":1,"MaximumEventAgeInSeconds":60,"DestinationConfig":{"OnSuccess":{"Destination":)"
    R"("arn:aws:sqs:us-east-1:000000000000:q"},"OnFailure":{}}})";

TriggerResult whole_function() { return FunctionDescription{function_record()}; }
TriggerResult plain_function() { return FunctionDescription{plain_function_record()}; }
TriggerResult done() { return Done{}; }

TriggerResult invoked(std::string function_error = {}) {
  RunOutcome outcome;
  outcome.payload = R"({"a": 1})";
  outcome.log_tail = "START\nEND\n";
  outcome.function_error = std::move(function_error);
  return Invoked{std::move(outcome)};
}

std::vector<LambdaCase> function_cases() {
  const std::string functions = "/2015-03-31/functions";
  return {
      {"CreateFunction", "POST", functions,
       R"({"FunctionName":"f","Runtime":"python3.12","Role":"arn:aws:iam::000000000000:role/r",)"
       R"("Handler":"app.handler","Code":{"ZipFile":"emlw"}})",
       "CreateFunction 000000000000/us-east-1/f kind=handler runtime=python3.12 handler=app.handler "
       "role=arn:aws:iam::000000000000:role/r timeout=3 memory=128 zip='zip'",
       &plain_function, "201 " + plain_configuration},
      {"CreateFunction/with all", "POST", functions + "/",
       R"({"FunctionName":"arn:aws:lambda:eu-west-1:123456789012:function:f","Runtime":"provided.al2023",)"
       R"("Role":"arn:aws:iam::000000000000:role/service-role/r","Handler":"h","Code":{"ZipFile":"emlw"},)"
       R"("Description":"d","Timeout":900,"MemorySize":10240,"Publish":false,"VpcConfig":{"SubnetIds":[],)"
       R"("SecurityGroupIds":[]},"PackageType":"Zip","DeadLetterConfig":{"TargetArn":)"
       R"("arn:aws:sqs:us-east-1:000000000000:q"},"Environment":{"Variables":{"A1":"1"}},)"
       R"("KMSKeyArn":"arn:aws:kms:us-east-1:000000000000:key/k","TracingConfig":{"Mode":"Active"},)"
       R"("Tags":{"k":"v"},"Layers":[],"Architectures":["arm64"],"EphemeralStorage":{"Size":1024},)"
       R"("SnapStart":{"ApplyOn":"None"},"LoggingConfig":{"LogFormat":"Text","LogGroup":"/logs/f"},"Unknown":1})",
       "CreateFunction 123456789012/eu-west-1/f kind=runtime runtime=provided.al2023 handler=h "
       "role=arn:aws:iam::000000000000:role/service-role/r description=d timeout=900 memory=10240 environment=A1:1 "
       "tags=k:v log_group=/logs/f key=arn:aws:kms:us-east-1:000000000000:key/k "
       "dead=arn:aws:sqs:us-east-1:000000000000:q storage=1024 architectures=arm64 tracing=Active zip='zip'",
       &whole_function, "201 " + whole_configuration},
      {"GetFunction", "GET", functions + "/f", "", "GetFunction 000000000000/us-east-1/f", &whole_function,
       R"(200 {"Configuration":)" + whole_configuration +
           R"(,"Code":{"RepositoryType":"S3","Location":"http://localhost:4566/_penstock/functions/f/code)"
           R"(?Region=us-east-1&Account=000000000000"},"Tags":{"k":"v"},)"
           R"("Concurrency":{"ReservedConcurrentExecutions":5}})"},
      {"GetFunction/without code", "GET", functions + "/f?Qualifier=%24LATEST", "",
       "GetFunction 000000000000/us-east-1/f",
       [] {
         FunctionRecord function = plain_function_record();
         function.code_sha256.clear();
         function.code_bytes = 0;
         return FunctionDescription{function};
       },
       R"(200 {"Configuration":)" +
           std::string(plain_configuration)
               .replace(plain_configuration.find(R"("CodeSize":3)"), 12, R"("CodeSize":0)")
               .replace(plain_configuration.find("c3Vt"), 4, "") +
           R"(,"Code":{}})"},
      {"GetFunctionConfiguration", "GET", functions + "/f/configuration", "", "GetFunction 000000000000/us-east-1/f",
       &plain_function, "200 " + plain_configuration},
      {"ListFunctions", "GET", functions + "/", "", "ListFunctions 000000000000/us-east-1 limit=50",
       [] {
         return FunctionList{{plain_function_record(), function_record()}, true};
       },
       R"(200 {"NextMarker":"Zg==","Functions":[)" + plain_configuration + "," + whole_configuration + "]}"},
      {"ListFunctions/the rest", "GET", functions + "?Marker=Zg%3D%3D&MaxItems=7&FunctionVersion=ALL", "",
       "ListFunctions 000000000000/us-east-1 after=f limit=7", [] { return FunctionList{}; },
       R"(200 {"Functions":[]})"},
      {"ListVersionsByFunction", "GET", functions + "/f/versions", "", "GetFunction 000000000000/us-east-1/f",
       &plain_function,
       R"(200 {"Versions":[)" +
           std::string(plain_configuration)
               .replace(plain_configuration.find(R"(:function:f")"), 12, R"(:function:f:$LATEST")") +
           "]}"},
      {"UpdateFunctionCode", "PUT", functions + "/f/code",
       R"({"ZipFile":"emlw","Architectures":["arm64"],"DryRun":true,"RevisionId":"r1"})",
       "UpdateFunction 000000000000/us-east-1/f architectures=arm64 zip='zip' revision=r1 dry", &plain_function,
       "200 " + plain_configuration},
      {"UpdateFunctionConfiguration", "PUT", functions + "/f/configuration",
       R"({"Runtime":"provided.al2","Handler":"h","Role":"arn:aws:iam::000000000000:role/r2","Description":"",)"
       R"("Timeout":9,"MemorySize":512,"Environment":{"Variables":{}},"DeadLetterConfig":{},"KMSKeyArn":"",)"
       R"("TracingConfig":{"Mode":"PassThrough"},"EphemeralStorage":{"Size":600},)"
       R"("LoggingConfig":{"LogGroup":"g"},"RevisionId":"r1"})",
       "UpdateFunction 000000000000/us-east-1/f kind=runtime runtime='provided.al2' handler='h' "
       "role='arn:aws:iam::000000000000:role/r2' description='' timeout=9 memory=512 storage=600 log_group='g' "
       "tracing='PassThrough' key='' dead='' environment={} revision=r1",
       &plain_function, "200 " + plain_configuration},
      {"DeleteFunction", "DELETE", functions + "/f", "", "DeleteFunction 000000000000/us-east-1/f", &done, "204"},
      {"GetAccountSettings", "GET", "/2016-08-19/account-settings/", "", "GetLambdaAccount 000000000000/us-east-1",
       [] {
         return LambdaAccount{2, 300, 100, 95};
       },
       R"(200 {"AccountLimit":{"TotalCodeSize":80530636800,"CodeSizeUnzipped":262144000,"CodeSizeZipped":52428800,)"
       R"("ConcurrentExecutions":100,"UnreservedConcurrentExecutions":95},)"
       R"("AccountUsage":{"TotalCodeSize":300,"FunctionCount":2}})"},
  };
}

std::vector<LambdaCase> invoke_cases() {
  const std::string path = "/2015-03-31/functions/f/invocations";
  const std::string asked = "Invoke 000000000000/us-east-1/f arn=arn:aws:lambda:us-east-1:000000000000:function:f";
  const std::string request = " request=" + std::string(request_id);
  return {
      {"Invoke", "POST", path, R"({"a": 1.50})", asked + R"( type=RequestResponse payload={"a": 1.50})" + request,
       [] { return invoked(); }, R"(200 X-Amz-Executed-Version=$LATEST {"a": 1})"},
      {"Invoke/without payload", "POST", path, "", asked + " type=RequestResponse payload={}" + request,
       [] { return invoked("Unhandled"); },
       R"(200 X-Amz-Function-Error=Unhandled X-Amz-Executed-Version=$LATEST {"a": 1})"},
      {"Invoke/with its log",
       "POST",
       path + "?Qualifier=$LATEST",
       R"("text")",
       "Invoke 000000000000/us-east-1/f arn=arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST "
       R"(type=RequestResponse payload="text" context=e30= trace=Root=1-5)" +
           request,
       [] { return invoked(); },
       R"(200 X-Amz-Log-Result=U1RBUlQKRU5ECg== X-Amz-Executed-Version=$LATEST {"a": 1})",
       {{"X-Amz-Invocation-Type", "RequestResponse"},
        {"X-Amz-Log-Type", "Tail"},
        {"X-Amz-Client-Context", "e30="},
        {"X-Amzn-Trace-Id", "Root=1-5"}}},
      {"Invoke/of type Event",
       "POST",
       path,
       "12345678901234567890123",
       asked + " type=Event payload=12345678901234567890123" + request,
       [] { return EventAccepted{}; },
       "202",
       {{"X-Amz-Invocation-Type", "Event"}, {"X-Amz-Log-Type", "Tail"}}},
      {"Invoke/of type DryRun",
       "POST",
       path + "/",
       "null",
       asked + " type=DryRun payload=null" + request,
       &done,
       "204 X-Amz-Executed-Version=$LATEST",
       {{"x-amz-invocation-type", "DryRun"}}},
  };
}

std::vector<LambdaCase> concurrency_cases() {
  const std::string config = "/2019-09-25/functions/f/event-invoke-config";
  return {
      {"PutFunctionConcurrency", "PUT", "/2017-10-31/functions/f/concurrency", R"({"ReservedConcurrentExecutions":5})",
       "PutFunctionConcurrency 000000000000/us-east-1/f reserved=5", &whole_function,
       R"(200 {"ReservedConcurrentExecutions":5})"},
      {"GetFunctionConcurrency", "GET", "/2019-09-30/functions/f/concurrency", "",
       "GetFunction 000000000000/us-east-1/f", &whole_function, R"(200 {"ReservedConcurrentExecutions":5})"},
      {"GetFunctionConcurrency/without any", "GET", "/2019-09-30/functions/f/concurrency", "",
       "GetFunction 000000000000/us-east-1/f", &plain_function, "200 {}"},
      {"DeleteFunctionConcurrency", "DELETE", "/2017-10-31/functions/f/concurrency", "",
       "PutFunctionConcurrency 000000000000/us-east-1/f", &plain_function, "204"},
      {"PutFunctionEventInvokeConfig", "PUT", config,
       R"({"MaximumRetryAttempts":1,"DestinationConfig":{"OnSuccess":)"
       R"({"Destination":"arn:aws:sqs:us-east-1:000000000000:q"}}})",
       "PutAsyncConfig 000000000000/us-east-1/f retries=1 on_success='arn:aws:sqs:us-east-1:000000000000:q'",
       &whole_function, "200 " + async_config_text},
      {"UpdateFunctionEventInvokeConfig", "POST", config,
       R"({"MaximumEventAgeInSeconds":60,"DestinationConfig":{"OnSuccess":{},"OnFailure":)"
       R"({"Destination":"arn:aws:lambda:us-east-1:000000000000:function:g"}}})",
       "PutAsyncConfig 000000000000/us-east-1/f patch age=60 on_success='' "
       "on_failure='arn:aws:lambda:us-east-1:000000000000:function:g'",
       &whole_function, "200 " + async_config_text},
      {"GetFunctionEventInvokeConfig", "GET", config, "", "GetFunction 000000000000/us-east-1/f", &whole_function,
       "200 " + async_config_text},
      {"GetFunctionEventInvokeConfig/where there is none", "GET", config, "", "GetFunction 000000000000/us-east-1/f",
       &plain_function,
       lambda_error(404, "ResourceNotFoundException",
                    "The function arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST doesn't have an "
                    "EventInvokeConfig",
                    "Message")},
      {"DeleteFunctionEventInvokeConfig", "DELETE", config, "", "DeleteAsyncConfig 000000000000/us-east-1/f", &done,
       "204"},
      {"ListFunctionEventInvokeConfigs", "GET", config + "/list", "", "GetFunction 000000000000/us-east-1/f",
       &whole_function, R"(200 {"FunctionEventInvokeConfigs":[)" + async_config_text + "]}"},
      {"ListFunctionEventInvokeConfigs/where there is none", "GET", config + "/list?MaxItems=5", "",
       "GetFunction 000000000000/us-east-1/f", &plain_function, R"(200 {"FunctionEventInvokeConfigs":[]})"},
  };
}

std::vector<LambdaCase> tag_cases() {
  const std::string function = "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af";
  const std::string mapping =
      "/2017-03-31/tags/arn:aws:lambda:eu-west-1:123456789012:event-source-mapping:" + std::string(uuid);
  const std::string name = "123456789012/eu-west-1/" + std::string(uuid);
  return {
      {"TagResource", "POST", function, R"({"Tags":{"k":"v","l":""}})",
       "TagLambda 000000000000/us-east-1/f k:v,l:", &done, "204"},
      {"TagResource/of a mapping", "POST", mapping, R"({"Tags":{"k":"v"}})", "TagLambda " + name + " k:v", &done,
       "204"},
      {"UntagResource", "DELETE", function + "?tagKeys=k&tagKeys=a%20b", "",
       "UntagLambda 000000000000/us-east-1/f k,a b", &done, "204"},
      {"ListTags", "GET", function, "", "ListLambdaTags 000000000000/us-east-1/f",
       [] {
         return LambdaTags{{{"k", "v"}}};
       },
       R"(200 {"Tags":{"k":"v"}})"},
      {"ListTags/of a mapping", "GET", mapping, "", "ListLambdaTags " + name, [] { return LambdaTags{}; },
       R"(200 {"Tags":{}})"},
  };
}

std::vector<LambdaCase> mapping_cases() {
  const std::string mappings = "/2015-03-31/event-source-mappings";
  const std::string one = mappings + "/" + std::string(uuid);
  const std::string to_function =
      " function=000000000000/us-east-1/f arn=arn:aws:lambda:us-east-1:000000000000:function:f";
  return {
      {"CreateEventSourceMapping", "POST", mappings + "/",
       R"({"EventSourceArn":"arn:aws:sqs:us-east-1:000000000000:q","FunctionName":"f"})",
       "CreateMapping arn:aws:sqs:us-east-1:000000000000:q source=arn:aws:sqs:us-east-1:000000000000:q" + to_function +
           " batch=10 window=0 start=" + std::to_string(static_cast<int>(IteratorType::latest)),
       [] { return MappingDescription{queue_mapping_record()}; }, "202 " + queue_mapping_text},
      {"CreateEventSourceMapping/of a queue with all", "POST", mappings,
       R"({"EventSourceArn":"arn:aws:sqs:us-east-1:000000000000:q","FunctionName":"f:$LATEST","Enabled":false,)"
       R"("BatchSize":10000,"MaximumBatchingWindowInSeconds":300,"FilterCriteria":{"Filters":[{"Pattern":)"
       R"("{\"body\":[\"x\"]}"}]},"FunctionResponseTypes":["ReportBatchItemFailures"],)"
       R"("ScalingConfig":{"MaximumConcurrency":2},"KMSKeyArn":"arn:aws:kms:us-east-1:000000000000:key/k",)"
       R"("MetricsConfig":{"Metrics":["EventCount"]},"Tags":{"k":"v"},"MaximumRetryAttempts":-1,)"
       R"("BisectBatchOnFunctionError":false,"DestinationConfig":{"OnFailure":{}},"Topics":[]})",
       "CreateMapping arn:aws:sqs:us-east-1:000000000000:q source=arn:aws:sqs:us-east-1:000000000000:q" + to_function +
           R"(:$LATEST batch=10000 window=300 filters={"body":["x"]} reports concurrency=2 start=)" +
           std::to_string(static_cast<int>(IteratorType::latest)) +
           " disabled key=arn:aws:kms:us-east-1:000000000000:key/k metrics=EventCount tags=k:v",
       [] {
         MappingRecord mapping = queue_mapping_record();
         mapping.config.report_batch_item_failures = true;
         mapping.config.concurrency_max = 2;
         mapping.config.filters = {R"({"body":["x"]})"};
         mapping.config.kms_key_arn = "arn:aws:kms:us-east-1:000000000000:key/k";
         mapping.config.metrics = {"EventCount"};
         mapping.state = MappingState::disabled;
         return MappingDescription{mapping};
       },
       R"(202 {"UUID":"14e0db71-5d35-4eb5-b481-8945cf9d10c2","BatchSize":10,"MaximumBatchingWindowInSeconds":0,)"
       R"("EventSourceArn":"arn:aws:sqs:us-east-1:000000000000:q","FilterCriteria":{"Filters":[{"Pattern":)"
       R"("{\"body\":[\"x\"]}"}]},"FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:f",)"
       R"("LastModified":1767225600,"State":"Disabled","StateTransitionReason":"USER_INITIATED",)"
       R"("FunctionResponseTypes":["ReportBatchItemFailures"],"ScalingConfig":{"MaximumConcurrency":2},)"
       R"("KMSKeyArn":"arn:aws:kms:us-east-1:000000000000:key/k","EventSourceMappingArn":)"
       R"("arn:aws:lambda:us-east-1:000000000000:event-source-mapping:14e0db71-5d35-4eb5-b481-8945cf9d10c2",)"
       R"("MetricsConfig":{"Metrics":["EventCount"]}})"},
      {"CreateEventSourceMapping/of a stream", "POST", mappings,
       R"({"EventSourceArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s","FunctionName":"f",)"
       R"("StartingPosition":"LATEST"})",
       "CreateMapping arn:aws:kinesis:us-east-1:000000000000:stream/s "
       "source=arn:aws:kinesis:us-east-1:000000000000:stream/s" +
           to_function + " batch=100 window=0 start=" + std::to_string(static_cast<int>(IteratorType::latest)),
       [] { return MappingDescription{stream_mapping_record()}; }, "202 " + stream_mapping_text},
      {"CreateEventSourceMapping/of a consumer with all", "POST", mappings,
       R"({"EventSourceArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/c:1545084650",)"
       R"("FunctionName":"000000000000:function:f","StartingPosition":"AT_TIMESTAMP",)"
       R"("StartingPositionTimestamp":1545084650.5,"ParallelizationFactor":10,"BisectBatchOnFunctionError":true,)"
       R"("MaximumRetryAttempts":0,"MaximumRecordAgeInSeconds":60,)"
       R"("DestinationConfig":{"OnFailure":{"Destination":"arn:aws:sqs:us-east-1:000000000000:q"}}})",
       "CreateMapping arn:aws:kinesis:us-east-1:000000000000:stream/s consumer=c:1545084650 "
       "source=arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/c:1545084650" +
           to_function + " batch=100 window=0 start=" + std::to_string(static_cast<int>(IteratorType::at_timestamp)) +
           " bisect on_failure=arn:aws:sqs:us-east-1:000000000000:q at=1545084650500 parallel=10 retries=0 age=60",
       [] {
         MappingRecord mapping = stream_mapping_record();
         mapping.config.start = IteratorType::at_timestamp;
         mapping.config.start_timestamp = from_epoch_ms(1'545'084'650'500);
         mapping.config.on_failure = queue_arn;
         mapping.config.tumbling_seconds = 60;
         mapping.last_result = "OK";
         return MappingDescription{mapping};
       },
       R"(202 {"UUID":"14e0db71-5d35-4eb5-b481-8945cf9d10c2","StartingPosition":"AT_TIMESTAMP",)"
       R"("StartingPositionTimestamp":1545084650.500,"BatchSize":100,"MaximumBatchingWindowInSeconds":0,)"
       R"("ParallelizationFactor":1,"EventSourceArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s",)"
       R"("FunctionArn":"arn:aws:lambda:us-east-1:000000000000:function:f","LastModified":1767225600,)"
       R"("LastProcessingResult":"OK","State":"Creating","StateTransitionReason":"User action",)"
       R"("DestinationConfig":{"OnFailure":{"Destination":"arn:aws:sqs:us-east-1:000000000000:q"}},)"
       R"("MaximumRecordAgeInSeconds":-1,"BisectBatchOnFunctionError":false,"MaximumRetryAttempts":-1,)"
       R"("TumblingWindowInSeconds":60,"FunctionResponseTypes":[],"EventSourceMappingArn":)"
       R"("arn:aws:lambda:us-east-1:000000000000:event-source-mapping:14e0db71-5d35-4eb5-b481-8945cf9d10c2"})"},
      {"GetEventSourceMapping", "GET", one, "", "GetMapping " + std::string(mapping_name),
       [] { return MappingDescription{queue_mapping_record()}; }, "200 " + queue_mapping_text},
      {"ListEventSourceMappings", "GET", mappings + "/", "", "ListMappings 000000000000/us-east-1 limit=100",
       [] {
         return MappingList{{queue_mapping_record(), stream_mapping_record()}, true};
       },
       R"(200 {"NextMarker":"MTRlMGRiNzEtNWQzNS00ZWI1LWI0ODEtODk0NWNmOWQxMGMy","EventSourceMappings":[)" +
           queue_mapping_text + "," + stream_mapping_text + "]}"},
      {"ListEventSourceMappings/of one source and function", "GET",
       mappings +
           "/?EventSourceArn=arn%3Aaws%3Asqs%3Aus-east-1%3A000000000000%3Aq&FunctionName=f&MaxItems=3&Marker=YQ%3D%3D",
       "",
       "ListMappings 000000000000/us-east-1 source=arn:aws:sqs:us-east-1:000000000000:q "
       "function=000000000000/us-east-1/f after=a limit=3",
       [] { return MappingList{}; }, R"(200 {"EventSourceMappings":[]})"},
      {"UpdateEventSourceMapping", "PUT", one,
       R"({"FunctionName":"g","Enabled":true,"BatchSize":5,"FilterCriteria":{},"FunctionResponseTypes":[],)"
       R"("ScalingConfig":{},"DestinationConfig":{"OnFailure":{}},"ParallelizationFactor":2,)"
       R"("BisectBatchOnFunctionError":true,"MaximumRetryAttempts":-1,"MaximumRecordAgeInSeconds":-1,)"
       R"("TumblingWindowInSeconds":0,"MaximumBatchingWindowInSeconds":0,"MetricsConfig":{}})",
       "UpdateMapping " + std::string(mapping_name) +
           " function=000000000000/us-east-1/g arn='arn:aws:lambda:us-east-1:000000000000:function:g' batch=5 window=0 "
           "reports=false parallel=2 bisect=true retries=-1 age=-1 on_failure='' tumbling=0 enabled=true filters={} "
           "metrics={} concurrency=none",
       [] { return MappingDescription{queue_mapping_record()}; }, "202 " + queue_mapping_text},
      {"UpdateEventSourceMapping/with nothing", "PUT", one + "/", "{}", "UpdateMapping " + std::string(mapping_name),
       [] { return MappingDescription{queue_mapping_record()}; }, "202 " + queue_mapping_text},
      {"DeleteEventSourceMapping", "DELETE", one, "", "DeleteMapping " + std::string(mapping_name),
       [] { return MappingDescription{queue_mapping_record()}; }, "202 " + queue_mapping_text},
  };
}

}  // namespace

std::vector<LambdaCase> lambda_cases() {
  std::vector<LambdaCase> all;
  for (auto&& part : {function_cases(), invoke_cases(), concurrency_cases(), tag_cases(), mapping_cases()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace penstock::protocol::testing
