#include "protocol/endpoint.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "penstock/limits.hpp"
#include "protocol/caller.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol {
namespace {

/// How SDKs that encode an endpoint's path send the prefix.
constexpr std::string_view encoded_prefix = "/%40consumer";

/// Paths of the server's own begin so.
constexpr std::string_view own_paths[] = {"/_aws/", "/_penstock/"};

/// Nothing for a path that names no consumer.
std::optional<std::string_view> without_prefix(std::string_view path) {
  for (const std::string_view prefix : {endpoint_prefix, encoded_prefix}) {
    if (!path.starts_with(prefix)) continue;
    path.remove_prefix(prefix.size());
    if (path.empty() || path.front() == '/') return path;
    return std::nullopt;
  }
  return std::nullopt;
}

/// How many bytes at the path's start are a slash and what stands between it and the next one.
std::size_t first_segment(std::string_view path) { return path.empty() ? 0 : std::min(path.find('/', 1), path.size()); }

bool is_of_server(std::string_view path) {
  return is_queue_path(path) ||
         std::ranges::any_of(own_paths, [path](std::string_view own) { return path.starts_with(own); });
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= group_limits::name_chars_max &&
         std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

/// Whether it could be decoded and is a name.
bool read_name(std::string_view encoded, std::string& name) {
  return percent_decode(encoded, false, name) && is_name(name);
}

}  // namespace

WireRequest at_plain_endpoint(WireRequest request) {
  const std::string_view path = request.target.substr(0, request.target.find('?'));
  const auto named = without_prefix(path);
  if (!named) {
    if (const std::string_view header = request.header(consumer_header); !header.empty()) request.consumer = header;
    return request;
  }
  std::size_t taken = first_segment(*named);
  std::string_view rest = named->substr(taken);
  if (rest.size() > 1 && !is_of_server(rest)) taken += first_segment(rest);
  request.consumer = named->substr(std::min<std::size_t>(1, taken), taken - std::min<std::size_t>(1, taken));
  request.target.remove_prefix(path.size() - named->size() + taken);
  return request;
}

std::variant<Error, GroupReader> reader_of(std::string_view consumer) {
  const std::size_t slash = std::min(consumer.find('/'), consumer.size());
  GroupReader reader;
  const bool has_member = slash < consumer.size();
  if (read_name(consumer.substr(0, slash), reader.group) &&
      (!has_member || read_name(consumer.substr(slash + 1), reader.member))) {
    return reader;
  }
  std::string message = "The endpoint does not name a consumer: ";
  message.append(consumer).append(" has to be a name, or a consumer's and a member's with a slash between them. ");
  return Error{ErrorCode::KinesisInvalidArgument, message.append("Names are 1 to 128 of [a-zA-Z0-9_.-].")};
}

}  // namespace penstock::protocol
