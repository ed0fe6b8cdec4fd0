#include "protocol/lambda/call.hpp"

#include "protocol/base64.hpp"

namespace penstock::protocol::lambda {

std::variant<std::string, Error> read_marker(const std::optional<std::string>& marker) {
  if (!marker || marker->empty()) return std::string();
  auto name = base64_decode(*marker);
  if (!name) return invalid_parameter("The Marker " + *marker + " is not one that was answered with.");
  return std::move(*name);
}

std::string marker_after(std::string_view name) { return base64_encode(name); }

}  // namespace penstock::protocol::lambda
