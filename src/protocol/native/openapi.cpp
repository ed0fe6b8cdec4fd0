#include "protocol/native/openapi.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/faults.hpp"
#include "protocol/json.hpp"
#include "protocol/native/operations.hpp"
#include "protocol/shape.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol::native {
namespace {

constexpr std::string_view about_api =
    "Consumers of streams whose positions the server keeps, and functions that are registered by what runs them. Data "
    "is base64; a moment is a number of seconds since 1970, "
    "with a fraction. The account and the region are those of the credentials that a request is signed with, or else "
    "the server's, unless the query says others.";

std::string schema_reference(std::string_view name) { return std::string("#/components/schemas/").append(name); }

class DocumentWriter {
 public:
  std::string write(std::span<const Operation> operations) {
    collect(operations);
    json_.open();
    text("openapi", "3.0.3");
    json_.key("info");
    json_.open();
    text("title", "Penstock: consumers with positions, and functions");
    text("version", "1");
    text("description", about_api);
    json_.close();
    write_paths(operations);
    json_.key("components");
    json_.open();
    json_.key("schemas");
    json_.open();
    for (const auto& [name, schema] : schemas_) write_schema(name, schema);
    write_error_schema();
    json_.close();
    json_.close();
    json_.close();
    return json_.take();
  }

 private:
  struct Schema {
    const StructureInfo* structure = nullptr;
    bool given = false;  ///< part of a request, in which nothing else may stand
  };

  void text(std::string_view name, std::string_view value) {
    json_.key(name);
    json_.value(value);
  }
  void number(std::string_view name, std::int64_t value) {
    json_.key(name);
    json_.integer({}, value);
  }
  void flag(std::string_view name, bool value) {
    json_.key(name);
    json_.boolean({}, value);
  }
  void reference(std::string_view schema) {
    json_.open();
    text("$ref", schema_reference(schema));
    json_.close();
  }

  static bool has_body(const StructureInfo& input) {
    return std::ranges::any_of(input.members, [](const MemberInfo& member) { return member.place == Place::body; });
  }

  // ---- Which structures there are.

  void collect(std::span<const Operation> operations) {
    for (const Operation& operation : operations) {
      if (operation.input != nullptr && has_body(*operation.input)) collect(*operation.input, true);
      if (operation.output != nullptr && !operation.output->members.empty()) collect(*operation.output, false);
    }
  }
  void collect(const StructureInfo& structure, bool given) {
    Schema& schema = schemas_[structure.name];
    schema.structure = &structure;
    schema.given = schema.given || given;
    for (const MemberInfo& member : structure.members) {
      const TypeInfo* type = member.type;
      if (type->element != nullptr) type = type->element;
      if (type->structure != nullptr) collect(*type->structure, given);
    }
  }

  // ---- Schemas. A structure's name is followed by what it is.

  void write_schema(std::string_view name, const Schema& schema) {
    json_.key(name);
    json_.open();
    text("type", "object");
    std::vector<std::string_view> required;
    json_.key("properties");
    json_.open();
    for (const MemberInfo& member : schema.structure->members) {
      if (member.place != Place::body) continue;
      if (member.required) required.push_back(member.names.json);
      json_.key(member.names.json);
      write_member(member);
    }
    json_.close();
    write_list("required", required);
    if (schema.given) flag("additionalProperties", false);
    json_.close();
  }

  void write_error_schema() {
    json_.key("Error");
    json_.open();
    text("type", "object");
    json_.key("properties");
    json_.open();
    for (const auto& [name, description] : {std::pair{"Error", "What went wrong, as a name."},
                                            std::pair{"Message", "The same in words, for a person."}}) {
      json_.key(name);
      json_.open();
      text("type", "string");
      text("description", description);
      json_.close();
    }
    json_.close();
    write_list("required", {"Error", "Message"});
    json_.close();
  }

  void write_list(std::string_view name, const std::vector<std::string_view>& values) {
    if (values.empty()) return;
    json_.key(name);
    json_.open_array();
    for (const std::string_view value : values) json_.value(value);
    json_.close_array();
  }

  void write_member(const MemberInfo& member) {
    if (member.type->structure != nullptr) {
      // Whatever stands beside a $ref is not seen.
      json_.open();
      json_.key("allOf");
      json_.open_array();
      reference(member.type->structure->name);
      json_.close_array();
      text("description", member.description);
      json_.close();
      return;
    }
    json_.open();
    write_type(*member.type, member.constraints);
    text("description", member.description);
    json_.close();
  }

