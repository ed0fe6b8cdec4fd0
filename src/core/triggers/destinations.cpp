#include "core/triggers/destinations.hpp"

#include <array>
#include <cstddef>
#include <string>

#include "penstock/queue_names.hpp"

namespace penstock::core {

std::optional<std::variant<QueueName, FunctionName>> parse_destination(std::string_view arn) {
  if (auto queue = split_arn(arn)) return std::move(*queue);
  if (!arn.starts_with(lambda_arn_prefix)) return std::nullopt;
  arn.remove_prefix(lambda_arn_prefix.size());
  // region:account:function:name, and maybe :qualifier.
  std::array<std::string, 5> parts;
  std::size_t count = 0;
  for (;;) {
    if (count == parts.size()) return std::nullopt;
    const std::size_t end = arn.find(':');
    parts.at(count++) = arn.substr(0, end);
    if (end == std::string_view::npos) break;
    arn.remove_prefix(end + 1);
  }
  if (count < 4 || parts[2] != "function") return std::nullopt;
  if (parts[0].empty() || parts[1].empty() || parts[3].empty()) return std::nullopt;
  return FunctionName{parts[1], parts[0], parts[3]};
}

const Error* refusal_in(const std::optional<Result>& result) {
  if (!result) return nullptr;
  const auto* sent = std::get_if<SendResults>(&*result);
  if (sent != nullptr && !sent->entries.empty()) return std::get_if<Error>(&sent->entries.front());
  return std::get_if<Error>(&*result);
}

Taken taken(const std::optional<Result>& result) {
  const Error* error = refusal_in(result);
  if (error == nullptr) {
    const auto* sent = result ? std::get_if<SendResults>(&*result) : nullptr;
    return sent != nullptr && !sent->entries.empty() ? Taken::accepted : Taken::not_now;
  }
  switch (error->code) {
    case ErrorCode::QueueDoesNotExist:
    case ErrorCode::InvalidMessageContents:
    case ErrorCode::InvalidAttributeName:
    case ErrorCode::InvalidAttributeValue:
    case ErrorCode::UnsupportedOperation:
    case ErrorCode::BatchRequestTooLong:
    case ErrorCode::InvalidParameterValue:
    case ErrorCode::MissingParameter:
    case ErrorCode::RequestTooLarge:
    case ErrorCode::AccessDenied:
      return Taken::refused;
    default:
      // A full disk, too many requests or a shutdown are over some time, and what the account is of is told by nobody
      // else.
      return Taken::not_now;
  }
}

}  // namespace penstock::core
