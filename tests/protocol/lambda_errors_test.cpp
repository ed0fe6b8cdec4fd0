// What requests of Lambda are refused, and in which words; and how functions may be named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/lambda/operations.hpp"
#include "protocol/lambda_support.hpp"

namespace penstock::protocol::testing {
namespace {

constexpr std::string_view functions = "/2015-03-31/functions";
constexpr std::string_view mappings = "/2015-03-31/event-source-mappings";

/// Members of a creation, beside those that it needs.
std::string creation_with(const std::string& members) {
  return R"({"FunctionName":"f","Runtime":"python3.12","Role":"arn:aws:iam::000000000000:role/r","Handler":"h",)"
         R"("Code":{"ZipFile":"emlw"})" +
         (members.empty() ? "" : "," + members) + "}";
}
std::string refused_creation(const std::string& members) {
  return trigger_refusal(lambda_request("POST", functions, creation_with(members)));
}

std::string queue_mapping_with(const std::string& members, std::string_view queue = "q") {
  return R"({"FunctionName":"f","EventSourceArn":"arn:aws:sqs:us-east-1:000000000000:)" + std::string(queue) + "\"" +
         (members.empty() ? "" : "," + members) + "}";
}
std::string stream_mapping_with(const std::string& members) {
  return R"({"FunctionName":"f","EventSourceArn":"arn:aws:kinesis:us-east-1:000000000000:stream/s")" +
         (members.empty() ? "" : "," + members) + "}";
}
std::string refused_mapping(const std::string& body) { return trigger_refusal(lambda_request("POST", mappings, body)); }

struct MemberCase {
  std::string members;
  std::string message;
  friend void PrintTo(const MemberCase& given, std::ostream* out) { *out << given.members; }
};

// ---- What has no effect here.

class CreationRefusal : public ::testing::TestWithParam<MemberCase> {};
TEST_P(CreationRefusal, NamesTheMember) {
  EXPECT_EQ(refused_creation(GetParam().members), invalid_parameter_error(GetParam().message));
}
INSTANTIATE_TEST_SUITE_P(
    All, CreationRefusal,
    ::testing::Values(
        MemberCase{R"("VpcConfig":{"SubnetIds":["s"]})",
                   "VpcConfig is not supported here: functions are processes of this machine, in its network."},
        MemberCase{R"("Layers":["arn:aws:lambda:us-east-1:000000000000:layer:l:1"])",
                   "Layers is not supported here: put what they hold into the function's own code."},
        MemberCase{R"("FileSystemConfigs":[{"Arn":"a","LocalMountPath":"/mnt/a"}])",
                   "FileSystemConfigs is not supported here: functions see this machine's files."},
        MemberCase{R"("ImageConfig":{"Command":["x"]})",
                   "ImageConfig is not supported here: there are no container images; give the code as a zip."},
        MemberCase{R"("PackageType":"Image")",
                   "PackageType Image is not supported here: there are no container images."},
        MemberCase{R"("Publish":true)", "Publish is not supported here: there are no versions."},
        MemberCase{R"("PublishTo":"LATEST_PUBLISHED")", "PublishTo is not supported here: there are no versions."},
        MemberCase{R"("CodeSigningConfigArn":"arn")",
                   "CodeSigningConfigArn is not supported here: code is not signed."},
        MemberCase{R"("SnapStart":{"ApplyOn":"PublishedVersions"})",
                   "SnapStart is not supported here: there are no published versions."},
        MemberCase{R"("DurableConfig":{"RetentionPeriodInDays":1})",
                   "DurableConfig is not supported here: there are no durable executions."},
        MemberCase{
            R"("CapacityProviderConfig":{"LambdaManagedInstancesCapacityProviderConfig":{"CapacityProviderArn":"a"}})",
            "CapacityProviderConfig is not supported here: functions run on this machine."},
        MemberCase{R"("TenancyConfig":{"TenantIsolationMode":"PER_TENANT"})",
                   "TenancyConfig is not supported here: environments are not kept apart by tenants."},
        MemberCase{R"("LoggingConfig":{"LogFormat":"JSON"})",
                   "LogFormat JSON is not supported here: logs are kept as the function writes them."},
        MemberCase{R"("LoggingConfig":{"SystemLogLevel":"INFO"})",
                   "SystemLogLevel is not supported here: it goes only with LogFormat JSON."},
        MemberCase{
            R"("DeadLetterConfig":{"TargetArn":"arn:aws:sns:us-east-1:000000000000:t"})",
            "DeadLetterConfig.TargetArn arn:aws:sns:us-east-1:000000000000:t is not supported here: it has to be "
            "the ARN of an SQS queue."},
        MemberCase{R"("Environment":{"Variables":{"AWS_REGION":"x","LAMBDA_TASK_ROOT":"y"}})",
                   "Lambda was unable to configure your environment variables because the environment variables you "
                   "have provided contains reserved keys that are currently not supported for modification. Reserved "
                   "keys used in this request: AWS_REGION, LAMBDA_TASK_ROOT"}));

struct CodeCase {
  std::string code;
  std::string message;
  friend void PrintTo(const CodeCase& given, std::ostream* out) { *out << given.code; }
};

class CodeRefusal : public ::testing::TestWithParam<CodeCase> {};
TEST_P(CodeRefusal, SaysWhereCodeMayComeFrom) {
  const std::string body = R"({"FunctionName":"f","Runtime":"python3.12","Role":"arn:aws:iam::000000000000:role/r",)"
                           R"("Handler":"h","Code":)" +
                           GetParam().code + "}";
  EXPECT_EQ(trigger_refusal(lambda_request("POST", functions, body)), invalid_parameter_error(GetParam().message));
  if (GetParam().code == "{}") return;
  EXPECT_EQ(trigger_refusal(lambda_request("PUT", std::string(functions) + "/f/code", GetParam().code)),
            invalid_parameter_error(GetParam().message));
}
INSTANTIATE_TEST_SUITE_P(
    All, CodeRefusal,
    ::testing::Values(CodeCase{R"({"S3Bucket":"b","S3Key":"k"})",
                               "S3Bucket is not supported here: there are no buckets; give the code as ZipFile."},
                      CodeCase{
                          R"({"ImageUri":"i"})",
                          "ImageUri is not supported here: there are no container images; give the code as ZipFile."},
                      CodeCase{R"({"ZipFile":"emlw","SourceKMSKeyArn":"arn:aws:kms:us-east-1:000000000000:key/k"})",
                               "SourceKMSKeyArn is not supported here: code is not encrypted."},
                      CodeCase{"{}", "Please provide a source for function code."},
                      CodeCase{R"({"ZipFile":""})", "Uploaded file must be a non-empty zip"}));

TEST(LambdaRefusal, OfARuntimeWithoutABootstrapHere) {
  for (const char* runtime : {"java21", "dotnet8", "ruby3.3", "go1.x"}) {
    const std::string body = R"({"FunctionName":"f","Runtime":")" + std::string(runtime) +
                             R"(","Role":"arn:aws:iam::000000000000:role/r","Handler":"h","Code":{"ZipFile":"emlw"}})";
    EXPECT_EQ(trigger_refusal(lambda_request("POST", functions, body)),
              invalid_parameter_error("The runtime " + std::string(runtime) +
                                      " is not supported here: it has no bootstrap. Use provided.al2023, with the "
                                      "bootstrap in the code."));
  }
}