  /// As members of the object that is open. REQUIRES: no structure.
  void write_type(const TypeInfo& type, const Constraints& constraints) {
    switch (type.kind) {
      case Kind::string:
        text("type", "string");
        return write_string_constraints(constraints);
      case Kind::integer:
      case Kind::long_integer:
        text("type", "integer");
        text("format", type.kind == Kind::integer ? "int32" : "int64");
        return write_range(constraints);
      case Kind::number:
        return text("type", "number");
      case Kind::boolean:
        return text("type", "boolean");
      case Kind::blob:
        text("type", "string");
        return text("format", "byte");
      case Kind::timestamp:
        return text("type", "number");
      case Kind::list:
        text("type", "array");
        json_.key("items");
        write_element(*type.element);
        return write_length("minItems", "maxItems", constraints);
      case Kind::map:
        text("type", "object");
        json_.key("additionalProperties");
        return write_element(*type.element);
      case Kind::structure:
        return text("type", "object");
      case Kind::anything:
        return;
    }
  }

  void write_element(const TypeInfo& type) {
    if (type.structure != nullptr) return reference(type.structure->name);
    json_.open();
    write_type(type, {});
    json_.close();
  }

  void write_string_constraints(const Constraints& constraints) {
    write_length("minLength", "maxLength", constraints);
    // A pattern of the table has to match all of a text, one of the document any part of it.
    if (constraints.pattern != nullptr) {
      text("pattern", std::string("^(?:").append(constraints.pattern->text()).append(")$"));
    }
    write_list("enum", {constraints.allowed.begin(), constraints.allowed.end()});
  }

  void write_range(const Constraints& constraints) {
    const auto& range = constraints.range;
    if (!range) return;
    number("minimum", range->min);
    if (range->max != Range::unbounded) number("maximum", range->max);
  }

  void write_length(std::string_view min, std::string_view max, const Constraints& constraints) {
    const auto& length = constraints.length;
    if (!length) return;
    if (length->min != 0) number(min, static_cast<std::int64_t>(length->min));
    if (length->max != Length::unbounded) number(max, static_cast<std::int64_t>(length->max));
  }

  // ---- Paths.

  void write_paths(std::span<const Operation> operations) {
    std::map<std::string_view, std::vector<const Operation*>> by_path;
    for (const Operation& operation : operations) by_path[operation.path].push_back(&operation);
    json_.key("paths");
    json_.open();
    for (const auto& [path, here] : by_path) {
      json_.key(path);
      json_.open();
      for (const Operation* operation : here) write_operation(*operation);
      json_.close();
    }
    json_.close();
  }

  void write_operation(const Operation& operation) {
    std::string method(operation.method);
    std::ranges::transform(method, method.begin(), to_lower);
    json_.key(method);
    json_.open();
    text("operationId", operation.name);
    text("summary", operation.summary);
    if (operation.input != nullptr) write_input(*operation.input);
    json_.key("responses");
    json_.open();
    for (const int status : operation.statuses) write_answer(operation, status);
    write_errors(operation);
    json_.close();
    json_.close();
  }

  void write_input(const StructureInfo& input) {
    json_.key("parameters");
    json_.open_array();
    for (const MemberInfo& member : input.members) {
      if (member.place == Place::body) continue;
      json_.open();
      text("name", member.names.json);
      text("in", member.place == Place::path ? "path" : "query");
      flag("required", member.required);
      text("description", member.description);
      json_.key("schema");
      json_.open();
      write_type(*member.type, member.constraints);
      json_.close();
      json_.close();
    }
    json_.close_array();
    if (!has_body(input)) return;
    json_.key("requestBody");
    json_.open();
    const bool required = std::ranges::any_of(
        input.members, [](const MemberInfo& member) { return member.required && member.place == Place::body; });
    flag("required", required);
    write_content(input.name);
    json_.close();
  }

  /// `schema` is empty where it is any object.
  void write_content(std::string_view schema) {
    json_.key("content");
    json_.open();
    json_.key("application/json");
    json_.open();
    json_.key("schema");
    if (schema.empty()) {
      json_.open();
      text("type", "object");
      json_.close();
    } else {
      reference(schema);
    }
    json_.close();
    json_.close();
  }

  void write_answer(const Operation& operation, int status) {
    json_.key(std::to_string(status));
    json_.open();
    text("description", status == status_created      ? "It was created."
                        : status == status_no_content ? "It is done; there is no body."
                                                      : "It is done.");
    if (status != status_no_content) {
      write_content(operation.output == nullptr ? std::string_view() : operation.output->name);
    }
    json_.close();
  }

  /// By their statuses, since a document has one description for each.
  void write_errors(const Operation& operation) {
    std::map<int, std::string> by_status;
    for (const ErrorCode code : operation.errors) {
      const NativeFault native = native_fault_of(code);
      std::string& description = by_status[native.status];
      description.append(description.empty() ? "" : " ").append(native.name).append(": ");
      description.append(fault_of(code).message);
    }
    for (const auto& [status, description] : by_status) {
      json_.key(std::to_string(status));
      json_.open();
      text("description", description);
      write_content("Error");
      json_.close();
    }
  }

  JsonSink json_;
  std::map<std::string_view, Schema> schemas_;
};

}  // namespace

std::string openapi_document(std::span<const Operation> operations) { return DocumentWriter().write(operations); }

}  // namespace penstock::protocol::native
