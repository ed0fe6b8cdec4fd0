#include "protocol/native/operations.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <variant>

#include "protocol/native/consumer_operations.hpp"
#include "protocol/native/member_operations.hpp"
#include "protocol/native/openapi.hpp"
#include "protocol/query.hpp"
#include "protocol/text.hpp"
#include "protocol/validate.hpp"

namespace penstock::protocol::native {
namespace {

constexpr std::string_view root = "/_penstock/";
constexpr std::string_view openapi_path = "/_penstock/openapi.json";

Error invalid_request(std::string message) { return {ErrorCode::InvalidRequest, std::move(message)}; }

// ---- Reading an input.

bool reads_body(std::string_view method) { return method == "PUT" || method == "POST"; }

/// Whether a member has its value from the path, as its name in a template says: all others begin with a capital.
bool is_of_path(std::string_view name) { return !name.empty() && name.front() >= 'a' && name.front() <= 'z'; }

/// A member of a body that its shape does not know is a mistake that must not go unnoticed.
template <Structure T>
Refusal find_unknown(simdjson::dom::element given, std::string_view where) {
  simdjson::dom::object object;
  if (given.get_object().get(object) != simdjson::SUCCESS) return std::nullopt;
  for (const simdjson::dom::key_value_pair entry : object) {
    bool known = false;
    Refusal refusal;
    for_each_member<T>([&](const auto& member) {
      if (known || refusal || member.names.json != entry.key || is_of_path(entry.key)) return;
      known = true;
      using Field = typename std::remove_cvref_t<decltype(std::declval<T>().*member.field)>::value_type;
      if constexpr (Structure<Field>) {
        refusal = find_unknown<Field>(entry.value, member.names.json);
      } else if constexpr (is_list<Field>) {
        if constexpr (Structure<typename Field::value_type>) {
          simdjson::dom::array elements;
          if (entry.value.get_array().get(elements) != simdjson::SUCCESS) return;
          for (const simdjson::dom::element element : elements) {
            if (!refusal) refusal = find_unknown<typename Field::value_type>(element, member.names.json);
          }
        }
      }
    });
    if (refusal) return refusal;
    if (known) continue;
    std::string message = "There is no member \"";
    message.append(entry.key).append("\"").append(where.empty() ? "" : " in ").append(where).append(".");
    return invalid_request(std::move(message));
  }
  return std::nullopt;
}

template <class Field>
Refusal read_parameter(std::string_view name, const std::string& text, std::optional<Field>& out) {
  if constexpr (std::is_same_v<Field, std::string>) {
    out = text;
  } else if constexpr (std::is_same_v<Field, std::int64_t>) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) {
      return invalid_request(std::string(name) + " is no number: " + text);
    }
    out = number;
  } else {
    return invalid_request(std::string(name) + " is no parameter.");
  }
  return std::nullopt;
}

/// Every error of reading has one name here.
Refusal renamed(Refusal refusal) {
  if (refusal) refusal->code = ErrorCode::InvalidRequest;
  return refusal;
}

struct ReadsInput {
  template <class Input>
  static Refusal read(const Call& call, Input& input) {
    if (call.body.present()) {
      if (Refusal refusal = find_unknown<Input>(call.body.element(), {})) return refusal;
      if (Refusal refusal = renamed(read_members(call.body, input))) return refusal;
    }
    for (const auto& [name, value] : call.parameters) {
      Refusal refusal = invalid_request("There is no parameter \"" + name + "\".");
      for_each_member<Input>([&, &given = name, &text = value](const auto& member) {
        if (member.names.json == given) refusal = read_parameter(given, text, input.*member.field);
      });
      if (refusal) return refusal;
    }
    return renamed(validate(input));
  }
};

// ---- The table.

template <class Op>
constexpr int success_status() {
  return std::is_same_v<typename Op::Output, Nothing> ? 204 : 200;
}

template <class Op>
constexpr Operation offered() {
  return {operation_of<Op, Call, ReadsInput>(), Op::method, Op::path, Op::summary, success_status<Op>()};
}

constexpr std::array table{
    offered<CreateConsumerOperation>(), offered<DescribeConsumerOperation>(),
    offered<ListConsumersOperation>(),  offered<DeleteConsumerOperation>(),
    offered<PollOperation>(),           offered<HeartbeatOperation>(),
    offered<LeaveOperation>(),          offered<CommitOperation>(),
    offered<TransactOperation>(),       offered<ResetConsumerOperation>(),
    offered<DescribeLagOperation>(),
};

