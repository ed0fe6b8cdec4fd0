#include "config/credentials.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace penstock::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Read {
  std::vector<std::string> keys;  ///< with their secrets
  std::vector<std::string> problems;
};

Read read(std::string_view text) {
  Problems problems("f");
  Read found;
  for (const Credential& one : read_shared_credentials(text, problems)) {
    found.keys.push_back(one.access_key + " " + one.secret + " " + std::to_string(one.at.line));
  }
  found.problems = problems.lines();
  return found;
}

TEST(SharedCredentials, AreThoseOfAllProfiles) {
  const Read found = read(
      "# comment\n; comment\n[default]\naws_access_key_id = A\naws_secret_access_key=s/e+c=r=et==\n\n"
      "[ two ]\r\nAWS_SECRET_ACCESS_KEY = t\r\nregion=eu-west-1\r\naws_access_key_id=B\r\n[three]\nrole_arn = arn:x\n"
      "[same]\naws_access_key_id=A\naws_secret_access_key=s/e+c=r=et==");
  EXPECT_THAT(found.problems, IsEmpty());
  EXPECT_THAT(found.keys, ElementsAre("A s/e+c=r=et== 3", "B t 7"));
}

TEST(SharedCredentials, OfNothingAreNone) {
  EXPECT_THAT(read("").keys, IsEmpty());
  EXPECT_THAT(read("[a]\n[b\n[]\n=\nnonsense\n").problems, IsEmpty());
}

TEST(SharedCredentials, HalvesAndContradictionsAreProblems) {
  EXPECT_THAT(read("[a]\naws_access_key_id=A\n[b]\naws_secret_access_key=s\n").problems,
              ElementsAre("f:1:1: the profile 'a' has no aws_secret_access_key",
                          "f:3:1: the profile 'b' has no "
                          "aws_access_key_id"));
  EXPECT_THAT(read("[a]\naws_access_key_id=A\naws_secret_access_key=s\n[b]\naws_access_key_id=A\n"
                   "aws_secret_access_key=t\n")
                  .problems,
              ElementsAre("f:4:1: 'A' has another secret above"));
  EXPECT_THAT(read("[a]\naws_access_key_id=A/B\naws_secret_access_key=s\n").problems,
              ElementsAre("f:1:1: 'A/B' is no access key"));
  EXPECT_THAT(read("[a]\naws_access_key_id=A\naws_secret_access_key=\n").problems,
              ElementsAre("f:1:1: the secret of 'A' has to be a text of 1 to 256 characters without spaces"));
}

}  // namespace
}  // namespace penstock::config
