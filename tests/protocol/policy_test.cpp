// How AddPermission and RemovePermission edit a queue's policy, and the forms in which policies of dead letters are
// kept.
#include <gtest/gtest.h>

#include "protocol/sqs/queue_policies.hpp"
#include "protocol/support.hpp"

namespace penstock::protocol::testing {
namespace {

const std::string arn = "arn:aws:sqs:us-east-1:000000000000:q";

std::string statement(const std::string& label) {
  return R"({"Sid":")" + label +
         R"(","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"SQS:SendMessage",)"
         R"("Resource":")" +
         arn + R"("})";
}

std::string policy_of(const std::string& statements) {
  return R"({"Version":"2008-10-17","Id":")" + arn + R"(/SQSDefaultPolicy","Statement":[)" + statements + "]}";
}

/// The new document, or the error's message.
std::string text_of(const std::variant<std::string, Error>& edited) {
  const auto* error = std::get_if<Error>(&edited);
  return error != nullptr ? error->message : std::get<std::string>(edited);
}

std::string add(const std::string& policy, const std::string& label) {
  return text_of(sqs::add_permission(policy, arn, {label, {"123456789012"}, {"SendMessage"}}));
}

std::string remove(const std::string& policy, const std::string& label) {
  return text_of(sqs::remove_permission(policy, label));
}

TEST(Permissions, AreStatementsThatComeAndGo) {
  const std::string one = add({}, "a");
  EXPECT_EQ(one, policy_of(statement("a")));
  const std::string two = add(one, "b");
  EXPECT_EQ(two, policy_of(statement("a") + "," + statement("b")));
  EXPECT_EQ(remove(two, "a"), policy_of(statement("b")));
  EXPECT_EQ(remove(two, "b"), one);
  EXPECT_EQ(remove(one, "a"), "");
}

TEST(Permissions, LabelsAreThereOnce) {
  const std::string one = add({}, "a");
  EXPECT_EQ(add(one, "a"), "Value a for parameter Label is invalid. Reason: Already exists.");
  EXPECT_EQ(remove(one, "b"), "Value b for parameter Label is invalid. Reason: can't find label.");
  EXPECT_EQ(remove({}, "a"), "Value a for parameter Label is invalid. Reason: can't find label.");
  EXPECT_EQ(std::get<Error>(sqs::remove_permission(one, "b")).code, ErrorCode::InvalidParameterValue);
}

TEST(Permissions, AForeignPolicyKeepsWhatItHas) {
  const std::string other = R"({"Sid":"mine","Effect":"Deny","Principal":"*","Action":["sqs:*"],"Resource":"*",)"
                            R"("Condition":{"Bool":{"aws:SecureTransport":false},"n":[1,-2,1.5,null,true,"\\\"é"]}})";
  const std::string before = R"({"Statement":[)" + other + R"(],"Version":"2012-10-17","Id":null})";
  const std::string after =
      R"({"Statement":[)" + other + "," + statement("a") + R"(],"Version":"2012-10-17","Id":null})";
  EXPECT_EQ(add(before, "a"), after);
  EXPECT_EQ(remove(after, "a"), before);
  EXPECT_EQ(remove(after, "mine"), R"({"Statement":[)" + statement("a") + R"(],"Version":"2012-10-17","Id":null})");
  EXPECT_EQ(add(before, "mine"), "Value mine for parameter Label is invalid. Reason: Already exists.");
}

TEST(Permissions, AStatementMayStandAlone) {
  const std::string alone = R"({"Version":"2012-10-17","Statement":)" + statement("a") + "}";
  EXPECT_EQ(add(alone, "b"), R"({"Version":"2012-10-17","Statement":[)" + statement("a") + "," + statement("b") + "]}");
  EXPECT_EQ(remove(alone, "a"), "");
  EXPECT_EQ(add(R"({"Version":"2012-10-17"})", "a"),
            R"({"Version":"2012-10-17","Statement":[)" + statement("a") + "]}");
}

