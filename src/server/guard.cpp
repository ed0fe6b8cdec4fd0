#include "server/guard.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace penstock::server {

namespace {

std::string lower(std::string_view text) {
  std::string copy(text);
  std::transform(copy.begin(), copy.end(), copy.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return copy;
}

// "name:port" or "[v6]:port" without the port.
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_address(std::string_view name) {
  if (name.starts_with('[')) return true;
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

// Names that public DNS cannot be made to answer for: a web page cannot have been loaded from them, rebound or not. A
// name without a dot is a neighbour's in a container network. Those at the end are the services' own names and the one
// that other emulators use, whose owners are not attackers.
bool is_local_name(const std::string& name) {
  if (is_address(name) || name.find('.') == std::string::npos) return true;
  constexpr std::array<std::string_view, 6> suffixes{
      ".localhost", ".internal", ".local", ".localhost.localstack.cloud", ".amazonaws.com", ".test"};
  return std::any_of(suffixes.begin(), suffixes.end(),
                     [&](std::string_view suffix) { return name.ends_with(suffix) || name == suffix.substr(1); });
}

bool is_one_of(const std::string& name, const std::vector<std::string>& hosts) {
  return std::any_of(hosts.begin(), hosts.end(), [&](const std::string& host) {
    return host == any_host || name == host ||
           (host.starts_with('.') && (name.ends_with(host) || name == host.substr(1)));
  });
}

// The authority of an origin such as "https://example.org:8080", or of a URL.
std::string_view authority(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  const std::string_view rest = url.substr(scheme + 3);
  return rest.substr(0, rest.find('/'));
}

// Whether what a page says of itself is where the request went; a sandboxed page says "null".
bool is_from(std::string_view url, const std::string& host) {
  const std::string from = lower(authority(url));
  return !from.empty() && from == host;
}

}  // namespace

bool is_allowed_host(std::string_view name) {
  constexpr std::size_t chars_max = 253;
  if (name == any_host) return true;
  if (name.starts_with('.')) name.remove_prefix(1);
  return !name.empty() && name.size() <= chars_max && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
}

std::string_view Guard::objection(const protocol::WireRequest& request) const {
  const std::string host = lower(request.header("Host"));
  const std::string name(without_port(host));
  // Only clients that are no browsers leave it out.
  if (!host.empty() && !is_local_name(name) && !is_one_of(name, hosts)) {
    return "The Host header does not name this machine. Start the server with --allow-host to have it answer to the "
           "name.";
  }
  if (const std::string_view site = request.header("Sec-Fetch-Site"); !site.empty()) {
    if (site != "same-origin" && site != "none") return "Requests from web pages of other sites are refused.";
  }
  if (const std::string_view origin = request.header("Origin"); !origin.empty()) {
    if (!is_from(origin, host)) return "Requests from web pages of other origins are refused.";
  }
  // What a page fetches as an image has no Origin, and no Sec-Fetch-Site either where a browser does not trust the
  // network in between.
  if (const std::string_view referrer = request.header("Referer"); !referrer.empty()) {
    if (!is_from(referrer, host)) return "Requests from web pages of other origins are refused.";
  }
  return {};
}

}  // namespace penstock::server