TEST(LambdaRefusal, OfARuntimeThatIsNone) {
  const std::string refusal =
      trigger_refusal(lambda_request("PUT", std::string(functions) + "/f/configuration", R"({"Runtime":"python2"})"));
  EXPECT_TRUE(refusal.starts_with(R"(400 InvalidParameterValueException {"Type":"User","message":"Value python2 at )"
                                  R"('runtime' failed to satisfy constraint: Member must satisfy enum value set: [)"))
      << refusal;
  EXPECT_TRUE(refusal.ends_with(R"(] or be a valid ARN"})")) << refusal;
}

TEST(LambdaRefusal, OfAFunctionWithoutRuntimeOrHandler) {
  const std::string body =
      R"({"FunctionName":"f","Runtime":"python3.12","Role":"arn:aws:iam::000000000000:role/r","Code":{"ZipFile":"emlw"}})";
  EXPECT_EQ(trigger_refusal(lambda_request("POST", functions, body)),
            invalid_parameter_error(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages."));
}

TEST(LambdaRefusal, OfAnEnvironmentThatIsTooLarge) {
  const std::string refusal =
      refused_creation(R"("Environment":{"Variables":{"BIG":")" + std::string(4'094, 'x') + "\"}}");
  EXPECT_NE(refusal.find("exceeded the 4KB limit. Bytes measured: 4097"), std::string::npos) << refusal;
  EXPECT_TRUE(refused_creation(R"("Environment":{"Variables":{"BIG":")" + std::string(4'093, 'x') + "\"}}")
                  .starts_with("asked: "));
}

// ---- Constraints, all of which are reported.

