// Prints what a service's operation table declares, for the checks that are written in Python:
//
//     penstock_declarations sqs|kinesis|lambda  as JSON, which compare.py holds against the service's API model
//     penstock_declarations sqs --markdown      as the table of README.md, which readme.py keeps there
//
// The same of Penstock's own API are `consumers`, `functions` and `server`, which have no model.
//
// The JSON is {"operations": [...], "faults": [...]}. An operation has its name, whether it is offered, its input and
// output as structures (null where it is only known by name) and the types of its errors; where it is a path, also its
// HTTP method, path and status. A structure has a name and members; a member its names on each wire, its place in a
// request or an answer, whether it is required, its type, and those of its constraints that are declared: range and
// length as [min, max], where null is no bound, allowed as a list of strings, pattern as text, and element (of a list's
// elements or a map's values) and key as objects with constraints of their own. A structure that occurs twice is
// printed twice, so that two declarations of one name are both compared.
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/errors.hpp"
#include "protocol/faults.hpp"
#include "protocol/kinesis/operations.hpp"
#include "protocol/lambda/operations.hpp"
#include "protocol/native/operations.hpp"
#include "protocol/operation.hpp"
#include "protocol/shape.hpp"
#include "protocol/sqs/operations.hpp"

namespace penstock::protocol {
namespace {

/// A row of any service's operation table.
struct Declared : OperationInfo {
  bool offered = false;
  std::string route{};        ///< of Penstock's own: method and path
  std::string_view method{};  ///< of Lambda's
  std::string_view path{};
  int status = 0;
};

std::vector<Declared> declared_by_lambda() {
  std::vector<Declared> all;
  for (const lambda::Operation& operation : lambda::operations()) {
    all.push_back({operation, true, {}, operation.method, operation.path, operation.status});
  }
  for (const lambda::Unoffered& operation : lambda::unoffered_operations()) {
    all.push_back({{operation.name}, false, {}, operation.method, operation.path});
  }
  return all;
}

/// What the operations of Penstock's own are about, as their paths say.
std::string_view subject_of(const native::Operation& operation) {
  if (operation.path.starts_with("/_penstock/functions")) return "functions";
  const bool is_of_consumers = operation.path.starts_with("/_penstock/streams") || operation.name == "DescribeApi";
  return is_of_consumers ? "consumers" : "server";
}

std::vector<Declared> declared_by_native(std::string_view subject) {
  std::vector<Declared> all;
  for (const native::Operation& operation : native::operations()) {
    if (subject_of(operation) != subject) continue;
    all.push_back(
        {operation, operation.prepare != nullptr, std::string(operation.method) + " " + std::string(operation.path)});
  }
  return all;
}

template <class Table>
std::vector<Declared> declared_in(const Table& table) {
  std::vector<Declared> all;
  for (const auto& operation : table) all.push_back({operation, operation.prepare != nullptr});
  return all;
}

/// Nothing for a service that there is not.
std::optional<std::vector<Declared>> declared_by(std::string_view service) {
  if (service == "sqs") return declared_in(sqs::operations());
  if (service == "kinesis") return declared_in(kinesis::operations());
  if (service == "lambda") return declared_by_lambda();
  if (service == "consumers" || service == "functions" || service == "server") return declared_by_native(service);
  return std::nullopt;
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
    if (!operation.method.empty()) {
      text("method", operation.method);
      text("path", operation.path);
      key("status");
      json_.Int(operation.status);
    }
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
    text("place", name_of(member.place));
    flag("required", member.required);
    key("type");
    print(*member.type);
    key("constraints");
    json_.StartObject();
    print(member.constraints);
    json_.EndObject();
    json_.EndObject();
  }

  template <class Number>
  void bound(Number number, Number unbounded) {
    if (number == unbounded) {
      json_.Null();
    } else {
      json_.Int64(static_cast<std::int64_t>(number));
    }
  }

  /// As members of the object that is open.
  void print(const Constraints& constraints) {
    if (const auto& range = constraints.range) {
      key("range");
      json_.StartArray();
      json_.Int64(range->min);
      bound(range->max, Range::unbounded);
      json_.EndArray();
    }
    if (const auto& length = constraints.length) {
      key("length");
      json_.StartArray();
      json_.Uint64(length->min);
      bound(length->max, Length::unbounded);
      json_.EndArray();
    }
    if (!constraints.allowed.empty()) {
      key("allowed");
      json_.StartArray();
      for (std::string_view name : constraints.allowed) value(name);
      json_.EndArray();
    }
    if (constraints.pattern != nullptr) text("pattern", constraints.pattern->text());
    print_inner("element", constraints.element);
    print_inner("key", constraints.key);
  }