TEST(Permissions, OddPoliciesAreNoTrouble) {
  EXPECT_EQ(add("nonsense", "a"), "Invalid value for the parameter Policy.");
  EXPECT_EQ(add(R"({"Statement":1})", "a"), R"({"Statement":[1,)" + statement("a") + "]}");
  EXPECT_EQ(add(R"({"Statement":["x",{"Sid":1}]})", "a"), R"({"Statement":["x",{"Sid":1},)" + statement("a") + "]}");
  EXPECT_EQ(remove(R"({"Statement":[[],{}]})", "a"),
            "Value a for parameter Label is invalid. Reason: can't find label.");
}

TEST(Permissions, EditsMayBeMadeInAnotherThreadAfterTheRequestIsGone) {
  const Command command = command_of(json_request(
      "AddPermission", R"({"QueueUrl":"q","Label":"a","AWSAccountIds":["123456789012"],"Actions":["SendMessage"]})"));
  EXPECT_EQ(text_of(std::get<EditPolicy>(command).edit({}, arn)), policy_of(statement("a")));
  const Command other = command_of(json_request("RemovePermission", R"({"QueueUrl":"q","Label":"a"})"));
  EXPECT_EQ(text_of(std::get<EditPolicy>(other).edit(policy_of(statement("a")), arn)), "");
}

// ---- The form in which policies of dead letters are kept

std::string attributes_asked(const std::string& attribute, const std::string& policy) {
  const std::string text = asked_of(
      query_request("Action=CreateQueue&QueueName=q&Attribute.1.Name=" + attribute + "&Attribute.1.Value=" + policy));
  const std::size_t at = text.find("CreateQueue");
  return at == std::string::npos ? text : text.substr(at);
}

TEST(DeadLetterPolicies, HaveOneForm) {
  const std::string target = "arn:aws:sqs:us-east-1:000000000000:d";
  const std::string kept = R"(CreateQueue 000000000000/us-east-1/q {RedrivePolicy={"deadLetterTargetArn":")" + target +
                           R"(","maxReceiveCount":1000}} tags={} redrive=)" + target + "*1000";
  for (const std::string count : {"1000", "\"1000\"", "1000.0", " 1000 "}) {
    EXPECT_EQ(attributes_asked("RedrivePolicy",
                               R"({ "maxReceiveCount":)" + count + R"(,"deadLetterTargetArn":")" + target + "\"}"),
              kept);
  }
  EXPECT_EQ(attributes_asked("RedrivePolicy", ""), "CreateQueue 000000000000/us-east-1/q {RedrivePolicy=} tags={}");
  EXPECT_EQ(attributes_asked("RedriveAllowPolicy", ""),
            "CreateQueue 000000000000/us-east-1/q {RedriveAllowPolicy=} tags={}");
  EXPECT_EQ(
      attributes_asked("RedriveAllowPolicy", R"({ "redrivePermission" : "denyAll" })"),
      R"(CreateQueue 000000000000/us-east-1/q {RedriveAllowPolicy={"redrivePermission":"denyAll"}} tags={} allow=1[])");
  EXPECT_EQ(
      attributes_asked("RedriveAllowPolicy", R"({"sourceQueueArns":[],"redrivePermission":"allowAll"})"),
      R"(CreateQueue 000000000000/us-east-1/q {RedriveAllowPolicy={"redrivePermission":"allowAll"}} tags={} allow=0[])");
}

TEST(DeadLetterPolicies, TheTargetIsAskedWithTheTextAsItWasSent) {
  const std::string policy =
      R"({ "maxReceiveCount":"1", "deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:d"})";
  Request request =
      query_request("Action=SetQueueAttributes&QueueUrl=q&Attribute.1.Name=RedrivePolicy&Attribute.1.Value=" + policy);
  const std::string asked = asked_of(request);
  EXPECT_EQ(asked.substr(0, asked.find(';')),
            "CheckRedriveTarget 000000000000/us-east-1/d of 000000000000/us-east-1/q " + policy);
}

TEST(Policies, ThatWereSetAreKeptAsTheyAre) {
  EXPECT_EQ(attributes_asked("Policy", R"({ "Version" : "2012-10-17" })"),
            R"(CreateQueue 000000000000/us-east-1/q {Policy={ "Version" : "2012-10-17" }} tags={})");
  EXPECT_EQ(attributes_asked("Policy", ""), "CreateQueue 000000000000/us-east-1/q {Policy=} tags={}");
}

}  // namespace
}  // namespace penstock::protocol::testing