TEST(LambdaConstraint, IsWordedAsTheFrameworkDoes) {
  EXPECT_EQ(
      refused_creation(R"("Timeout":901)"),
      lambda_validation_error("Value '901' at 'timeout' failed to satisfy constraint: Member must have value less "
                              "than or equal to 900"));
  EXPECT_EQ(refused_creation(R"("MemorySize":64)"),
            lambda_validation_error("Value '64' at 'memorySize' failed to satisfy constraint: Member must have value "
                                    "greater than or equal to 128"));
  EXPECT_EQ(refused_creation(R"("Architectures":["mips"])"),
            lambda_validation_error("Value '[mips]' at 'architectures' failed to satisfy constraint: Member must "
                                    "satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64]]"));
  EXPECT_EQ(refused_creation(R"("EphemeralStorage":{})"),
            lambda_validation_error(
                "Value null at 'ephemeralStorage.size' failed to satisfy constraint: Member must not be null"));
  EXPECT_EQ(trigger_refusal(lambda_request("POST", functions, "{}")),
            lambda_error(400, "ValidationException",
                         "3 validation errors detected: Value null at 'role' failed to satisfy constraint: Member must "
                         "not be null; Value null at 'functionName' failed to satisfy constraint: Member must not be "
                         "null; Value null at 'code' failed to satisfy constraint: Member must not be null"));
}

TEST(LambdaConstraint, OfWhatStandsInHeadersPathsAndQueries) {
  Request request = lambda_request("POST", std::string(functions) + "/f/invocations", "{}");
  EXPECT_EQ(trigger_refusal(request.with("X-Amz-Invocation-Type", "event")),
            lambda_validation_error("Value 'event' at 'invocationType' failed to satisfy constraint: Member must "
                                    "satisfy enum value set: [Event, RequestResponse, DryRun]"));
  EXPECT_EQ(trigger_refusal(lambda_request("GET", std::string(functions) + "?MaxItems=0")),
            lambda_validation_error("Value '0' at 'maxItems' failed to satisfy constraint: Member must have value "
                                    "greater than or equal to 1"));
  EXPECT_EQ(trigger_refusal(lambda_request("GET", std::string(functions) + "?MaxItems=many")),
            lambda_error(400, "SerializationException", "STRING_VALUE can not be converted to an Integer"));
  const std::string refusal = trigger_refusal(lambda_request("GET", std::string(functions) + "/a%20b"));
  EXPECT_TRUE(refusal.starts_with(R"(400 ValidationException {"Type":"User","message":"1 validation error detected: )"
                                  R"(Value 'a b' at 'functionName' failed to satisfy constraint: Member must satisfy )"
                                  R"(regular expression pattern: (arn:)"))
      << refusal;
}

TEST(LambdaConstraint, TypesAreLookedAtFirst) {
  EXPECT_EQ(refused_creation(R"("Timeout":"x","MemorySize":1)"),
            lambda_error(400, "SerializationException", "STRING_VALUE can not be converted to an Integer"));
  EXPECT_TRUE(trigger_refusal(lambda_request("POST", functions, "{"))
                  .starts_with(R"(400 InvalidRequestContentException {"Type":"User","message":)"
                               R"("Could not parse request body into json: )"));
}

TEST(LambdaConstraint, AFunctionsOwnNameIsShorterThanWhatItMayBeCalled) {
  const std::string body = R"({"FunctionName":")" + std::string(65, 'f') +
                           R"(","Runtime":"python3.12","Role":"arn:aws:iam::000000000000:role/r","Handler":"h",)"
                           R"("Code":{"ZipFile":"emlw"}})";
  EXPECT_EQ(trigger_refusal(lambda_request("POST", functions, body)),
            lambda_validation_error("Value '" + std::string(65, 'f') +
                                    "' at 'functionName' failed to satisfy constraint: Member must have length less "
                                    "than or equal to 64"));
}

// ---- Names.

struct NameCase {
  std::string_view given;
  std::string_view function;  ///< account/region/name; empty: refused
};

