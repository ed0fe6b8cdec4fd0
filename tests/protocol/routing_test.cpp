// Which operation, account, region and queue a request means, and under which address its client reaches the server.
#include <gtest/gtest.h>

#include "protocol/caller.hpp"
#include "protocol/sqs/operations.hpp"
#include "protocol/support.hpp"

namespace penstock::protocol::testing {
namespace {

constexpr std::string_view no_operation = "404 <UnknownOperationException/>";

Request get(std::string target) {
  Request request;
  request.method = "GET";
  request.target = std::move(target);
  return request;
}

TEST(Routing, UnknownJsonOperations) {
  const std::string type = "com.amazon.coral.service#UnknownOperationException";
  const WireResponse unknown = refusal_of(json_request("Frobnicate", "{}"));
  EXPECT_EQ(status_and_body(unknown),
            json_error(400, type, "The operation AmazonSQS.Frobnicate is not known to this service."));
  EXPECT_EQ(header_of(unknown, "x-amzn-query-error"), "InvalidAction;Sender");
  EXPECT_EQ(status_and_body(refusal_of(Request{}.with("X-Amz-Target", "DynamoDB_20120810.ListTables"))),
            json_error(400, type, "The operation DynamoDB_20120810.ListTables is not known to this service."));
  EXPECT_EQ(refusal_of(Request{}.with("X-Amz-Target", "AmazonSQS.")).status, 400);
  EXPECT_EQ(status_and_body(refusal_of(Request{}.with("Content-Type", "application/x-amz-json-1.0"))),
            json_error(400, type, "The request must contain the header X-Amz-Target."));
}

TEST(Routing, KinesisAnswersInTheWireOfTheRequest) {
  const auto request = [](std::string_view content_type) {
    return Request{}
        .with("X-Amz-Target", "Kinesis_20131202.Frobnicate")
        .with("Content-Type", std::string(content_type));
  };
  const std::string message = "The operation Kinesis_20131202.Frobnicate is not known to this service.";
  const WireResponse json = refusal_of(request("application/x-amz-json-1.1"));
  EXPECT_EQ(status_and_body(json), json_error(400, "UnknownOperationException", message));
  EXPECT_EQ(json.content_type, "application/x-amz-json-1.1");
  EXPECT_EQ(header_of(json, "x-amzn-query-error"), "");
  EXPECT_EQ(header_of(json, "x-amzn-RequestId"), request_id);

  const WireResponse cbor = refusal_of(request("application/x-amz-cbor-1.1"));
  EXPECT_EQ(cbor.status, 400);
  EXPECT_EQ(cbor.content_type, "application/x-amz-cbor-1.1");
  EXPECT_EQ(cbor.body, "\xA2\x66__type\x78\x19UnknownOperationException\x67message\x78\x47" + message);

  const WireResponse targetless = refusal_of(Request{}.with("Content-Type", "application/x-amz-cbor-1.1"));
  EXPECT_EQ(targetless.content_type, "application/x-amz-cbor-1.1");
  EXPECT_NE(targetless.body.find("UnknownOperationException"), std::string::npos);

  const Request sqs_in_cbor = json_request("ListQueues", "{").with("Content-Type", "application/x-amz-cbor-1.1");
  EXPECT_EQ(refusal_of(sqs_in_cbor).content_type, "application/x-amz-json-1.0") << "which has no CBOR";
}

TEST(Routing, EveryOperationOfTheServiceIsOffered) {
  constexpr std::size_t operations_of_the_service = 23;
  EXPECT_EQ(sqs::operations().size(), operations_of_the_service);
  for (const sqs::Operation& operation : sqs::operations()) {
    EXPECT_NE(operation.prepare, nullptr) << operation.name;
    EXPECT_EQ(sqs::find_operation(operation.name), &operation);
  }
}

TEST(Routing, UnknownActions) {
  const std::string unknown = query_error(400, "InvalidAction", "The action Frob is not valid for this endpoint.");
  EXPECT_EQ(status_and_body(refusal_of(query_request("Action=Frob"))), unknown);
  EXPECT_EQ(status_and_body(refusal_of(get("/000000000000/q?Action=Frob"))), unknown);
  // The name of an operation is case-sensitive.
  EXPECT_EQ(refusal_of(query_request("Action=sendmessage")).status, 400);
}

TEST(Routing, ActionsThatAreNotAboutAQueueAreNotValidAtOne) {
  const std::string wrong = query_error(400, "InvalidAction", "The action ListQueues is not valid for this endpoint.");
  EXPECT_EQ(status_and_body(refusal_of(get("/000000000000/q?Action=ListQueues"))), wrong);
  EXPECT_EQ(status_and_body(refusal_of(query_request("Action=ListQueues", "/000000000000/q"))), wrong);
}

TEST(Routing, WithoutAnAction) {
  for (const std::string target : {"/", "/?", "/000000000000/q", "/?Version=2012-11-05", "/favicon.ico", "/?Action="}) {
    const WireResponse answer = refusal_of(get(target));
    EXPECT_EQ(status_and_body(answer), no_operation) << target;
    EXPECT_EQ(header_of(answer, "x-amzn-RequestId"), request_id);
  }
  EXPECT_EQ(status_and_body(refusal_of(query_request(""))), no_operation);
  Request request = get("/?Action=ListQueues");
  request.method = "PUT";
  EXPECT_EQ(status_and_body(refusal_of(request)), no_operation);
}

TEST(Routing, TheQueueOfThePathIsMeantIfNoneIsGiven) {
  EXPECT_EQ(to_text(command_of(get("/123456789012/p?Action=PurgeQueue"))), "PurgeQueue 123456789012/us-east-1/p");
  EXPECT_EQ(to_text(command_of(query_request("Action=PurgeQueue", "/123456789012/p?Version=2012-11-05"))),
            "PurgeQueue 123456789012/us-east-1/p");
  EXPECT_EQ(
      to_text(command_of(query_request("Action=PurgeQueue&QueueUrl=" + std::string(queue_url), "/123456789012/p"))),
      "PurgeQueue 000000000000/us-east-1/q");
  Request request = get("/123456789012/p?Action=PurgeQueue");
  request.headers = {{"Host", "sqs.eu-west-1.localhost:4566"}};
  EXPECT_EQ(to_text(command_of(request)), "PurgeQueue 123456789012/eu-west-1/p");
}

TEST(Routing, ParametersMayStandInTheUrlOfAPost) {
  EXPECT_EQ(to_text(command_of(query_request("QueueName=q", "/?Action=GetQueueUrl"))),
            "LookupQueue 000000000000/us-east-1/q");
  // What stands in the URL counts before what stands in the body.
  EXPECT_EQ(to_text(command_of(query_request("Action=GetQueueUrl&QueueName=b", "/?QueueName=a"))),
            "LookupQueue 000000000000/us-east-1/a");
}

struct AddressCase {
  std::string url;
  std::string queue;  ///< empty if it is no address
};

TEST(Routing, QueueUrls) {
  const std::vector<AddressCase> cases = {
      {"http://localhost:4566/123456789012/q", "123456789012/us-east-1/q"},
      {"https://sqs.eu-west-1.amazonaws.com/123456789012/q.fifo", "123456789012/eu-west-1/q.fifo"},
      {"http://sqs.eu-west-1.localhost/123456789012/q", "123456789012/eu-west-1/q"},
      {"http://eu-central-1.queue.localhost:4566/123456789012/q", "123456789012/eu-central-1/q"},
      {"https://us-gov-east-1.queue.amazonaws.com/123456789012/q", "123456789012/us-gov-east-1/q"},
      {"http://myapp-penstock-1:4566/123456789012/q", "123456789012/us-east-1/q"},
      {"http://build-agent-1.internal/123456789012/q", "123456789012/us-east-1/q"},
      {"http://my-host-x/123456789012/q", "123456789012/us-east-1/q"},
      {"http://[::1]:4566/123456789012/q", "123456789012/us-east-1/q"},
      {"http://127.0.0.1:4566/123456789012/q?x=y", "123456789012/us-east-1/q"},
      {"http://localhost/123456789012/%71", "123456789012/us-east-1/q"},
      {"/123456789012/q", "123456789012/us-east-1/q"},
      {"123456789012/q", "123456789012/us-east-1/q"},
      {"q", "000000000000/us-east-1/q"},
      {"http://localhost:4566/q", ""},
      {"http://localhost:4566/1234/q", ""},
      {"http://localhost:4566/1234567890123/q", ""},
      {"http://localhost:4566/123456789012", ""},
      {"http://localhost:4566/123456789012/", ""},
      {"http://localhost:4566/123456789012/q/", ""},
      {"http://localhost:4566/queue/123456789012/q", ""},
      {"http://localhost:4566/123456789012/%ff", ""},
      {"http://localhost:4566/123456789012/%zz", ""},
      {"http://local host/123456789012/q", ""},
      {"https://queue.amazonaws.com/", ""},
      {":", ""},
      {"?", ""},
  };
  for (const AddressCase& address : cases) {
    const Request request = json_request("DeleteQueue", "{\"QueueUrl\":\"" + address.url + "\"}");
    if (address.queue.empty()) {
      EXPECT_EQ(status_and_body(refusal_of(request)),
                json_error(404, "com.amazonaws.sqs#InvalidAddress",
                           "The address " + address.url + " is not valid for this endpoint."));
    } else {
      EXPECT_EQ(to_text(command_of(request)), "DeleteQueue " + address.queue) << address.url;
    }
  }
}

Request with_credential(std::string_view credential) {
  return json_request("DeleteQueue", R"({"QueueUrl":"q"})")
      .with("authorization",
            "AWS4-HMAC-SHA256 Credential=" + std::string(credential) + ", SignedHeaders=host;x-amz-date, Signature=00");
}

TEST(Routing, AccountAndRegionOfTheCredentials) {
  const std::string scope = "/20230101/eu-west-1/sqs/aws4_request";
  EXPECT_EQ(to_text(command_of(with_credential("AKID" + scope))), "DeleteQueue 000000000000/eu-west-1/q");
  EXPECT_EQ(to_text(command_of(with_credential("123456789012" + scope))), "DeleteQueue 123456789012/eu-west-1/q");
  EXPECT_EQ(to_text(command_of(with_credential("AKID/20230101/local/sqs/aws4_request"))),
            "DeleteQueue 000000000000/local/q");
  EXPECT_EQ(to_text(command_of(with_credential("12345678901" + scope))), "DeleteQueue 000000000000/eu-west-1/q");
  for (const std::string odd : {"", "/", "AKID", "AKID/", "AKID//", "AKID/20230101/", "AKID/20230101/No Region/sqs"}) {
    EXPECT_EQ(to_text(command_of(with_credential(odd))), "DeleteQueue 000000000000/us-east-1/q") << odd;
  }
  EXPECT_EQ(
      to_text(command_of(get("/?Action=DeleteQueue&QueueUrl=q&X-Amz-Credential=AKID%2F20230101%2Feu-west-1%2Fsqs%2F"
                             "aws4_request"))),
      "DeleteQueue 000000000000/eu-west-1/q");
  const Prepared elsewhere = prepare_request(json_request("DeleteQueue", R"({"QueueUrl":"q"})"),
                                             {.account = "999999999999", .region = "ap-south-1"});
  EXPECT_EQ(to_text(std::get<PreparedCall>(elsewhere).command), "DeleteQueue 999999999999/ap-south-1/q");
}

TEST(Routing, TheAddressOfTheQueueHasPrecedenceOverTheCredentials) {
  Request request = with_credential("123456789012/20230101/eu-west-1/sqs/aws4_request");
  request.body = R"({"QueueUrl":"http://sqs.us-west-2.localhost/000000000000/q"})";
  EXPECT_EQ(to_text(command_of(request)), "DeleteQueue 000000000000/us-west-2/q");
}

TEST(Routing, ThePrincipalSends) {
  const std::string body = R"({"QueueUrl":"q","MessageBody":"b"})";
  const auto sender_of = [](const Request& request) {
    const Command command = command_of(request);
    return std::get<SendMessages>(command).messages.at(0).content.sender_id;
  };
  EXPECT_EQ(sender_of(json_request("SendMessage", body)), anonymous_principal);
  EXPECT_EQ(anonymous_principal.size(), 21U);
  EXPECT_EQ(sender_of(json_request("SendMessage", body).with("Authorization", "AWS4 Credential=AKID/x/y/z")), "AKID");
}

std::string url_for(Headers headers) {
  Request request = json_request("GetQueueUrl", R"({"QueueName":"q"})");
  request.headers.erase(request.headers.begin());
  request.headers.insert(request.headers.end(), headers.begin(), headers.end());
  const std::string body = answer_of(request, Done{}).body;
  const std::size_t start = std::string_view(R"({"QueueUrl":")").size();
  return body.substr(start, body.size() - start - 2);
}

TEST(Routing, QueueUrlsInAnswersAreUnderTheHostThatTheClientCalled) {
  EXPECT_EQ(url_for({{"Host", "queues.example:8080"}}), "http://queues.example:8080/000000000000/q");
  EXPECT_EQ(url_for({{"HOST", "[::1]:4566"}}), "http://[::1]:4566/000000000000/q");
  EXPECT_EQ(url_for({{"Host", "a"}, {"X-Forwarded-Proto", "https"}}), "https://a/000000000000/q");
  EXPECT_EQ(url_for({{"Host", "a"}, {"X-Forwarded-Proto", "HTTPS, http"}}), "https://a/000000000000/q");
  EXPECT_EQ(url_for({{"Host", "a"}, {"X-Forwarded-Proto", "http"}}), "http://a/000000000000/q");
  EXPECT_EQ(url_for({}), "http://localhost/000000000000/q");
  EXPECT_EQ(url_for({{"Host", ""}}), "http://localhost/000000000000/q");
  EXPECT_EQ(url_for({{"Host", "a/b\"<"}}), "http://localhost/000000000000/q");
}

TEST(Routing, HeadersThatAreNoTextAreAnsweredAsText) {
  EXPECT_EQ(status_and_body(refusal_of(Request{}.with("X-Amz-Target", "\xff\xfe"))),
            json_error(400, "com.amazon.coral.service#UnknownOperationException",
                       "The operation ?? is not known to this service."));
}

TEST(Routing, AnErrorIsWordedInTheProtocolOfItsRequest) {
  EXPECT_EQ(status_and_body(refusal_of(query_request("Action=a%01b"))),
            query_error(400, "InvalidAction",
                        "The action a\xEF\xBF\xBD"
                        "b is not valid for this endpoint."));
}

}  // namespace
}  // namespace penstock::protocol::testing
