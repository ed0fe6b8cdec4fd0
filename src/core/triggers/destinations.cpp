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

}  // namespace penstock::core
