#include "protocol/caller.hpp"

#include <algorithm>
#include <array>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <optional>
#include <utility>

#include "protocol/text.hpp"

namespace penstock::protocol {
namespace {

constexpr std::string_view default_host = "localhost";
constexpr std::size_t access_key_chars_max = 128;
constexpr std::size_t region_chars_max = 32;
constexpr std::size_t host_chars_max = 255 + 6;  // a name and a port

/// Splits off what precedes `separator`.
std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

/// `AKID/20230101/eu-west-1/sqs/aws4_request`, of the Authorization header or of the form.
std::string_view credential_of(const WireRequest& request, std::string_view form_credential) {
  constexpr std::string_view key = "Credential=";
  const std::string_view authorization = request.header("Authorization");
  const std::size_t at = authorization.find(key);
  if (at == std::string_view::npos) return form_credential;
  const std::string_view rest = authorization.substr(at + key.size());
  return rest.substr(0, rest.find_first_of(", "));
}

bool is_plausible_access_key(std::string_view key) {
  return !key.empty() && key.size() <= access_key_chars_max &&
         std::ranges::all_of(key, [](char c) { return c > ' ' && c < 0x7F; });
}

/// A scope says outright which region is meant: any label will do, such as "local".
bool is_plausible_region(std::string_view region) {
  return !region.empty() && region.size() <= region_chars_max &&
         std::ranges::all_of(region, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-'; });
}

bool is_plausible_host(std::string_view host) {
  return !host.empty() && host.size() <= host_chars_max && std::ranges::all_of(host, [](char c) {
    return is_alphanumeric(c) || std::string_view("-._:[]").find(c) != std::string_view::npos;
  });
}

/// The account and name of a path /<account>/<name>; the leading slash may be missing.
std::optional<std::array<std::string_view, 2>> split_queue_path(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  const std::string_view account = take_until(path, '/');
  if (!is_account(account) || path.empty() || path.find('/') != std::string_view::npos) return std::nullopt;
  return std::array{account, path};
}

/// The region of the service's own forms, `sqs.<region>.…` and `<region>.queue.…`; any other host may look like
/// anything, as `myapp-penstock-1` does of a container.
std::optional<std::string_view> region_in(std::string_view host) {
  const std::string_view first = take_until(host, '.');
  const std::string_view second = take_until(host, '.');
  if (first == "sqs" && is_region(second)) return second;
  if (second == "queue" && is_region(first)) return first;
  return std::nullopt;
}

Error invalid_address(std::string_view queue_url) {
  std::string message = "The address ";
  message.append(queue_url).append(" is not valid for this endpoint.");
  return {ErrorCode::InvalidAddress, std::move(message)};
}

}  // namespace

Caller caller_of(const WireRequest& request, const ServiceContext& context, std::string_view form_credential) {
  Caller caller;
  caller.account = context.account;
  caller.region = context.region;
  caller.request_id = request.request_id;
  std::string_view credential = credential_of(request, form_credential);
  const std::string_view access_key = take_until(credential, '/');
  if (is_plausible_access_key(access_key)) {
    caller.principal = access_key;
    if (is_account(access_key)) caller.account = access_key;
    take_until(credential, '/');  // the date
    const std::string_view region = take_until(credential, '/');
    if (is_plausible_region(region)) caller.region = region;
  }
  const std::string_view host = request.header("Host");
  caller.host = is_plausible_host(host) ? host : default_host;
  std::string_view forwarded = request.header("X-Forwarded-Proto");
  caller.https = request.secure || equal_ignoring_case(take_until(forwarded, ','), "https");
  caller.trace_header = request.header("X-Amzn-Trace-Id");
  caller.now = request.now;
  return caller;
}

std::string base_url_of(const Caller& caller) {
  std::string url = caller.https ? "https://" : "http://";
  return url.append(caller.host);
}

std::string queue_url_of(std::string_view base_url, const QueueName& queue) {
  std::string url;
  url.reserve(base_url.size() + queue.account.size() + queue.name.size() + 2);
  return url.append(base_url).append("/").append(queue.account).append("/").append(queue.name);
}

std::variant<QueueName, Error> queue_of(std::string_view queue_url, const Caller& caller) {
  QueueName queue{std::string(caller.account), std::string(caller.region), {}};
  if (queue_url.find_first_of("/:?#") == std::string_view::npos) {
    queue.name = queue_url;
    return queue;
  }
  const auto parsed = boost::urls::parse_uri_reference(queue_url);
  if (!parsed) return invalid_address(queue_url);
  std::string path;
  if (!percent_decode(parsed->encoded_path(), false, path) || !is_utf8(path)) return invalid_address(queue_url);
  const auto parts = split_queue_path(path);
  if (!parts) return invalid_address(queue_url);
  queue.account = (*parts)[0];
  queue.name = (*parts)[1];
  if (const auto region = region_in(parsed->encoded_host())) queue.region = *region;
  return queue;
}

bool is_queue_path(std::string_view path) { return split_queue_path(path).has_value(); }

}  // namespace penstock::protocol
