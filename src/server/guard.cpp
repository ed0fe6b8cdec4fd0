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

// The authority of an origin such as "https://example.org:8080".
std::string_view authority(std::string_view origin) {
  const std::size_t scheme = origin.find("://");
  return scheme == std::string_view::npos ? std::string_view{} : origin.substr(scheme + 3);
}

}  // namespace

std::string_view Guard::objection(const protocol::WireRequest& request) const {
  const std::string host = lower(request.header("Host"));
  if (loopback_only && !host.empty() && !is_local_name(std::string(without_port(host)))) {
    return "The Host header does not name this machine.";
  }
  if (const std::string_view site = request.header("Sec-Fetch-Site"); !site.empty()) {
    if (site != "same-origin" && site != "none") return "Requests from web pages of other sites are refused.";
  }
  if (const std::string_view origin = request.header("Origin"); !origin.empty()) {
    if (lower(authority(origin)) != host) return "Requests from web pages of other origins are refused.";
  }
  return {};
}

}  // namespace penstock::server
