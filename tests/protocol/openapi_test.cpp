// The document of Penstock's own API, held against the operation table.
#include "protocol/native/openapi.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "protocol/faults.hpp"
#include "protocol/native/operations.hpp"
#include "protocol/support.hpp"

namespace penstock::protocol::testing {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

class OpenApi : public ::testing::Test {
 protected:
  OpenApi() {
    Request request;
    request.method = "GET";
    request.target = native::document_path;
    const Prepared prepared = prepare_request(request);
    response_ = std::get<WireResponse>(prepared);
    if (parser_.parse(simdjson::padded_string(response_.body)).get(root_) != simdjson::SUCCESS) {
      ADD_FAILURE() << "no JSON: " << response_.body;
    }
  }

  const WireResponse& response() const { return response_; }
  element root() const { return root_; }

  /// What a pointer such as "/info/title" names; fails where there is nothing.
  element at(std::string_view pointer) const { return at(root_, pointer); }
  static element at(element from, std::string_view pointer) {
    element found;
    EXPECT_EQ(from.at_pointer(pointer).get(found), simdjson::SUCCESS) << pointer;
    return found;
  }
  static bool has(element from, std::string_view key) { return from.at_key(key).error() == simdjson::SUCCESS; }
  static std::string text_at(element from, std::string_view pointer) {
    return std::string(std::string_view(at(from, pointer)));
  }

  /// A path in a pointer has its slashes written ~1.
  element operation_at(std::string_view path, std::string_view method) const {
    std::string pointer = "/paths/";
    for (const char c : path) c == '/' ? pointer.append("~1") : pointer.append(1, c);
    return at(pointer + "/" + lower(method));
  }
  static std::string lower(std::string_view method) {
    std::string text(method);
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
  }

  template <class Visit>
  static void walk(element value, const std::string& place, const Visit& visit) {
    visit(value, place);
    if (value.is_object()) {
      for (const auto [key, inner] : object(value)) walk(inner, place + "/" + std::string(key), visit);
    } else if (value.is_array()) {
      std::size_t index = 0;
      for (const element inner : array(value)) walk(inner, place + "/" + std::to_string(index++), visit);
    }
  }

