// Each operation in both protocols: the command that a request becomes and the exact bytes of its answer.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <ostream>
#include <set>

#include "protocol/sqs/operations.hpp"
#include "protocol/support.hpp"

namespace penstock::protocol::testing {
namespace {

struct GoldenCase {
  std::string name;  ///< the operation's, with what is special about the case behind a slash
  std::string json;
  std::string form;
  std::string command;
  std::function<Result()> result;
  std::string json_answer;
  std::string xml_answer;  ///< what stands between <XResponse> and its metadata

  std::string operation() const { return name.substr(0, name.find('/')); }
  friend void PrintTo(const GoldenCase& golden, std::ostream* out) { *out << golden.name; }
};

std::string with_url(std::string text) {
  const std::size_t at = text.find("$URL");
  if (at != std::string::npos) text.replace(at, 4, queue_url);
  return text;
}

Result done() { return Done{}; }

Result sent_once() { return SendResults{{Sent{"id-1", std::nullopt}}}; }

Result received_one() {
  StoredMessage message = stored_message("<a>&\"\r\n");
  message.content.attributes = {{"color", "String", "red"}, {"icon", "Binary.png", std::string("\x00\xff\x10", 3)}};
  message.content.trace_header = "Root=1";
  return Deliveries{{delivery_of(std::move(message), "handle-1")}};
}

std::vector<GoldenCase> queue_cases() {
  return {
      {"CreateQueue", R"({"QueueName":"q","Attributes":{"DelaySeconds":"5"},"tags":{"team":"blue"}})",
       "Action=CreateQueue&QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&Tag.1.Key=team&"
       "Tag.1.Value=blue&Version=2012-11-05",
       "CreateQueue 000000000000/us-east-1/q {DelaySeconds=5} tags={team=blue}", done,
       R"({"QueueUrl":"http://localhost:4566/000000000000/q"})",
       "<CreateQueueResult><QueueUrl>http://localhost:4566/000000000000/q</QueueUrl></CreateQueueResult>"},
      {"GetQueueUrl", R"({"QueueName":"q.fifo","QueueOwnerAWSAccountId":"123456789012"})",
       "Action=GetQueueUrl&QueueName=q.fifo&QueueOwnerAWSAccountId=123456789012",
       "LookupQueue 123456789012/us-east-1/q.fifo", done, R"({"QueueUrl":"http://localhost:4566/123456789012/q.fifo"})",
       "<GetQueueUrlResult><QueueUrl>http://localhost:4566/123456789012/q.fifo</QueueUrl></GetQueueUrlResult>"},
      {"ListQueues", R"({"QueueNamePrefix":"a","MaxResults":2})", "Action=ListQueues&QueueNamePrefix=a&MaxResults=2",
       "ListQueues 000000000000/us-east-1 prefix=a after= limit=3",
       [] {
         return QueueNames{{{"000000000000", "us-east-1", "a"},
                            {"000000000000", "us-east-1", "ab"},
                            {"000000000000", "us-east-1", "b"}}};
       },
       R"({"QueueUrls":["http://localhost:4566/000000000000/a","http://localhost:4566/000000000000/ab"],)"
       R"("NextToken":"cXVldWVzLWFmdGVyOmFi"})",
       "<ListQueuesResult><QueueUrl>http://localhost:4566/000000000000/a</QueueUrl>"
       "<QueueUrl>http://localhost:4566/000000000000/ab</QueueUrl><NextToken>cXVldWVzLWFmdGVyOmFi</NextToken>"
       "</ListQueuesResult>"},
      {"ListQueues/next page", R"({"MaxResults":1,"NextToken":"cXVldWVzLWFmdGVyOmI="})",
       "Action=ListQueues&MaxResults=1&NextToken=cXVldWVzLWFmdGVyOmI%3D",
       "ListQueues 000000000000/us-east-1 prefix= after=b limit=2",
       [] {
         return QueueNames{{{"000000000000", "us-east-1", "c"}}};
       },
       R"({"QueueUrls":["http://localhost:4566/000000000000/c"]})",
       "<ListQueuesResult><QueueUrl>http://localhost:4566/000000000000/c</QueueUrl></ListQueuesResult>"},
      {"ListQueues/none", "", "Action=ListQueues", "ListQueues 000000000000/us-east-1 prefix= after= limit=1000",
       [] { return QueueNames{}; }, "{}", "<ListQueuesResult/>"},
      {"DeleteQueue", R"({"QueueUrl":"$URL"})", "Action=DeleteQueue&QueueUrl=$URL",
       "DeleteQueue 000000000000/us-east-1/q", done, "", ""},
      {"PurgeQueue", R"({"QueueUrl":"$URL"})", "Action=PurgeQueue&QueueUrl=$URL", "PurgeQueue 000000000000/us-east-1/q",
       done, "", ""},
      {"GetQueueAttributes", R"({"QueueUrl":"$URL","AttributeNames":["All","QueueArn"]})",
       "Action=GetQueueAttributes&QueueUrl=$URL&AttributeName.1=All&AttributeName.2=QueueArn",
       "GetQueueAttributes 000000000000/us-east-1/q [All, QueueArn]",
       [] {
         return QueueAttributes{{{"DelaySeconds", "0"}, {"Policy", R"({"a":1})"}}};
       },
       R"({"Attributes":{"DelaySeconds":"0","Policy":"{\"a\":1}"}})",
       "<GetQueueAttributesResult><Attribute><Name>DelaySeconds</Name><Value>0</Value></Attribute>"
       R"(<Attribute><Name>Policy</Name><Value>{"a":1}</Value></Attribute></GetQueueAttributesResult>)"},
      {"GetQueueAttributes/none", R"({"QueueUrl":"$URL"})", "Action=GetQueueAttributes&QueueUrl=$URL",
       "GetQueueAttributes 000000000000/us-east-1/q []", [] { return QueueAttributes{}; }, "{}",
       "<GetQueueAttributesResult/>"},
      {"SetQueueAttributes", R"({"QueueUrl":"$URL","Attributes":{"DelaySeconds":"1","VisibilityTimeout":"2"}})",
       "Action=SetQueueAttributes&QueueUrl=$URL&Attribute.2.Name=VisibilityTimeout&Attribute.2.Value=2&"
       "Attribute.1.Name=DelaySeconds&Attribute.1.Value=1",
       "SetQueueAttributes 000000000000/us-east-1/q {DelaySeconds=1, VisibilityTimeout=2}", done, "", ""},
  };
}

