#include "protocol/decode.hpp"

namespace penstock::protocol {

Error not_convertible(std::string_view token, std::string_view type) {
  std::string message(token);
  message.append(" can not be converted to ").append(type);
  return {ErrorCode::Serialization, std::move(message)};
}

Error too_many_elements() {
  return {ErrorCode::Serialization, "A list or a map has more than " + std::to_string(elements_max) + " elements."};
}

Error missing_parameter(std::string_view name) {
  std::string message = "The request must contain the parameter ";
  message.append(name).append(".");
  return {ErrorCode::MissingParameter, std::move(message)};
}

Error invalid_parameter(std::string_view name, std::string_view value, std::string_view reason) {
  std::string message = "Value ";
  message.append(value).append(" for parameter ").append(name).append(" is invalid. Reason: ").append(reason);
  return {ErrorCode::InvalidParameterValue, std::move(message)};
}

Error out_of_range(std::string_view name, std::int64_t value, const Range& range) {
  const std::string min = std::to_string(range.min);
  const std::string max = std::to_string(range.max);
  const std::string reason = range.wording == Range::Wording::between
                                 ? "Must be between " + min + " and " + max + ", if provided."
                                 : "Must be >= " + min + " and <= " + max + ", if provided.";
  return invalid_parameter(name, std::to_string(value), reason);
}

Error unknown_attribute(std::string_view name) {
  std::string message = "Unknown Attribute ";
  message.append(name).append(".");
  return {ErrorCode::InvalidAttributeName, std::move(message)};
}

}  // namespace penstock::protocol