// ---- Finding one.

using Parameters = std::vector<std::pair<std::string, std::string>>;

/// What precedes the next slash, which is taken off with it.
std::string_view take_segment(std::string_view& path) {
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string_view segment = path.substr(0, end);
  path.remove_prefix(std::min(end + 1, path.size()));
  return segment;
}

/// What a path says for the names in a template; nothing where it is none of it.
std::optional<Parameters> match(std::string_view form, std::string_view path) {
  Parameters found;
  while (!form.empty() && !path.empty()) {
    const std::string_view expected = take_segment(form);
    const std::string_view given = take_segment(path);
    if (!expected.starts_with('{')) {
      if (given != expected) return std::nullopt;
      continue;
    }
    std::string value;
    if (!percent_decode(given, false, value) || !is_utf8(value)) return std::nullopt;
    found.emplace_back(expected.substr(1, expected.size() - 2), std::move(value));
  }
  if (!form.empty() || !path.empty()) return std::nullopt;
  return found;
}

struct Found {
  const Operation* operation = nullptr;
  Parameters parameters;
  std::string allowed;  ///< methods of the path, where it has none of that method
};

Found find(std::string_view method, std::string_view path) {
  Found found;
  for (const Operation& operation : table) {
    auto parameters = match(operation.path, path);
    if (!parameters) continue;
    if (operation.method == method) return {&operation, std::move(*parameters), {}};
    found.allowed.append(found.allowed.empty() ? "" : ", ").append(operation.method);
  }
  return found;
}

WireResponse refuse_method(const Reply& reply, std::string_view method, std::string allowed) {
  std::string message = "This path has no method ";
  message.append(method).append(", but ").append(allowed).append(".");
  WireResponse response = respond_native_error(reply, 405, "MethodNotAllowed", message);
  response.headers.emplace_back("Allow", std::move(allowed));
  return response;
}

/// What the query says for all operations alike: where the stream is. The rest is the operation's own.
std::optional<Error> take_query(const Form& form, bool has_body, Caller& caller, Parameters& parameters) {
  for (const FormParameter& parameter : form.parameters()) {
    if (parameter.name == "Account") {
      if (!is_account(parameter.value)) return invalid_request("Account has to be twelve digits.");
      caller.account = parameter.value;
    } else if (parameter.name == "Region") {
      if (!is_resource_name(parameter.value)) return invalid_request("Region is none.");
      caller.region = parameter.value;
    } else if (has_body || is_of_path(parameter.name)) {
      return invalid_request("There is no parameter \"" + std::string(parameter.name) + "\" in the query.");
    } else {
      parameters.emplace_back(parameter.name, parameter.value);
    }
  }
  return std::nullopt;
}

}  // namespace

std::span<const Operation> operations() { return table; }

bool is_native_path(std::string_view target) { return target.starts_with(root); }

Prepared prepare(const WireRequest& request, const ServiceContext& context, Reply reply) {
  const std::size_t mark = std::min(request.target.find('?'), request.target.size());
  const std::string_view path = request.target.substr(0, mark);
  if (path == openapi_path) {
    if (request.method == "GET") return respond(reply, 200, openapi_document());
    return refuse_method(reply, request.method, "GET");
  }
  Found found = find(request.method, path);
  if (found.operation == nullptr) {
    if (!found.allowed.empty()) return refuse_method(reply, request.method, std::move(found.allowed));
    return respond_native_error(reply, 404, "NotFound", "There is nothing at " + std::string(path) + ".");
  }
  const auto form = Form::parse(request.target.substr(std::min(mark + 1, request.target.size())), {});
  if (const Error* error = std::get_if<Error>(&form)) return respond_fault(reply, *renamed(*error));
  Call call{{}, std::move(found.parameters), caller_of(request, context, {}), reply};
  const bool has_body = reads_body(request.method);
  if (auto error = take_query(std::get<Form>(form), has_body, call.caller, call.parameters)) {
    return respond_fault(reply, *error);
  }
  if (has_body) {
    const auto body = parse_json(request.body);
    if (const Error* error = std::get_if<Error>(&body)) return respond_fault(reply, *renamed(*error));
    call.body = std::get<JsonSource>(body);
  }
  return found.operation->prepare(call);
}

}  // namespace penstock::protocol::native
