// What becomes of odd input: wrong types, broken text, hostile sizes.
#include <gtest/gtest.h>

#include "penstock/limits.hpp"
#include "protocol/json.hpp"
#include "protocol/query.hpp"
#include "protocol/support.hpp"

namespace penstock::protocol::testing {
namespace {

constexpr std::string_view serialization = "com.amazon.coral.service#SerializationException";

std::string nested(std::size_t depth) {
  return R"({"QueueName":"q","Unknown":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
}

struct TypeCase {
  std::string operation;
  std::string body;
  std::string message;
};

TEST(JsonDecoding, WrongTypes) {
  const std::string scalar_structure = "Start of structure or map found where not expected";
  const std::string scalar_list = "Start of list found where not expected";
  const std::vector<TypeCase> cases = {
      {"ReceiveMessage", R"({"QueueUrl":"q","WaitTimeSeconds":"1"})",
       "STRING_VALUE can not be converted to an Integer"},
      {"ReceiveMessage", R"({"QueueUrl":"q","WaitTimeSeconds":true})", "TRUE_VALUE can not be converted to an Integer"},
      {"ReceiveMessage", R"({"QueueUrl":"q","WaitTimeSeconds":1.5})",
       "NUMBER_VALUE can not be converted to an Integer"},
      {"ReceiveMessage", R"({"QueueUrl":"q","WaitTimeSeconds":2147483648})",
       "NUMBER_VALUE can not be converted to an Integer"},
      {"ReceiveMessage", R"({"QueueUrl":"q","WaitTimeSeconds":18446744073709551615})",
       "NUMBER_VALUE can not be converted to an Integer"},
      {"ReceiveMessage", R"({"QueueUrl":"q","WaitTimeSeconds":1e300})",
       "NUMBER_VALUE can not be converted to an Integer"},
      {"ReceiveMessage", R"({"QueueUrl":"q","WaitTimeSeconds":{}})", scalar_structure},
      {"ReceiveMessage", R"({"QueueUrl":"q","WaitTimeSeconds":[]})", scalar_list},
      {"SendMessage", R"({"QueueUrl":"q","MessageBody":1})", "NUMBER_VALUE can not be converted to a String"},
      {"SendMessage", R"({"QueueUrl":"q","MessageBody":false})", "FALSE_VALUE can not be converted to a String"},
      {"SendMessage", R"({"QueueUrl":"q","MessageBody":{"a":1}})", scalar_structure},
      {"SendMessage", R"({"QueueUrl":["q"]})", scalar_list},
      {"SendMessage", R"({"QueueUrl":"q","MessageAttributes":[]})", "Expected map or null"},
      {"SendMessage", R"({"QueueUrl":"q","MessageAttributes":{"a":"b"}})", "Expected null"},
      {"SendMessage", R"({"QueueUrl":"q","MessageAttributes":{"a":["b"]}})", scalar_list},
      {"SendMessage", R"({"QueueUrl":"q","MessageAttributes":{"a":{"DataType":"Binary","BinaryValue":"?"}}})",
       "Blobs must be base64 encoded"},
      {"SendMessage", R"({"QueueUrl":"q","MessageAttributes":{"a":{"DataType":"Binary","BinaryValue":1}}})",
       "NUMBER_VALUE can not be converted to a Blob"},
      {"SendMessageBatch", R"({"QueueUrl":"q","Entries":{"Id":"a"}})", "Expected list or null"},
      {"SendMessageBatch", R"({"QueueUrl":"q","Entries":["a"]})", "Expected null"},
      {"GetQueueAttributes", R"({"QueueUrl":"q","AttributeNames":"All"})", "Expected list or null"},
      {"GetQueueAttributes", R"({"QueueUrl":"q","AttributeNames":[1]})",
       "NUMBER_VALUE can not be converted to a String"},
  };
  for (const TypeCase& type : cases) {
    EXPECT_EQ(status_and_body(refusal_of(json_request(type.operation, type.body))),
              json_error(400, serialization, type.message))
        << type.body;
  }
}

TEST(JsonDecoding, WhatIsNoJsonObject) {
  const std::vector<std::string> bodies = {"{",
                                           "}",
                                           "[]",
                                           "\"a\"",
                                           "1",
                                           "null",
                                           "{\"a\":}",
                                           "{\"a\" 1}",
                                           "{'a':1}",
                                           "{\"a\":1}x",
                                           "\xff",
                                           "{}{}",
                                           "{,}",
                                           "nul",
                                           "{\"a\":01}",
                                           "{\"a\":\"\n\"}",
                                           "{\"\\ud800\":1}",
                                           " ",
                                           std::string(3, '\0'),
                                           R"({"QueueName":")"
                                           "\xc3\x28"
                                           R"("})",
                                           R"({"QueueName":")"
                                           "\xed\xa0\x80"
                                           R"("})"};
  for (const std::string& body : bodies) {
    const WireResponse answer = refusal_of(json_request("CreateQueue", body));
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_NE(answer.body.find(serialization), std::string::npos) << body << answer.body;
  }
}