  void print_inner(std::string_view name, const Constraints* constraints) {
    if (constraints == nullptr) return;
    key(name);
    json_.StartObject();
    print(*constraints);
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
      case Kind::number:
        return "double";
      case Kind::boolean:
        return "boolean";
      case Kind::blob:
        return "blob";
      case Kind::timestamp:
        return "timestamp";
      case Kind::list:
        return "list";
      case Kind::map:
        return "map";
      case Kind::structure:
        return "structure";
      case Kind::anything:
        return "anything";
    }
    return "unknown";
  }

  static std::string_view name_of(Place place) {
    switch (place) {
      case Place::body:
        return "body";
      case Place::path:
        return "path";
      case Place::query:
        return "query";
      case Place::header:
        return "header";
      case Place::payload:
        return "payload";
      case Place::status:
        return "status";
    }
    return "unknown";
  }

  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> json_{buffer_};
};

// ---- Markdown

std::string error_name(const Declared& operation, ErrorCode code) {
  return std::string(operation.route.empty() ? fault_of(code).short_type() : native_fault_of(code).name);
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
    if (!operation.offered || operation.errors.empty()) continue;
    std::erase_if(common,
                  [&](ErrorCode code) { return std::ranges::find(operation.errors, code) == operation.errors.end(); });
  }
  return common;
}

/// Those in a path are said by that.
std::string described(const MemberInfo& member) {
  std::string text(member.names.json);
  if (member.place == Place::query) text.insert(0, "?");
  if (member.required) text = "**" + text + "**";
  if (const auto& range = member.constraints.range) {
    const std::string max = range->max == Range::unbounded ? "" : std::to_string(range->max);
    text.append(" ").append(std::to_string(range->min)).append("–").append(max);
  }
  return text;
}

/// Of an operation about consumers, what differs from the others' paths.
std::string title_of(const Declared& operation) {
  std::string title(operation.name);
  if (operation.route.empty()) return title;
  std::string route = operation.route;
  constexpr std::string_view usual = "/_penstock/streams/{Stream}/consumers";
  if (const std::size_t at = route.find(usual); at != std::string::npos) route.replace(at, usual.size(), "…");
  return title + " `" + route + "`";
}

/// Whether every operation of its kind has it, so that no row need say so.
bool is_everywhere(const MemberInfo& member) {
  return member.place == Place::query && (member.names.json == "Region" || member.names.json == "Account");
}

/// Whether a row says that an operation takes it. What has only a place to be refused in is not taken.
bool is_told(const MemberInfo& member) {
  return member.place != Place::path && member.type->kind != Kind::anything && !is_everywhere(member);
}

std::string row_of(const Declared& operation, const std::vector<ErrorCode>& common) {
  const std::string title = title_of(operation);
  if (!operation.offered) return "| " + title + " | *not offered yet* | |\n";
  std::vector<std::string> members;
  if (operation.input != nullptr) {
    for (const MemberInfo& member : operation.input->members) {
      if (is_told(member)) members.push_back(described(member));
    }
  }
  std::vector<std::string> errors;
  for (ErrorCode code : operation.errors) {
    if (std::ranges::find(common, code) == common.end()) errors.push_back(error_name(operation, code));
  }
  return "| " + title + " | " + joined(members) + " |" + (errors.empty() ? "" : " " + joined(errors)) + " |\n";
}

std::string markdown_of(const std::vector<Declared>& operations) {
  const std::vector<ErrorCode> common = common_errors(operations);
  const bool has_model = operations.front().route.empty();
  std::vector<std::string> errors;
  for (ErrorCode code : common) errors.push_back(error_name(operations.front(), code));
  const auto offered = std::ranges::count(operations, true, &Declared::offered);
  const std::string count = has_model ? std::to_string(offered) + " of " + std::to_string(operations.size())
                                      : std::to_string(operations.size());
  std::string text = "| operation (" + count + ") | what it takes, the required in bold | " +
                     (has_model ? "the errors of its model" : "its errors") +
                     (errors.empty() ? "" : ", besides " + joined(errors)) + " |\n|---|---|---|\n";
  for (const Declared& operation : operations) {
    // Of Lambda there are many that are about nothing that is here.
    if (operation.offered || operation.method.empty()) text += row_of(operation, common);
  }
  return text;
}

}  // namespace
}  // namespace penstock::protocol

int main(int argc, char** argv) {
  using namespace penstock::protocol;
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  const bool markdown = arguments.size() == 2 && arguments[1] == "--markdown";
  const auto operations = arguments.empty() ? std::nullopt : declared_by(arguments[0]);
  if (!operations || (arguments.size() > 1 && !markdown)) {
    std::fputs("usage: penstock_declarations sqs|kinesis|lambda|consumers|functions|server [--markdown]\n", stderr);
    return 2;
  }
  const std::string text = markdown ? markdown_of(*operations) : JsonPrinter().print(*operations) + "\n";
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