class LambdaFunctionName : public ::testing::TestWithParam<NameCase> {};
TEST_P(LambdaFunctionName, NamesAFunction) {
  const std::string asked =
      trigger_asked(lambda_request("GET", std::string(functions) + "/" + std::string(GetParam().given)));
  if (GetParam().function.empty()) {
    EXPECT_TRUE(asked.starts_with("refused: 400 ValidationException")) << asked;
  } else {
    EXPECT_EQ(asked, "GetFunction " + std::string(GetParam().function));
  }
}
INSTANTIATE_TEST_SUITE_P(
    All, LambdaFunctionName,
    ::testing::Values(
        NameCase{"f", "000000000000/us-east-1/f"}, NameCase{"f-1_A", "000000000000/us-east-1/f-1_A"},
        NameCase{"f:$LATEST", "000000000000/us-east-1/f"}, NameCase{"f:%24LATEST", "000000000000/us-east-1/f"},
        NameCase{"function:f", "000000000000/us-east-1/f"},
        NameCase{"123456789012:function:f", "123456789012/us-east-1/f"},
        NameCase{"123456789012:f", "123456789012/us-east-1/f"},
        NameCase{"eu-west-1:123456789012:function:f", "123456789012/eu-west-1/f"},
        NameCase{"arn:aws:lambda:eu-west-1:123456789012:function:f", "123456789012/eu-west-1/f"},
        NameCase{"arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Af", "123456789012/eu-west-1/f"},
        NameCase{"arn:aws-cn:lambda:local:123456789012:function:f:$LATEST", "123456789012/local/f"},
        NameCase{"arn:aws:sqs:eu-west-1:123456789012:f", ""}, NameCase{"f:a:b:c:d", ""}, NameCase{"f%2Fg", ""},
        NameCase{"f:$LATEST.P", ""}, NameCase{"f:g.h", ""}, NameCase{"%ff", ""}, NameCase{":", ""}));

// Both are well-formed in the API's model, for functions of another kind.
TEST(LambdaQualifier, OfWhatIsPublishedAndNamesWithDotsNameNothing) {
  const std::string base = std::string(functions) + "/";
  for (const std::string& target : {base + "f:$LATEST.PUBLISHED", base + "f?Qualifier=$LATEST.PUBLISHED"}) {
    EXPECT_EQ(trigger_refusal(lambda_request("GET", target)),
              lambda_error(404, "ResourceNotFoundException",
                           "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST.PUBLISHED",
                           "Message"))
        << target;
  }
  EXPECT_EQ(trigger_refusal(lambda_request("GET", base + "f.g")),
            lambda_error(404, "ResourceNotFoundException",
                         "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f.g", "Message"));
  EXPECT_EQ(trigger_refusal(lambda_request("GET", base + "f?Qualifier=a$b")),
            lambda_error(404, "ResourceNotFoundException",
                         "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:a$b", "Message"));
  // Those of them that do not know these kinds refuse them.
  for (const std::string name : {"f.g", "f:$LATEST.PUBLISHED"}) {
    EXPECT_TRUE(trigger_asked(lambda_request("GET", "/2019-09-30/functions/" + name + "/concurrency"))
                    .starts_with("refused: 400 ValidationException"))
        << name;
  }
}

TEST(LambdaQualifier, OtherThanTheLatestNamesNothing) {
  const std::string base = std::string(functions) + "/";
  for (const std::string& target : {base + "f?Qualifier=1", base + "f:1", base + "f:1?Qualifier=1"}) {
    EXPECT_EQ(trigger_refusal(lambda_request("GET", target)),
              lambda_error(404, "ResourceNotFoundException",
                           "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:1", "Message"))
        << target;
  }
  EXPECT_EQ(trigger_refusal(lambda_request("GET", base + "f:prod?Qualifier=$LATEST")),
            invalid_parameter_error("The derived qualifier from the function name does not match the specified "
                                    "qualifier."));
  EXPECT_EQ(trigger_refusal(lambda_request("DELETE", base + "f?Qualifier=$LATEST")),
            invalid_parameter_error("$LATEST version cannot be deleted without deleting the function."));
}

TEST(LambdaQualifier, OfWhatIsInvokedIsTheEnginesToJudge) {
  for (const std::string& target : {std::string("f:live/invocations"), std::string("f/invocations?Qualifier=live")}) {
    EXPECT_EQ(trigger_asked(lambda_request("POST", std::string(functions) + "/" + target, "{}")),
              "Invoke 000000000000/us-east-1/f arn=arn:aws:lambda:us-east-1:000000000000:function:f:live "
              "type=RequestResponse payload={} request=" +
                  std::string(request_id));
  }
  const std::string mapping = R"({"FunctionName":"f:live","EventSourceArn":"arn:aws:sqs:us-east-1:000000000000:q"})";
  EXPECT_THAT(trigger_asked(lambda_request("POST", mappings, mapping)),
              ::testing::HasSubstr(" arn=arn:aws:lambda:us-east-1:000000000000:function:f:live"));
  EXPECT_TRUE(trigger_refusal(lambda_request("POST", std::string(functions) + "/f/invocations?Qualifier=a$b", "{}"))
                  .starts_with("404 ResourceNotFoundException"));
}