TEST(JsonDecoding, NestingEndsAtTheLimit) {
  EXPECT_EQ(to_text(command_of(json_request("GetQueueUrl", nested(json_depth_max - 1)))),
            "LookupQueue 000000000000/us-east-1/q");
  for (const std::size_t depth : {json_depth_max + 1, std::size_t{100'000}}) {
    EXPECT_EQ(refusal_of(json_request("GetQueueUrl", nested(depth))).status, 400) << depth;
  }
  // A larger body makes the parser's memory anew; its limit stays.
  EXPECT_EQ(refusal_of(json_request("GetQueueUrl", nested(json_depth_max + 1) + std::string(1U << 20U, ' '))).status,
            400);
}

TEST(JsonDecoding, WhatIsAcceptedAllTheSame) {
  const std::string command = "ReceiveMessages 000000000000/us-east-1/q max=2 wait=0";
  for (
      const std::string body :
      {R"({"QueueUrl":"q","MaxNumberOfMessages":2,"WaitTimeSeconds":0})",
       R"({"QueueUrl":"q","MaxNumberOfMessages":2.0,"WaitTimeSeconds":-0.0})",
       R"( {"Unknown":{"deep":[1,2]},"QueueUrl":"q","MaxNumberOfMessages":2,"WaitTimeSeconds":0,"AttributeNames":null} )",
       R"({"QueueUrl":"q","MaxNumberOfMessages":2,"WaitTimeSeconds":0,"MessageAttributeNames":[null]})"}) {
    EXPECT_EQ(to_text(command_of(json_request("ReceiveMessage", body))), command);
  }
  EXPECT_EQ(to_text(command_of(json_request("CreateQueue", R"({"QueueName":"q","Attributes":{"A":null,"B":"1"}})"))),
            "CreateQueue 000000000000/us-east-1/q {B=1} tags={}");
}

TEST(QueryDecoding, BrokenForms) {
  const std::string percent = query_error(400, "MalformedInput", "The request has a malformed percent-encoding.");
  const std::string utf8 = query_error(400, "MalformedInput", "The request is not valid UTF-8.");
  for (const std::string form : {"Action=%", "Action=%4", "Action=%zz", "%=1", "Action=ListQueues&a=%%"}) {
    EXPECT_EQ(status_and_body(refusal_of(query_request(form))), percent) << form;
  }
  for (const std::string form : {"Action=%ff", "Action=\xc3", "%c3%28=1", "a=%ed%a0%80"}) {
    EXPECT_EQ(status_and_body(refusal_of(query_request(form))), utf8) << form;
  }
}

TEST(QueryDecoding, ParametersHaveALimit) {
  const auto form_with = [](std::size_t count) {
    std::string form = "Action=ListQueues";
    for (std::size_t i = 1; i < count; ++i) form += "&p" + std::to_string(i) + "=";
    return form;
  };
  EXPECT_EQ(to_text(command_of(query_request(form_with(form_parameters_max)))),
            "ListQueues 000000000000/us-east-1 prefix= after= limit=1000");
  EXPECT_EQ(status_and_body(refusal_of(query_request(form_with(form_parameters_max + 1)))),
            query_error(400, "MalformedInput", "The request has more than 2000 parameters."));
}

TEST(QueryDecoding, ElementsComeInTheOrderOfTheirNumbers) {
  const std::string names = "Action=GetQueueAttributes&QueueUrl=q";
  const auto attribute = [](std::string_view index, std::string_view name) {
    return "&AttributeName." + std::string(index) + "=" + std::string(name);
  };
  EXPECT_EQ(
      to_text(command_of(query_request(names + attribute("10", "c") + attribute("2", "b") + attribute("1", "a") +
                                       attribute("999999999", "d") + attribute("99999999999999999999999999", "e")))),
      "GetQueueAttributes 000000000000/us-east-1/q [a, b, c, d, e]");
  // What is no number names no element, and what only begins like a list is none.
  EXPECT_EQ(to_text(command_of(query_request(names + attribute("1", "a") + attribute("-2", "b") + attribute("x", "c") +
                                             attribute("", "d") + "&AttributeName=e&AttributeNames.1=f&" +
                                             "AttributeName-1=g&AttributeName.1-2=h&AttributeName.member.1=i"))),
            "GetQueueAttributes 000000000000/us-east-1/q [a]");
  EXPECT_EQ(status_and_body(refusal_of(query_request(names + "&AttributeName.1.x=a"))),
            query_error(400, "MalformedInput", "Start of list found where not expected"));
}

TEST(QueryDecoding, EntriesThatShareAPrefixStayApart) {
  std::string form = "Action=DeleteMessageBatch&QueueUrl=q";
  for (const std::string index : {"1", "10", "100", "2"}) {
    const std::string entry = "&DeleteMessageBatchRequestEntry." + index;
    form += entry + ".Id=i" + index + entry + ".ReceiptHandle=h" + index;
    // Between `N` and `N.` in the order of names.
    form += entry + "-x.Id=no" + entry + "!=no";
  }
  EXPECT_EQ(to_text(command_of(query_request(form))), "DeleteMessages 000000000000/us-east-1/q [h1, h2, h10, h100]");
}

TEST(QueryDecoding, OfTwoParametersWithTheSameNameTheFirstCounts) {
  EXPECT_EQ(to_text(command_of(query_request("Action=GetQueueUrl&QueueName=a&QueueName=b&&&"))),
            "LookupQueue 000000000000/us-east-1/a");
}

TEST(QueryDecoding, Integers) {
  for (const std::string text : {"", "+1", " 1", "1 ", "1.0", "0x1", "99999999999999999999", "2147483648", "-"}) {
    const WireResponse answer = refusal_of(query_request("Action=ListQueues&MaxResults=" + text));
    EXPECT_NE(answer.body.find("InvalidParameterValue"), std::string::npos) << text << answer.body;
  }
}

TEST(MessageText, EveryAllowedCharacterArrives) {
  for (const std::string body : {"\t\n\r ", "\x7f", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbd", "\xf0\x90\x80\x80",
                                 "\xf4\x8f\xbf\xbf", "é漢😀"}) {
    Request request = query_request("Action=SendMessage&QueueUrl=q&MessageBody=");
    for (const char c : body) {
      constexpr std::string_view digits = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      request.body.append({'%', digits[byte >> 4U], digits[byte & 0xFU]});
    }
    const Command command = command_of(request);
    EXPECT_EQ(std::get<SendMessages>(command).messages.at(0).content.body, body);
    EXPECT_EQ(std::get<SendMessages>(command).messages.at(0).bytes, body.size());
  }
}

TEST(MessageText, BytesAreCountedNotCharacters) {
  const std::string body = std::string(sqs_limits::message_bytes_max - 2, 'x') + "é";
  const Command command = command_of(json_request("SendMessage", R"({"QueueUrl":"q","MessageBody":")" + body + "\"}"));
  EXPECT_EQ(std::get<SendMessages>(command).messages.at(0).bytes, sqs_limits::message_bytes_max);
  EXPECT_EQ(refusal_of(json_request("SendMessage", R"({"QueueUrl":"q","MessageBody":"x)" + body + "\"}")).status, 400);
}

TEST(MessageText, Numbers) {
  const auto send = [](const std::string& number) {
    return json_request(
        "SendMessage",
        R"({"QueueUrl":"q","MessageBody":"b","MessageAttributes":{"n":{"DataType":"Number","StringValue":")" + number +
            "\"}}}");
  };
  const std::string digits38 = "12345678901234567890123456789012345678";
  for (const std::string number : {"0", "-1", "+1", "1.", ".5", "1.50", "1e5", "1E-128", "9e126", "0e999", "000",
                                   digits38.c_str(), "0.00000000000000000000000000000000000000000001"}) {
    EXPECT_TRUE(std::holds_alternative<PreparedCall>(prepare_request(send(number)))) << number;
  }
  const std::string digits39 = digits38 + "9";
  for (const std::string number : {"", " 1", "1 ", ".", "-", "e5", "1e", "1e+", "1e+-5", "--1", "0x1", "NaN", "inf",
                                   "1e127", "1e-129", "1e99999999999", "1,5", digits39.c_str()}) {
    EXPECT_TRUE(std::holds_alternative<WireResponse>(prepare_request(send(number)))) << number;
  }
}

}  // namespace
}  // namespace penstock::protocol::testing
