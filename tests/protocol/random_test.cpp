// Input that nobody means: random bytes, and requests with something changed. Nothing may crash, and every answer is
// one.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <random>

#include "protocol/json.hpp"
#include "protocol/sqs/operations.hpp"
#include "protocol/support.hpp"

namespace penstock::protocol::testing {
namespace {

constexpr int rounds = 20'000;

using Random = std::mt19937_64;

/// Given by PENSTOCK_TEST_SEED to replay a failure; otherwise another one each time.
std::uint64_t seed() {
  const char* given = std::getenv("PENSTOCK_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

std::size_t below(Random& random, std::size_t limit) { return static_cast<std::size_t>(random() % limit); }

const std::vector<std::string>& json_seeds() {
  static const std::vector<std::string> seeds = {
      R"({"QueueName":"q","Attributes":{"DelaySeconds":"5"},"tags":{"team":"blue"}})",
      R"({"QueueUrl":"http://sqs.eu-west-1.localhost:4566/000000000000/q","MessageBody":"h\u00e9llo","DelaySeconds":0,
          "MessageAttributes":{"n":{"DataType":"Number","StringValue":"3e1"},"b":{"DataType":"Binary","BinaryValue":"AP8Q"}},
          "MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String","StringValue":"Root=1"}},"MessageGroupId":"g"})",
      R"({"QueueUrl":"q","Entries":[{"Id":"a","MessageBody":"one","ReceiptHandle":"h","VisibilityTimeout":1},
          {"Id":"b","MessageBody":"two","ReceiptHandle":"i","VisibilityTimeout":2}]})",
      R"({"QueueUrl":"q","AttributeNames":["All"],"MessageAttributeNames":["foo.*"],"MaxNumberOfMessages":10})",
      R"({"MaxResults":2,"NextToken":"cXVldWVzLWFmdGVyOmI="})"};
  return seeds;
}

const std::vector<std::string>& form_seeds() {
  static const std::vector<std::string> seeds = {
      "QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&Tag.1.Key=team&Tag.1.Value=blue",
      "QueueUrl=http%3A%2F%2Flocalhost%3A4566%2F000000000000%2Fq&MessageBody=h%C3%A9llo&MessageAttribute.1.Name=n&"
      "MessageAttribute.1.Value.DataType=Number&MessageAttribute.1.Value.StringValue=3e1&DelaySeconds=1",
      "QueueUrl=q&SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=one&"
      "SendMessageBatchRequestEntry.2.Id=b&SendMessageBatchRequestEntry.2.MessageBody=two",
      "QueueUrl=q&AttributeName.1=All&MessageAttributeName.2=foo.%2A&MaxNumberOfMessages=10&WaitTimeSeconds=20"};
  return seeds;
}

void mutate(std::string& text, Random& random) {
  static constexpr std::array<std::string_view, 24> pieces{
      "{", "}",   "[", "]", "\"", ":",   ",",    "null", "-1",       "1e999", "\\u0000", "\\ud800",
      "%", "%00", "&", "=", ".",  ".1.", "\xff", "\0",   "99999999", "é",     "Name",    "true"};
  const std::size_t changes = 1 + below(random, 4);
  for (std::size_t i = 0; i < changes; ++i) {
    const std::size_t at = below(random, text.size() + 1);
    switch (below(random, 4)) {
      case 0:
        text.insert(at, pieces.at(below(random, pieces.size())));
        break;
      case 1:
        text.erase(at, below(random, 9));
        break;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(random());
        break;
      default: {
        // A piece of the text again, somewhere else.
        const std::string piece = text.substr(at, below(random, 40));
        text.insert(below(random, text.size() + 1), piece);
        break;
      }
    }
  }
}

std::string random_bytes(Random& random, std::size_t limit) {
  std::string bytes(below(random, limit), '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

Result random_result(Random& random) {
  switch (below(random, 7)) {
    case 0:
      return Error{static_cast<ErrorCode>(below(random, 29)), random_bytes(random, 20)};
    case 1:
      return QueueNames{{{"000000000000", "us-east-1", "q"}}};
    case 2:
      return QueueAttributes{{{"A", "1"}}};
    case 3:
      return SendResults{std::vector<std::variant<Sent, Error>>(below(random, 4), Sent{"id", std::nullopt})};
    case 4:
      return Deliveries{{delivery_of(stored_message("body"), "h")}};
    case 5:
      return EntryResults{std::vector<std::optional<Error>>(below(random, 4))};
    default:
      return Done{};
  }
}

/// Every answer has a status, and in JSON is itself an object (or nothing).
void expect_answer(const WireResponse& response) {
  EXPECT_GE(response.status, 200);
  EXPECT_LT(response.status, 600);
  EXPECT_FALSE(response.headers.empty());
  if (response.content_type != "application/x-amz-json-1.0") return;
  EXPECT_TRUE(std::holds_alternative<JsonSource>(parse_json(response.body))) << response.body;
}

void try_request(const Request& request, Random& random) {
  Prepared prepared = prepare_request(request);
  if (const auto* response = std::get_if<WireResponse>(&prepared)) {
    expect_answer(*response);
  } else {
    expect_answer(std::get<PreparedCall>(prepared).respond(random_result(random)));
  }
}

std::string random_operation(Random& random) {
  const auto operations = sqs::operations();
  return std::string(operations[below(random, operations.size())].name);
}

class RandomInput : public ::testing::Test {
 protected:
  RandomInput() : seed_(seed()), random_(seed_) { std::cout << "PENSTOCK_TEST_SEED=" << seed_ << "\n"; }
  void TearDown() override {
    if (HasFailure()) ADD_FAILURE() << "PENSTOCK_TEST_SEED=" << seed_ << " replays this";
  }
  Random& random() { return random_; }

 private:
  std::uint64_t seed_;
  Random random_;
};

TEST_F(RandomInput, ChangedJson) {
  for (int i = 0; i < rounds && !HasFailure(); ++i) {
    std::string body = json_seeds().at(below(random(), json_seeds().size()));
    mutate(body, random());
    try_request(json_request(random_operation(random()), body), random());
  }
}

TEST_F(RandomInput, ChangedForms) {
  for (int i = 0; i < rounds && !HasFailure(); ++i) {
    std::string form = form_seeds().at(below(random(), form_seeds().size()));
    mutate(form, random());
    try_request(query_request("Action=" + random_operation(random()) + "&" + form), random());
  }
}

TEST_F(RandomInput, Bytes) {
  for (int i = 0; i < rounds && !HasFailure(); ++i) {
    const std::string bytes = random_bytes(random(), 200);
    const std::string operation = random_operation(random());
    try_request(json_request(operation, bytes), random());
    try_request(query_request("Action=" + operation + "&" + bytes), random());
    try_request(query_request(bytes, "/" + random_bytes(random(), 20)), random());
  }
}

TEST_F(RandomInput, HeadersAndAddresses) {
  for (int i = 0; i < rounds && !HasFailure(); ++i) {
    std::string url(queue_url);
    mutate(url, random());
    std::string credential = "Credential=AKID/20230101/eu-west-1/sqs/aws4_request";
    mutate(credential, random());
    Request request = query_request("Action=SendMessage&MessageBody=b&QueueUrl=" + url);
    request.headers.front().second = random_bytes(random(), 20);
    request.with("Authorization", credential).with("X-Amzn-Trace-Id", random_bytes(random(), 20));
    request.with("X-Forwarded-Proto", random_bytes(random(), 8));
    try_request(request, random());
  }
}

}  // namespace
}  // namespace penstock::protocol::testing
