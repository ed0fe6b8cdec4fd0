#include "protocol/lambda/read.hpp"

#include <algorithm>
#include <utility>

namespace penstock::protocol::lambda {

std::optional<std::string_view> path_value(const Call& call, std::string_view name) {
  const auto found = std::ranges::find(call.path, name, &PathValue::name);
  if (found == call.path.end()) return std::nullopt;
  return found->value;
}

std::optional<std::string_view> header_value(const Call& call, std::string_view name) {
  const std::string_view value = call.request.header(name);
  if (value.empty()) return std::nullopt;
  return value;
}

std::vector<std::string> query_values(const Call& call, std::string_view name) {
  std::vector<std::string> values;
  for (const FormParameter& parameter : call.query.parameters()) {
    if (parameter.name == name) values.emplace_back(parameter.value);
  }
  return values;
}

std::variant<JsonSource, Error> read_body(std::string_view body) {
  auto parsed = parse_json(body);
  if (Error* error = std::get_if<Error>(&parsed); error != nullptr && error->code == ErrorCode::Serialization) {
    error->code = ErrorCode::LambdaInvalidRequestContent;
    constexpr std::string_view common = "The request body could not be parsed as JSON: ";
    if (error->message.starts_with(common))
      error->message.replace(0, common.size(), "Could not parse request body into json: ");
  }
  return parsed;
}

Error not_a_number() { return not_convertible("STRING_VALUE", "an Integer"); }

}  // namespace penstock::protocol::lambda
