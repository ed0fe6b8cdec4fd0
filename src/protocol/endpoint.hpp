// Endpoints that name a consumer with positions: what an unmodified SDK is given as its endpoint, and then resumes.
#pragma once

#include <string_view>
#include <variant>

#include "penstock/errors.hpp"
#include "penstock/groups.hpp"
#include "protocol/wire.hpp"

namespace penstock::protocol {

/// Where an endpoint says it: `http://host:port/@consumer/{name}` or `.../@consumer/{name}/{member}`.
inline constexpr std::string_view endpoint_prefix = "/@consumer";
/// For clients that drop an endpoint's path: `name` or `name/member`.
inline constexpr std::string_view consumer_header = "X-Penstock-Consumer";

/// The request as if it had come to the server's plain endpoint: `consumer` says what the endpoint's path named, or
/// else the header, and the target is what follows in the path. What follows a consumer is its member, unless it is a
/// path that the server knows: of a queue (/<account>/<name>), or below /_aws or /_penstock.
WireRequest at_plain_endpoint(WireRequest request);

/// Who reads, from what at_plain_endpoint() found. An error where a name is not as it may be: 1 to 128 of
/// [a-zA-Z0-9_.-].
std::variant<Error, GroupReader> reader_of(std::string_view consumer);

}  // namespace penstock::protocol