std::vector<GoldenCase> send_cases() {
  return {
      {"SendMessage", R"({"QueueUrl":"$URL","MessageBody":"hello"})",
       "Action=SendMessage&QueueUrl=$URL&MessageBody=hello",
       "SendMessages 000000000000/us-east-1/q (hello md5=5d41402a sender=AIDAPENSTOCKLOCALUSER bytes=5)", sent_once,
       R"({"MD5OfMessageBody":"5d41402abc4b2a76b9719d911017c592","MessageId":"id-1"})",
       "<SendMessageResult><MD5OfMessageBody>5d41402abc4b2a76b9719d911017c592</MD5OfMessageBody>"
       "<MessageId>id-1</MessageId></SendMessageResult>"},
      {"SendMessage/everything",
       R"({"QueueUrl":"$URL","MessageBody":"h\u00e9llo","DelaySeconds":0,"MessageDeduplicationId":"d","MessageGroupId":"g",
           "MessageAttributes":{"size":{"DataType":"Number","StringValue":"3"},
                                "color":{"DataType":"String","StringValue":"red"}},
           "MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String",
                                      "StringValue":"Root=1-5759e988-bd862e3fe1be46a994272793"}}})",
       "Action=SendMessage&QueueUrl=$URL&MessageBody=h%C3%A9llo&DelaySeconds=0&MessageDeduplicationId=d&"
       "MessageGroupId=g&MessageAttribute.1.Name=size&MessageAttribute.1.Value.DataType=Number&"
       "MessageAttribute.1.Value.StringValue=3&MessageAttribute.2.Name=color&"
       "MessageAttribute.2.Value.DataType=String&MessageAttribute.2.Value.StringValue=red&"
       "MessageSystemAttribute.1.Name=AWSTraceHeader&MessageSystemAttribute.1.Value.DataType=String&"
       "MessageSystemAttribute.1.Value.StringValue=Root%3D1-5759e988-bd862e3fe1be46a994272793",
       "SendMessages 000000000000/us-east-1/q (héllo md5=be50e847 color:String=red size:Number=3 "
       "trace=Root=1-5759e988-bd862e3fe1be46a994272793 group=g dedup=d delay=0 sender=AIDAPENSTOCKLOCALUSER bytes=31)",
       [] {
         return SendResults{{Sent{"id-1", "00000000000000000001"}}};
       },
       R"({"MD5OfMessageBody":"be50e8478cf24ff3595bc7307fb91b50",)"
       R"("MD5OfMessageAttributes":"9fe95c4fc1eb10cf94e969372767af63",)"
       R"("MD5OfMessageSystemAttributes":"62a56dd927315f2b2e12832b84617ea5","MessageId":"id-1",)"
       R"("SequenceNumber":"00000000000000000001"})",
       "<SendMessageResult><MD5OfMessageBody>be50e8478cf24ff3595bc7307fb91b50</MD5OfMessageBody>"
       "<MD5OfMessageAttributes>9fe95c4fc1eb10cf94e969372767af63</MD5OfMessageAttributes>"
       "<MD5OfMessageSystemAttributes>62a56dd927315f2b2e12832b84617ea5</MD5OfMessageSystemAttributes>"
       "<MessageId>id-1</MessageId><SequenceNumber>00000000000000000001</SequenceNumber></SendMessageResult>"},
      {"SendMessageBatch",
       R"({"QueueUrl":"$URL","Entries":[{"Id":"a","MessageBody":"one"},{"Id":"b","MessageBody":"two","DelaySeconds":9}]})",
       "Action=SendMessageBatch&QueueUrl=$URL&SendMessageBatchRequestEntry.1.Id=a&"
       "SendMessageBatchRequestEntry.1.MessageBody=one&SendMessageBatchRequestEntry.2.Id=b&"
       "SendMessageBatchRequestEntry.2.MessageBody=two&SendMessageBatchRequestEntry.2.DelaySeconds=9",
       "SendMessages 000000000000/us-east-1/q batch (one md5=f97c5d29 sender=AIDAPENSTOCKLOCALUSER bytes=3) "
       "(two md5=b8a9f715 delay=9 sender=AIDAPENSTOCKLOCALUSER bytes=3)",
       [] {
         return SendResults{{Sent{"id-1", std::nullopt}, Error{ErrorCode::InvalidParameterValue, "Not today."}}};
       },
       R"({"Successful":[{"Id":"a","MessageId":"id-1","MD5OfMessageBody":"f97c5d29941bfb1b2fdab0874906ab82"}],)"
       R"("Failed":[{"Id":"b","SenderFault":true,"Code":"InvalidParameterValue","Message":"Not today."}]})",
       "<SendMessageBatchResult><SendMessageBatchResultEntry><Id>a</Id><MessageId>id-1</MessageId>"
       "<MD5OfMessageBody>f97c5d29941bfb1b2fdab0874906ab82</MD5OfMessageBody></SendMessageBatchResultEntry>"
       "<BatchResultErrorEntry><Id>b</Id><SenderFault>true</SenderFault><Code>InvalidParameterValue</Code>"
       "<Message>Not today.</Message></BatchResultErrorEntry></SendMessageBatchResult>"},
  };
}

