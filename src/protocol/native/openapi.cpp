#include "protocol/native/openapi.hpp"

#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "protocol/faults.hpp"
#include "protocol/json.hpp"
#include "protocol/native/operations.hpp"
#include "protocol/reply.hpp"

namespace penstock::protocol::native {
namespace {

constexpr std::string_view json_type = "application/json";

class Document {
 public:
  std::string write() {
    sink_.open();
    text("openapi", "3.0.3");
    write_info();
    sink_.key("paths");
    write_paths();
    sink_.key("components");
    sink_.open();
    sink_.key("schemas");
    sink_.open();
    write_error_schema();
    // Describing one may come upon others.
    while (!waiting_.empty()) {
      const StructureInfo& structure = *waiting_.back();
      waiting_.pop_back();
      write_schema(structure);
    }
    sink_.close();
    sink_.close();
    sink_.close();
    return sink_.take();
  }

 private:
  void text(std::string_view key, std::string_view value) {
    sink_.key(key);
    sink_.value(value);
  }
  void number(std::string_view key, std::int64_t value) {
    sink_.key(key);
    sink_.integer({}, value);
  }
  void flag(std::string_view key, bool value) {
    sink_.key(key);
    sink_.boolean({}, value);
  }
  void reference(std::string_view name) {
    sink_.open();
    text("$ref", std::string("#/components/schemas/").append(name));
    sink_.close();
  }

  void write_info() {
    sink_.key("info");
    sink_.open();
    text("title", "Penstock: consumers with positions");
    text("version", "1");
    text("description",
         "Consumers of streams whose positions the server keeps. Account and Region come from the credentials of the "
         "request, if it is signed; the query may say others.");
    sink_.close();
  }

  void write_paths() {
    std::map<std::string_view, std::vector<const Operation*>> by_path;
    for (const Operation& operation : operations()) by_path[operation.path].push_back(&operation);
    sink_.open();
    for (const auto& [path, offered] : by_path) {
      sink_.key(path);
      sink_.open();
      for (const Operation* operation : offered) write_operation(*operation);
      sink_.close();
    }
    sink_.close();
  }

  static std::string lower(std::string_view method) {
    std::string name(method);
    for (char& c : name) c = static_cast<char>(c - 'A' + 'a');
    return name;
  }
  static bool is_in_path(const Operation& operation, const MemberInfo& member) {
    return operation.path.find("{" + std::string(member.names.json) + "}") != std::string_view::npos;
  }

  void write_operation(const Operation& operation) {
    const bool has_body = operation.method == "PUT" || operation.method == "POST";
    sink_.key(lower(operation.method));
    sink_.open();
    text("operationId", operation.name);
    text("summary", operation.summary);
    sink_.key("parameters");
    sink_.open_array();
    for (const MemberInfo& member : operation.input->members) {
      const bool in_path = is_in_path(operation, member);
      if (in_path || !has_body) write_parameter(member, in_path ? "path" : "query");
    }
    write_query("Account", "Twelve digits.");
    write_query("Region", "Such as us-east-1.");
    sink_.close_array();
    if (has_body) write_body(operation);
    write_responses(operation);
    sink_.close();
  }

  void write_parameter(const MemberInfo& member, std::string_view in) {
    sink_.open();
    text("name", member.names.json);
    text("in", in);
    flag("required", in == "path" || member.required);
    text("description", member.description);
    sink_.key("schema");
    write_type(*member.type, member.constraints, {});
    sink_.close();
  }
  void write_query(std::string_view name, std::string_view description) {
    sink_.open();
    text("name", name);
    text("in", "query");
    flag("required", false);
    text("description", description);
    sink_.key("schema");
    sink_.open();
    text("type", "string");
    sink_.close();
    sink_.close();
  }

  void write_body(const Operation& operation) {
    sink_.key("requestBody");
    sink_.open();
    bool required = false;
    for (const MemberInfo& member : operation.input->members) {
      required = required || (member.required && !is_in_path(operation, member));
    }
    flag("required", required);
    sink_.key("content");
    sink_.open();
    sink_.key(json_type);
    sink_.open();
    sink_.key("schema");
    write_object(*operation.input, &operation);
    sink_.close();
    sink_.close();
    sink_.close();
  }

