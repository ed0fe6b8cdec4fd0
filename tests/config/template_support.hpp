// Templates as tests read them: to a setup and what is said of it, or to what one value comes to.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "config/check.hpp"
#include "config/creation.hpp"
#include "config/template/given_parameters.hpp"
#include "config/template/template.hpp"
#include "config/yaml.hpp"

namespace penstock::config {

inline const Place here{"123456789012", "eu-west-1", "/nowhere/at/all", false, from_epoch_ms(1'900'000'000'000)};

struct Read {
  Setup setup;
  std::vector<std::string> problems;
  std::vector<std::string> notes;
};

inline Read read(const std::string& text, std::vector<GivenParameter> parameters = {}) {
  Problems problems("t.yaml");
  Read read;
  const auto document = read_yaml(text, problems, Words::yaml_1_1);
  if (document) {
    EXPECT_TRUE(is_template(*document));
    read.setup =
        read_template(*document, {here.account, here.region, "http://127.0.0.1:4566", std::move(parameters)}, problems);
    check_setup(read.setup, here, problems);
  }
  read.problems = problems.lines();
  read.notes = problems.notes();
  return read;
}

inline std::vector<std::string> problems_of(const std::string& text, std::vector<GivenParameter> parameters = {}) {
  return read(text, std::move(parameters)).problems;
}

/// What one value of a template comes to, as JSON, or what is wrong with it, and how far behind its begin. It is a
/// variable of a function.
inline std::string evaluated(const std::string& value, const std::string& sections = {},
                             std::vector<GivenParameter> parameters = {}) {
  const std::string before =
      "Resources: {F: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.11, Handler: a.b, Code: {ZipFile: "
      "x}, "
      "Environment: {Variables: {VALUE: ";
  const std::string behind = "}}}}, Q: {Type: AWS::SQS::Queue}, S: {Type: AWS::Kinesis::Stream}}\n";
  const Read all = read(before + value + behind + sections, std::move(parameters));
  if (!all.problems.empty()) {
    const std::string& problem = all.problems.front();
    const std::string file = "t.yaml:1:";
    if (!problem.starts_with(file)) return problem;
    const std::size_t end = problem.find(':', file.size());
    const auto column = std::stoul(problem.substr(file.size(), end - file.size()));
    return "+" + std::to_string(column - before.size() - 1) + problem.substr(end);
  }
  const Value* const variables = all.setup.functions.front().members.find("Environment")->find("Variables");
  const Value* const found = variables->find("VALUE");
  return found == nullptr ? "nothing" : to_json(*found);
}

inline std::string names_of(const std::vector<Resource>& resources) {
  std::string names;
  for (const Resource& resource : resources) names.append(names.empty() ? "" : " ").append(resource.name);
  return names;
}

inline std::string mappings_of(const Setup& setup) {
  std::string all;
  for (const Mapping& mapping : setup.mappings) all.append(all.empty() ? "" : "; ").append(shown(mapping));
  return all;
}

}  // namespace penstock::config