std::vector<GoldenCase> receive_cases() {
  return {
      {"ReceiveMessage/none", R"({"QueueUrl":"$URL"})", "Action=ReceiveMessage&QueueUrl=$URL",
       "ReceiveMessages 000000000000/us-east-1/q max=1", [] { return Deliveries{}; }, "{}", "<ReceiveMessageResult/>"},
      {"ReceiveMessage",
       R"({"QueueUrl":"$URL","AttributeNames":["All"],"MessageAttributeNames":["All"],"MaxNumberOfMessages":10,
           "VisibilityTimeout":0,"WaitTimeSeconds":20,"ReceiveRequestAttemptId":"try-1"})",
       "Action=ReceiveMessage&QueueUrl=$URL&AttributeName.1=All&MessageAttributeName.1=All&MaxNumberOfMessages=10&"
       "VisibilityTimeout=0&WaitTimeSeconds=20&ReceiveRequestAttemptId=try-1",
       "ReceiveMessages 000000000000/us-east-1/q max=10 visibility=0 wait=20 attempt=try-1", received_one,
       R"({"Messages":[{"MessageId":"0b8b3f1e-5a0a-4b7e-9b39-0d1a3c1f2e4d","ReceiptHandle":"handle-1",)"
       R"("MD5OfBody":"8337e379e0b2ac63552751180154c04a","Body":"<a>&\"\r\n",)"
       R"("Attributes":{"SenderId":"AKID","SentTimestamp":"1700000000123","ApproximateReceiveCount":"2",)"
       R"("ApproximateFirstReceiveTimestamp":"1700000001000","AWSTraceHeader":"Root=1"},)"
       R"("MD5OfMessageAttributes":"$MD5","MessageAttributes":{"color":{"StringValue":"red","DataType":"String"},)"
       R"("icon":{"BinaryValue":"AP8Q","DataType":"Binary.png"}}}]})",
       "<ReceiveMessageResult><Message><MessageId>0b8b3f1e-5a0a-4b7e-9b39-0d1a3c1f2e4d</MessageId>"
       "<ReceiptHandle>handle-1</ReceiptHandle><MD5OfBody>8337e379e0b2ac63552751180154c04a</MD5OfBody>"
       "<Body>&lt;a&gt;&amp;\"&#13;\n</Body><Attribute><Name>SenderId</Name><Value>AKID</Value></Attribute>"
       "<Attribute><Name>SentTimestamp</Name><Value>1700000000123</Value></Attribute>"
       "<Attribute><Name>ApproximateReceiveCount</Name><Value>2</Value></Attribute>"
       "<Attribute><Name>ApproximateFirstReceiveTimestamp</Name><Value>1700000001000</Value></Attribute>"
       "<Attribute><Name>AWSTraceHeader</Name><Value>Root=1</Value></Attribute>"
       "<MD5OfMessageAttributes>$MD5</MD5OfMessageAttributes><MessageAttribute><Name>color</Name>"
       "<Value><StringValue>red</StringValue><DataType>String</DataType></Value></MessageAttribute>"
       "<MessageAttribute><Name>icon</Name><Value><BinaryValue>AP8Q</BinaryValue><DataType>Binary.png</DataType>"
       "</Value></MessageAttribute></Message></ReceiveMessageResult>"},
  };
}

