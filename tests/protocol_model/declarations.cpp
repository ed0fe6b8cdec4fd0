// Prints what a service's operation table declares, for the checks that are written in Python:
//
//     penstock_declarations sqs             as JSON, which compare.py holds against the service's API model
//     penstock_declarations sqs --markdown  as the table of README.md, which readme.py keeps there
//
// The JSON is {"operations": [...], "faults": [...]}. An operation has its name, whether it is offered, its input and
// output as structures (null where it is only known by name) and the types of its errors. A structure has a name and
// members; a member its names on each wire, whether it is required, its type, and those of its constraints that are
// declared: range as [min, max], allowed as a list of strings. A structure that occurs twice is printed twice, so that
// two declarations of one name are both compared.
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/errors.hpp"
#include "protocol/faults.hpp"
#include "protocol/shape.hpp"
#include "protocol/sqs/operations.hpp"

namespace penstock::protocol {
namespace {

/// What the operation tables of all services have in common.
struct Declared {
  std::string_view name;
  bool offered = false;
  const StructureInfo* input = nullptr;
  const StructureInfo* output = nullptr;
  std::span<const ErrorCode> errors;
};

std::vector<Declared> declared_by(std::string_view service) {
  std::vector<Declared> all;
  if (service == "sqs") {
    for (const sqs::Operation& operation : sqs::operations()) {
      all.push_back(
          {operation.name, operation.prepare != nullptr, operation.input, operation.output, operation.errors});
    }
  }
  return all;
}

// ---- JSON

class JsonPrinter {
 public:
  std::string print(const std::vector<Declared>& operations) {
    json_.StartObject();
    key("operations");
    json_.StartArray();
    for (const Declared& operation : operations) print(operation);
    json_.EndArray();
    key("faults");
    json_.StartArray();
    for (auto code = ErrorCode{}; code <= ErrorCode::InternalFailure;
         code = static_cast<ErrorCode>(static_cast<int>(code) + 1)) {
      print(fault_of(code));
    }
    json_.EndArray();
    json_.EndObject();
    return {buffer_.GetString(), buffer_.GetSize()};
  }

 private:
  void key(std::string_view name) { json_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size())); }
  void value(std::string_view text) { json_.String(text.data(), static_cast<rapidjson::SizeType>(text.size())); }
  void text(std::string_view name, std::string_view given) {
    key(name);
    value(given);
  }
  void flag(std::string_view name, bool given) {
    key(name);
    json_.Bool(given);
  }

  void print(const Declared& operation) {
    json_.StartObject();
    text("name", operation.name);
    flag("offered", operation.offered);
    key("input");
    print(operation.input);
    key("output");
    print(operation.output);
    key("errors");
    json_.StartArray();
    for (ErrorCode code : operation.errors) value(fault_of(code).json_type);
    json_.EndArray();
    json_.EndObject();
  }

  void print(const Fault& fault) {
    json_.StartObject();
    text("type", fault.json_type);
    text("query_code", fault.query_code);
    key("status");
    json_.Int(fault.status);
    flag("sender", fault.sender);
    json_.EndObject();
  }

  void print(const StructureInfo* structure) {
    if (structure == nullptr) {
      json_.Null();
      return;
    }
    json_.StartObject();
    text("name", structure->name);
    key("members");
    json_.StartArray();
    for (const MemberInfo& member : structure->members) print(member);
    json_.EndArray();
    json_.EndObject();
  }

  void print(const MemberInfo& member) {
    json_.StartObject();
    text("json", member.names.json);
    text("query", member.names.query);
    text("key", member.names.key);
    text("value", member.names.value);
    flag("required", member.required);
    key("type");
    print(*member.type);
    if (const auto& range = member.constraints.range) {
      key("range");
      json_.StartArray();
      json_.Int64(range->min);
      json_.Int64(range->max);
      json_.EndArray();
    }
    if (!member.constraints.allowed.empty()) {
      key("allowed");
      json_.StartArray();
      for (std::string_view name : member.constraints.allowed) value(name);
      json_.EndArray();
    }
    json_.EndObject();
  }