TEST(LambdaMetrics, OfKafkaAreNoneOfQueuesAndStreams) {
  for (const std::string metric : {"ErrorCount", "KafkaMetrics"}) {
    const std::string members = R"("MetricsConfig":{"Metrics":["EventCount",")" + metric + R"("]})";
    const std::string refusal =
        invalid_parameter_error("The metric " + metric + " is not supported for SQS and Kinesis event sources.");
    EXPECT_EQ(refused_mapping(queue_mapping_with(members)), refusal);
    EXPECT_EQ(refused_mapping(stream_mapping_with(members + R"(,"StartingPosition":"LATEST")")), refusal);
  }
}

TEST(LambdaMarker, IsOneThatWasAnsweredWith) {
  EXPECT_EQ(trigger_refusal(lambda_request("GET", std::string(functions) + "?Marker=!")),
            invalid_parameter_error("The Marker ! is not one that was answered with."));
}

// ---- Invokes.

std::string refused_invoke(std::string body, const Headers& headers = {}) {
  Request request = lambda_request("POST", std::string(functions) + "/f/invocations", std::move(body));
  for (const auto& [name, value] : headers) request.with(name, value);
  return trigger_refusal(request);
}

TEST(LambdaInvoke, TakesJsonOnly) {
  const std::string refusal = lambda_error(400, "InvalidRequestContentException",
                                           "Could not parse request body into json: Could not parse payload into json");
  for (const char* payload : {"{", "x", "{}x", "\"\\q\"", "[1,]", "01", "\"\xff\"", "{\"a\":1e}"}) {
    EXPECT_EQ(refused_invoke(payload), refusal) << payload;
  }
  for (const char* payload : {"{}", "[]", "null", "\"x\"", " 1 ", "123456789012345678901234567890"}) {
    EXPECT_TRUE(refused_invoke(payload).starts_with("asked: ")) << payload;
  }
}

TEST(LambdaInvoke, HasAPayloadOfSixMegabytesOrOfOneIfItIsAsynchronous) {
  const auto text_of = [](std::size_t size) { return "\"" + std::string(size - 2, 'x') + "\""; };
  const Headers event{{"X-Amz-Invocation-Type", "Event"}};
  EXPECT_TRUE(refused_invoke(text_of(6'291'456)).starts_with("asked: "));
  EXPECT_EQ(refused_invoke(text_of(6'291'457)),
            lambda_error(413, "RequestTooLargeException",
                         "Request must be smaller than 6291456 bytes for the InvokeFunction operation"));
  EXPECT_TRUE(refused_invoke(text_of(1'048'576), event).starts_with("asked: "));
  EXPECT_EQ(refused_invoke(text_of(1'048'577), event),
            lambda_error(413, "RequestTooLargeException",
                         "Request must be smaller than 1048576 bytes for the InvokeFunction operation"));
}

TEST(LambdaInvoke, HasAClientContextOfJson) {
  const std::string refusal =
      lambda_error(400, "InvalidRequestContentException",
                   "Client context must be a valid Base64-encoded JSON object of at most 3583 bytes.");
  EXPECT_EQ(refused_invoke("{}", {{"X-Amz-Client-Context", "!"}}), refusal);
  EXPECT_EQ(refused_invoke("{}", {{"X-Amz-Client-Context", "eA=="}}), refusal);
}

TEST(LambdaInvoke, KnowsNoTenantsAndNoDurableExecutions) {
  EXPECT_EQ(refused_invoke("{}", {{"X-Amz-Tenant-Id", "t"}}),
            invalid_parameter_error("TenantId is not supported here: environments are not kept apart by tenants."));
  EXPECT_EQ(refused_invoke("{}", {{"X-Amz-Durable-Execution-Name", "t"}}),
            invalid_parameter_error("DurableExecutionName is not supported here: there are no durable executions."));
}

TEST(LambdaDestination, IsAQueueOrAFunction) {
  const auto put = [](const std::string& body) {
    return trigger_refusal(lambda_request("PUT", "/2019-09-25/functions/f/event-invoke-config", body));
  };
  EXPECT_EQ(put(R"({"DestinationConfig":{"OnFailure":{"Destination":"arn:aws:sns:us-east-1:000000000000:t"}}})"),
            invalid_parameter_error("The destination ARN arn:aws:sns:us-east-1:000000000000:t of OnFailure is not "
                                    "supported here: it has to be that of an SQS queue or of a Lambda function."));
  EXPECT_EQ(put("{}"),
            invalid_parameter_error("You must specify at least one of error handling or destination setting."));
}