  void write_responses(const Operation& operation) {
    sink_.key("responses");
    sink_.open();
    sink_.key(std::to_string(operation.status));
    write_response("Done.", operation.status == 204 ? nullptr : operation.output);
    if (operation.method == "PUT") {
      sink_.key("201");
      write_response("Made.", operation.output);
    }
    std::map<int, std::string> by_status;
    for (const ErrorCode code : operation.errors) {
      const NativeFault fault = native_fault_of(code);
      std::string& names = by_status[fault.status];
      names.append(names.empty() ? "" : ", ").append(fault.name);
    }
    for (const auto& [status, names] : by_status) {
      sink_.key(std::to_string(status));
      write_response(names + ".", nullptr, true);
    }
    sink_.close();
  }

  void write_response(std::string_view description, const StructureInfo* output, bool is_error = false) {
    sink_.open();
    text("description", description);
    if (output != nullptr || is_error) {
      sink_.key("content");
      sink_.open();
      sink_.key(json_type);
      sink_.open();
      sink_.key("schema");
      if (is_error) {
        reference("Error");
      } else {
        write_reference(*output);
      }
      sink_.close();
      sink_.close();
    }
    sink_.close();
  }

  void write_error_schema() {
    sink_.key("Error");
    sink_.open();
    text("type", "object");
    sink_.key("required");
    sink_.open_array();
    sink_.value("Error");
    sink_.value("Message");
    sink_.close_array();
    sink_.key("properties");
    sink_.open();
    for (const std::string_view name : {"Error", "Message"}) {
      sink_.key(name);
      sink_.open();
      text("type", "string");
      sink_.close();
    }
    sink_.close();
    sink_.close();
  }

  void write_reference(const StructureInfo& structure) {
    if (known_.insert(structure.name).second) waiting_.push_back(&structure);
    reference(structure.name);
  }

  void write_schema(const StructureInfo& structure) {
    sink_.key(structure.name);
    write_object(structure, nullptr);
  }

  /// Of an operation's input without what is in the path.
  void write_object(const StructureInfo& structure, const Operation* operation) {
    const auto belongs = [operation](const MemberInfo& member) {
      return operation == nullptr || !is_in_path(*operation, member);
    };
    sink_.open();
    text("type", "object");
    flag("additionalProperties", false);
    bool any_required = false;
    for (const MemberInfo& member : structure.members) {
      if (!belongs(member) || !member.required) continue;
      if (!any_required) {
        sink_.key("required");
        sink_.open_array();
        any_required = true;
      }
      sink_.value(member.names.json);
    }
    if (any_required) sink_.close_array();
    sink_.key("properties");
    sink_.open();
    for (const MemberInfo& member : structure.members) {
      if (!belongs(member)) continue;
      sink_.key(member.names.json);
      write_type(*member.type, member.constraints, member.description);
    }
    sink_.close();
    sink_.close();
  }

  void write_type(const TypeInfo& type, const Constraints& constraints, std::string_view description) {
    if (type.kind == Kind::structure) return write_reference(*type.structure);
    sink_.open();
    if (!description.empty()) text("description", description);
    switch (type.kind) {
      case Kind::integer:
      case Kind::long_integer:
        text("type", "integer");
        text("format", "int64");
        break;
      case Kind::boolean:
        text("type", "boolean");
        break;
      case Kind::timestamp:
        text("type", "number");
        break;
      case Kind::blob:
        text("type", "string");
        text("format", "byte");
        break;
      case Kind::list:
        text("type", "array");
        sink_.key("items");
        write_type(*type.element, {}, {});
        break;
      default:
        text("type", "string");
        break;
    }
    write_constraints(type.kind, constraints);
    sink_.close();
  }

  void write_constraints(Kind kind, const Constraints& constraints) {
    if (constraints.range) {
      number("minimum", constraints.range->min);
      if (constraints.range->max != Range::unbounded) number("maximum", constraints.range->max);
    }
    if (constraints.length) {
      const bool is_list = kind == Kind::list;
      number(is_list ? "minItems" : "minLength", static_cast<std::int64_t>(constraints.length->min));
      if (constraints.length->max != Length::unbounded) {
        number(is_list ? "maxItems" : "maxLength", static_cast<std::int64_t>(constraints.length->max));
      }
    }
    if (constraints.pattern != nullptr) {
      text("pattern", std::string("^(").append(constraints.pattern->text()).append(")$"));
    }
    if (constraints.allowed.empty()) return;
    sink_.key("enum");
    sink_.open_array();
    for (const std::string_view value : constraints.allowed) sink_.value(value);
    sink_.close_array();
  }

  JsonSink sink_;
  std::set<std::string_view> known_;
  std::vector<const StructureInfo*> waiting_;
};

}  // namespace

std::string openapi_document() { return Document().write(); }

}  // namespace penstock::protocol::native