  void print(const TypeInfo& type) {
    json_.StartObject();
    text("kind", name_of(type.kind));
    if (type.element != nullptr) {
      key("element");
      print(*type.element);
    }
    if (type.structure != nullptr) {
      key("structure");
      print(type.structure);
    }
    json_.EndObject();
  }

  /// As the model calls it.
  static std::string_view name_of(Kind kind) {
    switch (kind) {
      case Kind::string:
        return "string";
      case Kind::integer:
        return "integer";
      case Kind::long_integer:
        return "long";
      case Kind::boolean:
        return "boolean";
      case Kind::blob:
        return "blob";
      case Kind::list:
        return "list";
      case Kind::map:
        return "map";
      case Kind::structure:
        return "structure";
    }
    return "unknown";
  }

  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> json_{buffer_};
};

// ---- Markdown

std::string error_name(ErrorCode code) {
  const std::string_view type = fault_of(code).json_type;
  return std::string(type.substr(type.find('#') + 1));
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

/// The errors that each of the offered operations has.
std::vector<ErrorCode> common_errors(const std::vector<Declared>& operations) {
  const auto first = std::ranges::find(operations, true, &Declared::offered);
  if (first == operations.end()) return {};
  std::vector<ErrorCode> common(first->errors.begin(), first->errors.end());
  for (const Declared& operation : operations) {
    if (!operation.offered) continue;
    std::erase_if(common,
                  [&](ErrorCode code) { return std::ranges::find(operation.errors, code) == operation.errors.end(); });
  }
  return common;
}

std::string described(const MemberInfo& member) {
  std::string text(member.names.json);
  if (member.required) text = "**" + text + "**";
  if (const auto& range = member.constraints.range) {
    text.append(" ").append(std::to_string(range->min)).append("–").append(std::to_string(range->max));
  }
  return text;
}

std::string row_of(const Declared& operation, const std::vector<ErrorCode>& common) {
  const std::string name(operation.name);
  if (!operation.offered || operation.input == nullptr) return "| " + name + " | *not offered yet* | |\n";
  std::vector<std::string> members;
  for (const MemberInfo& member : operation.input->members) members.push_back(described(member));
  std::vector<std::string> errors;
  for (ErrorCode code : operation.errors) {
    if (std::ranges::find(common, code) == common.end()) errors.push_back(error_name(code));
  }
  return "| " + name + " | " + joined(members) + " |" + (errors.empty() ? "" : " " + joined(errors)) + " |\n";
}

std::string markdown_of(const std::vector<Declared>& operations) {
  const std::vector<ErrorCode> common = common_errors(operations);
  std::vector<std::string> errors;
  for (ErrorCode code : common) errors.push_back(error_name(code));
  const auto offered = std::ranges::count(operations, true, &Declared::offered);
  std::string text = "| operation (" + std::to_string(offered) + " of " + std::to_string(operations.size()) +
                     ") | what it takes, the required in bold | the errors of its model, besides " + joined(errors) +
                     " |\n|---|---|---|\n";
  for (const Declared& operation : operations) text += row_of(operation, common);
  return text;
}

}  // namespace
}  // namespace penstock::protocol

int main(int argc, char** argv) {
  using namespace penstock::protocol;
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  const bool markdown = arguments.size() == 2 && arguments[1] == "--markdown";
  const std::vector<Declared> operations = arguments.empty() ? std::vector<Declared>() : declared_by(arguments[0]);
  if (operations.empty() || (arguments.size() > 1 && !markdown)) {
    std::fputs("usage: penstock_declarations sqs [--markdown]\n", stderr);
    return 2;
  }
  const std::string text = markdown ? markdown_of(operations) : JsonPrinter().print(operations) + "\n";
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