TEST(LambdaCode, IsCarriedByTwoOperationsAlone) {
  const auto carries = [](std::string_view method, std::string_view target) {
    return carries_code({.method = method, .target = target});
  };
  EXPECT_TRUE(carries("POST", functions));
  EXPECT_TRUE(carries("POST", std::string(functions) + "/"));
  EXPECT_TRUE(carries("PUT", std::string(functions) + "/f/code?x=y"));
  EXPECT_FALSE(carries("GET", functions));
  EXPECT_FALSE(carries("POST", std::string(functions) + "s"));
  EXPECT_FALSE(carries("POST", std::string(functions) + "/f/invocations"));
  EXPECT_FALSE(carries("PUT", std::string(functions) + "/f/configuration"));
  EXPECT_FALSE(carries("PUT", "/_penstock/functions/f"));
  EXPECT_FALSE(carries("POST", "/"));
}

TEST(LambdaTags, AreNotOfWhatThereIsNoneOf) {
  for (const std::string kind : {"code-signing-config:csc-0123456789abcdefg", "capacity-provider:c"}) {
    EXPECT_EQ(trigger_refusal(lambda_request("GET", "/2017-03-31/tags/arn:aws:lambda:us-east-1:000000000000:" + kind)),
              lambda_error(404, "ResourceNotFoundException", "The resource you requested does not exist.", "Message"))
        << kind;
  }
  for (const std::string kind : {"code-signing-config:csc-1", "function:f.g", "function:f:", "layer:l"}) {
    EXPECT_TRUE(trigger_refusal(lambda_request("GET", "/2017-03-31/tags/arn:aws:lambda:us-east-1:000000000000:" + kind))
                    .starts_with("400 ValidationException "))
        << kind;
  }
}

TEST(LambdaTags, AreNotOfVersions) {
  const std::string arn = "arn:aws:lambda:us-east-1:000000000000:function:f:1";
  EXPECT_EQ(trigger_refusal(lambda_request("GET", "/2017-03-31/tags/" + arn)),
            invalid_parameter_error("Tags on function aliases and versions are not supported. Please specify either a "
                                    "function ARN or an event source mapping ARN."));
  EXPECT_TRUE(trigger_refusal(lambda_request("GET", "/2017-03-31/tags/f")).starts_with("400 ValidationException "));
  EXPECT_TRUE(trigger_refusal(lambda_request("DELETE", "/2017-03-31/tags/" + arn)).find("Value null at 'tagKeys'") !=
              std::string::npos);
}

// ---- Mappings.