 private:
  WireResponse response_;
  simdjson::dom::parser parser_;
  element root_;
};

TEST_F(OpenApi, IsAnswered) {
  EXPECT_EQ(response().status, 200);
  EXPECT_EQ(response().content_type, "application/json");
  EXPECT_EQ(text_at(root(), "/openapi"), "3.0.3");
  EXPECT_FALSE(text_at(root(), "/info/title").empty());
  EXPECT_FALSE(text_at(root(), "/info/version").empty());
}

TEST_F(OpenApi, HasEveryRouteOfTheTableAndNoOther) {
  std::set<std::pair<std::string, std::string>> described;
  for (const auto [path, methods] : object(at("/paths"))) {
    for (const auto [method, operation] : object(methods)) {
      described.emplace(path, method);
      const std::string name = text_at(operation, "/operationId");
      const auto& table = native::operations();
      EXPECT_TRUE(std::ranges::any_of(table, [&](const native::Operation& each) { return each.name == name; })) << name;
    }
  }
  std::set<std::pair<std::string, std::string>> routes;
  for (const native::Operation& operation : native::operations()) {
    routes.emplace(operation.path, lower(operation.method));
    const element documented = operation_at(operation.path, operation.method);
    EXPECT_EQ(text_at(documented, "/operationId"), operation.name);
    EXPECT_EQ(text_at(documented, "/summary"), operation.summary);
    EXPECT_FALSE(operation.summary.empty()) << operation.name;
  }
  EXPECT_EQ(described, routes);
}

TEST_F(OpenApi, EveryReferenceResolvesAndEverySchemaIsReferredTo) {
  std::set<std::string> referred;
  walk(root(), "", [&](element value, const std::string& place) {
    if (!place.ends_with("/$ref")) return;
    const std::string_view reference(value);
    ASSERT_TRUE(reference.starts_with("#/components/schemas/")) << place;
    EXPECT_EQ(root().at_pointer(reference.substr(1)).error(), simdjson::SUCCESS) << reference;
    referred.emplace(reference.substr(reference.rfind('/') + 1));
  });
  for (const auto [name, schema] : object(at("/components/schemas"))) {
    EXPECT_TRUE(referred.contains(std::string(name))) << name;
  }
}

TEST_F(OpenApi, EveryMemberAndParameterIsDescribed) {
  for (const auto [name, schema] : object(at("/components/schemas"))) {
    for (const auto [member, value] : object(at(schema, "/properties"))) {
      EXPECT_FALSE(text_at(value, "/description").empty()) << name << "." << member;
      EXPECT_TRUE(has(value, "type") || has(value, "allOf")) << name << "." << member;
    }
  }
  for (const native::Operation& operation : native::operations()) {
    const element documented = operation_at(operation.path, operation.method);
    if (!has(documented, "parameters")) continue;
    for (const element parameter : array(at(documented, "/parameters"))) {
      EXPECT_FALSE(text_at(parameter, "/description").empty()) << operation.name;
      at(parameter, "/schema/type");
    }
  }
}

TEST_F(OpenApi, ThePathsParametersAreThoseInBraces) {
  for (const native::Operation& operation : native::operations()) {
    if (operation.input == nullptr) continue;
    std::set<std::string> in_braces;
    for (std::string_view rest = operation.path; rest.find('{') != std::string_view::npos;) {
      rest.remove_prefix(rest.find('{') + 1);
      in_braces.emplace(rest.substr(0, rest.find('}')));
    }
    std::set<std::string> documented;
    for (const element parameter : array(at(operation_at(operation.path, operation.method), "/parameters"))) {
      if (text_at(parameter, "/in") != "path") continue;
      documented.insert(text_at(parameter, "/name"));
      EXPECT_TRUE(bool(at(parameter, "/required")));
    }
    EXPECT_EQ(documented, in_braces) << operation.name;
  }
}

TEST_F(OpenApi, SaysWhatTheDeclarationsSay) {
  const element create = at("/components/schemas/CreateConsumerInput");
  EXPECT_EQ(std::int64_t(at(create, "/properties/LeaseMillis/minimum")), 100);
  EXPECT_EQ(std::int64_t(at(create, "/properties/LeaseMillis/maximum")), 3'600'000);
  EXPECT_EQ(text_at(create, "/properties/CommitMode/enum/0"), "ON_POLL");
  EXPECT_EQ(text_at(create, "/properties/Start/allOf/0/$ref"), "#/components/schemas/Start");
  EXPECT_FALSE(bool(at(create, "/additionalProperties")));
  EXPECT_FALSE(has(at(create, "/properties"), "Consumer")) << "which stands in the path";

  const element poll = at("/components/schemas/PollInput");
  EXPECT_EQ(text_at(poll, "/required/0"), "Member");
  EXPECT_EQ(array(at(poll, "/required")).size(), 1U);
  EXPECT_EQ(text_at(poll, "/properties/Member/pattern"), "^(?:[a-zA-Z0-9_.-]+)$");
  EXPECT_EQ(std::int64_t(at(poll, "/properties/Member/maxLength")), 128);

  const element transact = at("/components/schemas/TransactInput");
  EXPECT_EQ(std::int64_t(at(transact, "/properties/Records/maxItems")), 500);
  EXPECT_EQ(text_at(transact, "/properties/Records/items/$ref"), "#/components/schemas/NewRecord");
  EXPECT_EQ(text_at(root(), "/components/schemas/Record/properties/Data/format"), "byte");
  EXPECT_FALSE(has(at("/components/schemas/Record"), "additionalProperties"));
}

TEST_F(OpenApi, SaysWhichAnswersThereAre) {
  for (const native::Operation& operation : native::operations()) {
    std::set<std::string> statuses;
    for (const int status : operation.statuses) statuses.insert(std::to_string(status));
    std::map<std::string, std::string> errors;
    for (const ErrorCode code : operation.errors) {
      const NativeFault fault = native_fault_of(code);
      statuses.insert(std::to_string(fault.status));
      errors[std::string(fault.name)] = std::to_string(fault.status);
    }
    const element answers = at(operation_at(operation.path, operation.method), "/responses");
    std::set<std::string> documented;
    for (const auto [status, answer] : object(answers)) {
      documented.emplace(status);
      EXPECT_FALSE(text_at(answer, "/description").empty()) << operation.name << " " << status;
    }
    EXPECT_EQ(documented, statuses) << operation.name;
    for (const auto& [name, status] : errors) {
      EXPECT_NE(text_at(answers, "/" + status + "/description").find(name + ": "), std::string::npos)
          << operation.name << " " << name;
    }
  }
}

// One name stands for one structure, or the document could not refer to it.
TEST_F(OpenApi, NoTwoStructuresHaveOneName) {
  std::map<std::string_view, const StructureInfo*> structures;
  const auto visit = [&](const auto& self, const StructureInfo& structure) -> void {
    const auto [found, added] = structures.emplace(structure.name, &structure);
    EXPECT_EQ(found->second, &structure) << structure.name;
    if (!added) return;
    for (const MemberInfo& member : structure.members) {
      const TypeInfo* type = member.type->element != nullptr ? member.type->element : member.type;
      if (type->structure != nullptr) self(self, *type->structure);
    }
  };
  for (const native::Operation& operation : native::operations()) {
    if (operation.input != nullptr) visit(visit, *operation.input);
    if (operation.output != nullptr) visit(visit, *operation.output);
  }
}

}  // namespace
}  // namespace penstock::protocol::testing