std::vector<GoldenCase> receipt_cases() {
  const auto all_done = [] { return EntryResults{{std::nullopt}}; };
  const auto second_fails = [] {
    return EntryResults{{std::nullopt, Error{ErrorCode::ReceiptHandleIsInvalid, "No such handle."}}};
  };
  const std::string json_merged =
      R"({"Successful":[{"Id":"a"}],"Failed":[{"Id":"b","SenderFault":true,"Code":"ReceiptHandleIsInvalid",)"
      R"("Message":"No such handle."}]})";
  const std::string xml_failed =
      "<BatchResultErrorEntry><Id>b</Id><SenderFault>true</SenderFault><Code>ReceiptHandleIsInvalid</Code>"
      "<Message>No such handle.</Message></BatchResultErrorEntry>";
  return {
      {"DeleteMessage", R"({"QueueUrl":"$URL","ReceiptHandle":"h+/="})",
       "Action=DeleteMessage&QueueUrl=$URL&ReceiptHandle=h%2B%2F%3D", "DeleteMessages 000000000000/us-east-1/q [h+/=]",
       all_done, "", ""},
      {"DeleteMessageBatch",
       R"({"QueueUrl":"$URL","Entries":[{"Id":"a","ReceiptHandle":"h1"},{"Id":"b","ReceiptHandle":"h2"}]})",
       "Action=DeleteMessageBatch&QueueUrl=$URL&DeleteMessageBatchRequestEntry.1.Id=a&"
       "DeleteMessageBatchRequestEntry.1.ReceiptHandle=h1&DeleteMessageBatchRequestEntry.2.Id=b&"
       "DeleteMessageBatchRequestEntry.2.ReceiptHandle=h2",
       "DeleteMessages 000000000000/us-east-1/q [h1, h2]", second_fails, json_merged,
       "<DeleteMessageBatchResult><DeleteMessageBatchResultEntry><Id>a</Id></DeleteMessageBatchResultEntry>" +
           xml_failed + "</DeleteMessageBatchResult>"},
      {"ChangeMessageVisibility", R"({"QueueUrl":"$URL","ReceiptHandle":"h","VisibilityTimeout":43200})",
       "Action=ChangeMessageVisibility&QueueUrl=$URL&ReceiptHandle=h&VisibilityTimeout=43200",
       "ChangeVisibility 000000000000/us-east-1/q h=43200", all_done, "", ""},
      {"ChangeMessageVisibilityBatch",
       R"({"QueueUrl":"$URL","Entries":[{"Id":"a","ReceiptHandle":"h1","VisibilityTimeout":0},
                                        {"Id":"b","ReceiptHandle":"h2","VisibilityTimeout":30}]})",
       "Action=ChangeMessageVisibilityBatch&QueueUrl=$URL&ChangeMessageVisibilityBatchRequestEntry.1.Id=a&"
       "ChangeMessageVisibilityBatchRequestEntry.1.ReceiptHandle=h1&"
       "ChangeMessageVisibilityBatchRequestEntry.1.VisibilityTimeout=0&"
       "ChangeMessageVisibilityBatchRequestEntry.2.Id=b&ChangeMessageVisibilityBatchRequestEntry.2.ReceiptHandle=h2&"
       "ChangeMessageVisibilityBatchRequestEntry.2.VisibilityTimeout=30",
       "ChangeVisibility 000000000000/us-east-1/q h1=0 h2=30", second_fails, json_merged,
       "<ChangeMessageVisibilityBatchResult><ChangeMessageVisibilityBatchResultEntry><Id>a</Id>"
       "</ChangeMessageVisibilityBatchResultEntry>" +
           xml_failed + "</ChangeMessageVisibilityBatchResult>"},
  };
}