class MappingRefusal : public ::testing::TestWithParam<MemberCase> {};
TEST_P(MappingRefusal, SaysWhy) {
  EXPECT_EQ(refused_mapping(GetParam().members), invalid_parameter_error(GetParam().message));
}
const std::string only_two_sources = " is not supported here: there are only SQS and Kinesis event sources.";
const std::string latest = R"("StartingPosition":"LATEST")";
INSTANTIATE_TEST_SUITE_P(
    All, MappingRefusal,
    ::testing::Values(
        MemberCase{R"({"FunctionName":"f"})",
                   "1 validation error detected: Value null at 'eventSourceArn' failed to satisfy constraint: Member "
                   "must not be null"},
        MemberCase{
            R"({"FunctionName":"f","EventSourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/x"})",
            "Unrecognized event source, must be an SQS queue, a Kinesis stream or a consumer of one: "
            "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/x"},
        MemberCase{queue_mapping_with(R"("Topics":["t"])"), "Topics" + only_two_sources},
        MemberCase{queue_mapping_with(R"("Queues":["t"])"), "Queues" + only_two_sources},
        MemberCase{queue_mapping_with(R"("SelfManagedEventSource":{"Endpoints":{"KAFKA_BOOTSTRAP_SERVERS":["h:1"]}})"),
                   "SelfManagedEventSource" + only_two_sources},
        MemberCase{queue_mapping_with(R"("AmazonManagedKafkaEventSourceConfig":{"ConsumerGroupId":"g"})"),
                   "AmazonManagedKafkaEventSourceConfig" + only_two_sources},
        MemberCase{queue_mapping_with(R"("DocumentDBEventSourceConfig":{"DatabaseName":"d"})"),
                   "DocumentDBEventSourceConfig" + only_two_sources},
        MemberCase{queue_mapping_with(R"("SourceAccessConfigurations":[{"Type":"BASIC_AUTH"}])"),
                   "SourceAccessConfigurations" + only_two_sources},
        MemberCase{queue_mapping_with(R"("ProvisionedPollerConfig":{"MinimumPollers":1})"),
                   "ProvisionedPollerConfig is not supported here: nothing polls."},
        MemberCase{queue_mapping_with(R"("LoggingConfig":{"SystemLogLevel":"INFO"})"),
                   "LoggingConfig is not supported here: a mapping writes no log of its own."},
        MemberCase{queue_mapping_with(R"("BatchSize":11)"),
                   "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"},
        MemberCase{queue_mapping_with(R"("BatchSize":11)", "q.fifo"), "BatchSize must be at most 10 for FIFO queues."},
        MemberCase{queue_mapping_with(R"("MaximumBatchingWindowInSeconds":1)", "q.fifo"),
                   "MaximumBatchingWindowInSeconds is not supported for FIFO queues."},
        MemberCase{queue_mapping_with(latest), "StartingPosition is not valid for SQS event sources."},
        MemberCase{queue_mapping_with(R"("ParallelizationFactor":2)"),
                   "ParallelizationFactor is not supported for SQS event sources."},
        MemberCase{queue_mapping_with(R"("BisectBatchOnFunctionError":true)"),
                   "BisectBatchOnFunctionError is not supported for SQS event sources."},
        MemberCase{queue_mapping_with(R"("MaximumRetryAttempts":2)"),
                   "MaximumRetryAttempts is not supported for SQS event sources."},
        MemberCase{queue_mapping_with(R"("MaximumRecordAgeInSeconds":60)"),
                   "MaximumRecordAgeInSeconds is not supported for SQS event sources."},
        MemberCase{queue_mapping_with(R"("TumblingWindowInSeconds":60)"),
                   "TumblingWindowInSeconds is not supported for SQS event sources."},
        MemberCase{queue_mapping_with(
                       R"("DestinationConfig":{"OnFailure":{"Destination":"arn:aws:sqs:us-east-1:000000000000:d"}})"),
                   "DestinationConfig is not supported for SQS event sources."},
        MemberCase{queue_mapping_with(R"("FilterCriteria":{"Filters":[{"Pattern":"{}"}]})"),
                   "Invalid filter pattern definition."},
        MemberCase{queue_mapping_with(R"("FilterCriteria":{"Filters":[{}]})"), "Invalid filter pattern definition."},
        MemberCase{stream_mapping_with(""),
                   "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member "
                   "must not be null"},
        MemberCase{stream_mapping_with(R"("StartingPosition":"AT_TIMESTAMP")"),
                   "StartingPositionTimestamp is required with StartingPosition AT_TIMESTAMP."},
        MemberCase{stream_mapping_with(latest + R"(,"StartingPositionTimestamp":1)"),
                   "StartingPositionTimestamp is valid only with StartingPosition AT_TIMESTAMP."},
        MemberCase{
            stream_mapping_with(R"("StartingPosition":"AT_TIMESTAMP","StartingPositionTimestamp":1767225600.001)"),
            "StartingPositionTimestamp cannot be in the future."},
        MemberCase{stream_mapping_with(latest + R"(,"ScalingConfig":{"MaximumConcurrency":2})"),
                   "ScalingConfig is not supported for Kinesis event sources."},
        MemberCase{stream_mapping_with(latest + R"(,"TumblingWindowInSeconds":1,"ParallelizationFactor":2)"),
                   "TumblingWindowInSeconds is not supported with a ParallelizationFactor greater than 1."},
        MemberCase{stream_mapping_with(latest + R"(,"MaximumRecordAgeInSeconds":59)"),
                   "MaximumRecordAgeInSeconds must be -1 or at least 60, and is 59."},
        MemberCase{
            stream_mapping_with(latest + R"(,"DestinationConfig":{"OnFailure":{"Destination":"arn:aws:s3:::bucket"}})"),
            "The OnFailure destination arn:aws:s3:::bucket is not supported here: it has to be the ARN of an SQS "
            "queue."},
        MemberCase{stream_mapping_with(
                       latest +
                       R"(,"DestinationConfig":{"OnSuccess":{"Destination":"arn:aws:sqs:us-east-1:000000000000:d"}})"),
                   "OnSuccess is not supported for event source mappings."}));