std::vector<GoldenCase> all_cases() {
  std::vector<GoldenCase> cases = queue_cases();
  for (auto more : {send_cases(), receive_cases(), receipt_cases()}) {
    cases.insert(cases.end(), more.begin(), more.end());
  }
  for (GoldenCase& golden : cases) {
    // Over color:String=red and icon:Binary.png=00ff10, computed apart.
    for (std::string* answer : {&golden.json_answer, &golden.xml_answer}) {
      const std::size_t at = answer->find("$MD5");
      if (at != std::string::npos) answer->replace(at, 4, "ffb54624e85db71631a11009bfe5efdd");
    }
  }
  return cases;
}

class Golden : public ::testing::TestWithParam<GoldenCase> {};

TEST_P(Golden, JsonRequestBecomesTheCommand) {
  const Request request = json_request(GetParam().operation(), with_url(GetParam().json));
  EXPECT_EQ(to_text(command_of(request)), GetParam().command);
}

TEST_P(Golden, QueryRequestBecomesTheCommand) {
  EXPECT_EQ(to_text(command_of(query_request(with_url(GetParam().form)))), GetParam().command);
}

TEST_P(Golden, QueryByGetBecomesTheCommand) {
  Request request;
  request.method = "GET";
  request.target = "/?" + with_url(GetParam().form);
  EXPECT_EQ(to_text(command_of(request)), GetParam().command);
}

TEST_P(Golden, JsonAnswer) {
  const Request request = json_request(GetParam().operation(), with_url(GetParam().json));
  const WireResponse answer = answer_of(request, GetParam().result());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/x-amz-json-1.0");
  EXPECT_EQ(answer.headers, (Headers{{"x-amzn-RequestId", std::string(request_id)}}));
  EXPECT_EQ(answer.body, GetParam().json_answer);
}

TEST_P(Golden, QueryAnswer) {
  const WireResponse answer = answer_of(query_request(with_url(GetParam().form)), GetParam().result());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "text/xml");
  EXPECT_EQ(answer.headers, (Headers{{"x-amzn-RequestId", std::string(request_id)}}));
  const std::string name = GetParam().operation();
  EXPECT_EQ(answer.body, R"(<?xml version="1.0"?><)" + name +
                             R"(Response xmlns="http://queue.amazonaws.com/doc/2012-11-05/">)" + GetParam().xml_answer +
                             "<ResponseMetadata><RequestId>" + std::string(request_id) +
                             "</RequestId></ResponseMetadata></" + name + "Response>");
}

TEST_P(Golden, TheEnginesErrorIsAnswered) {
  const Error error{ErrorCode::QueueDoesNotExist, {}};
  const std::string name = GetParam().operation();
  EXPECT_EQ(status_and_body(answer_of(json_request(name, with_url(GetParam().json)), error)),
            json_error(400, "com.amazonaws.sqs#QueueDoesNotExist", "The specified queue does not exist."));
  EXPECT_EQ(status_and_body(answer_of(query_request(with_url(GetParam().form)), error)),
            query_error(400, "AWS.SimpleQueueService.NonExistentQueue",
                        "The specified queue does not exist for this wsdl version."));
}

TEST_P(Golden, AResultOfAnotherCommandIsAnInternalFailure) {
  // No operation is answered with both.
  const bool takes_done = std::holds_alternative<Done>(GetParam().result());
  const Request request = json_request(GetParam().operation(), with_url(GetParam().json));
  const WireResponse answer = answer_of(request, takes_done ? Result(Deliveries{}) : Result(Done{}));
  EXPECT_EQ(answer.status, 500) << answer.body;
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden, ::testing::ValuesIn(all_cases()), [](const auto& golden) {
  std::string name = golden.param.name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '/' || c == ' '; }, '_');
  return name;
});

TEST(GoldenCases, EveryOfferedOperationHasOne) {
  std::set<std::string, std::less<>> covered;
  for (const GoldenCase& golden : all_cases()) covered.insert(golden.operation());
  for (const sqs::Operation& operation : sqs::operations()) {
    EXPECT_EQ(covered.contains(operation.name), operation.prepare != nullptr) << operation.name;
  }
}

}  // namespace
}  // namespace penstock::protocol::testing