TEST(MappingConstraint, IsWordedAsTheFrameworkDoes) {
  EXPECT_EQ(refused_mapping(queue_mapping_with(R"("BatchSize":10001)")),
            lambda_validation_error("Value '10001' at 'batchSize' failed to satisfy constraint: Member must have value "
                                    "less than or equal to 10000"));
  EXPECT_EQ(refused_mapping(queue_mapping_with(R"("ScalingConfig":{"MaximumConcurrency":1})")),
            lambda_validation_error("Value '1' at 'scalingConfig.maximumConcurrency' failed to satisfy constraint: "
                                    "Member must have value greater than or equal to 2"));
  EXPECT_EQ(refused_mapping(stream_mapping_with(R"("StartingPosition":"NOW")")),
            lambda_validation_error("Value 'NOW' at 'startingPosition' failed to satisfy constraint: Member must "
                                    "satisfy enum value set: [TRIM_HORIZON, LATEST, AT_TIMESTAMP]"));
  EXPECT_EQ(refused_mapping(queue_mapping_with(R"("FilterCriteria":{"Filters":[{"Pattern":")" +
                                               std::string(4'097, 'x') + R"("}]})")),
            lambda_validation_error("Value '" + std::string(4'097, 'x') +
                                    "' at 'filterCriteria.filters.1.member.pattern' failed to satisfy constraint: "
                                    "Member must have length less than or equal to 4096"));
}

TEST(MappingRefusalOfAChange, IsTheSame) {
  const auto change = [](const std::string& body) {
    return trigger_refusal(lambda_request("PUT", std::string(mappings) + "/u", body));
  };
  EXPECT_EQ(change(R"({"FilterCriteria":{"Filters":[{"Pattern":"{\"a\":1}"}]}})"),
            invalid_parameter_error("Invalid filter pattern definition."));
  EXPECT_EQ(change(R"({"ProvisionedPollerConfig":{"MinimumPollers":1}})"),
            invalid_parameter_error("ProvisionedPollerConfig is not supported here: nothing polls."));
  EXPECT_THAT(change(R"({"FunctionName":"f:2"})"),
              ::testing::AllOf(::testing::StartsWith("asked: UpdateMapping "),
                               ::testing::HasSubstr(" arn='arn:aws:lambda:us-east-1:000000000000:function:f:2'")))
      << "whether there is one is the engine's to judge";
}

// ---- Routes.

TEST(LambdaRoute, OfAnOperationThatIsNotOfferedSaysSo) {
  EXPECT_EQ(
      trigger_refusal(lambda_request("POST", "/2015-03-31/functions/f/versions", "{}")),
      lambda_error(404, "UnknownOperationException", "The operation PublishVersion is not offered by this server."));
  EXPECT_EQ(trigger_refusal(lambda_request("GET", "/2018-10-31/layers/")),
            lambda_error(404, "UnknownOperationException", "The operation ListLayers is not offered by this server."));
  for (const lambda::Unoffered& operation : lambda::unoffered_operations()) {
    const std::string refusal = trigger_refusal(lambda_request(operation.method, operation.path, "{}"));
    EXPECT_NE(refusal.find("is not offered by this server."), std::string::npos) << operation.name << ": " << refusal;
  }
}

TEST(LambdaRoute, OfNothingIsNamed) {
  EXPECT_EQ(trigger_refusal(lambda_request("PATCH", "/2015-03-31/functions/f?a=b", "{}")),
            lambda_error(404, "UnknownOperationException", "There is no operation PATCH /2015-03-31/functions/f."));
  EXPECT_EQ(trigger_refusal(lambda_request("GET", "/2015-03-32/")),
            lambda_error(404, "UnknownOperationException", "There is no operation GET /2015-03-32."));
}

TEST(LambdaRoute, AQueuesPathIsNone) {
  EXPECT_FALSE(lambda::is_path("/000000000000/q"));
  EXPECT_FALSE(lambda::is_path("/2015-03-31"));
  EXPECT_FALSE(lambda::is_path("/2015-03-3x/functions"));
  EXPECT_FALSE(lambda::is_path("2015-03-31/functions"));
  EXPECT_TRUE(lambda::is_path("/2015-03-31/functions"));
}

TEST(LambdaRoute, ErrorsOfTheServerAreWordedForLambda) {
  const std::vector<Header> headers{{"Host", "localhost:4566"}};
  const WireResponse response = respond_error({"GET", "/2015-03-31/functions/", headers, "", request_id},
                                              Error{ErrorCode::ServiceUnavailable, "The disk is full."});
  EXPECT_EQ(response.body, R"({"Type":"Service","message":"The disk is full."})");
  EXPECT_EQ(header_of(response, "x-amzn-ErrorType"), "ServiceUnavailableException");
}

}  // namespace
}  // namespace penstock::protocol::testing
