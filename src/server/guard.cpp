#include "server/guard.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <string>

#include "protocol/text.hpp"

namespace penstock::server {

namespace {

std::string lower(std::string_view text) {
  std::string copy(text);
  std::transform(copy.begin(), copy.end(), copy.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return copy;
}

constexpr std::string_view digits = "0123456789";

// "name:port" or "[v6]:port" without the port; empty if it is something else.
std::string_view without_port(std::string_view host) {
  const std::size_t end = host.starts_with('[') ? host.find(']') + 1 : std::min(host.find(':'), host.size());
  const std::string_view port = host.substr(end);
  const bool well_formed = port.empty() || (port.front() == ':' && port.find_first_not_of(digits, 1) == port.npos);
  return well_formed ? host.substr(0, end) : std::string_view();
}

// Of letters and digits of ASCII, and what stands between them: no host has another character in its name, and whoever
// reads a URL up to a '#', '@', '/' or backslash takes another part of it for the host than who looks at its end.
bool is_spelled_as_name(std::string_view name) {
  constexpr std::size_t chars_max = 253;
  return !name.empty() && name.size() <= chars_max && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
}

// An address in brackets, in lower case.
bool is_bracketed_address(std::string_view name) {
  if (!name.starts_with('[') || !name.ends_with(']')) return false;
  const std::string_view inner = name.substr(1, name.size() - 2);
  // What follows a percent sign is the name of one of this machine's networks, in a URL with the sign's own code.
  const std::size_t percent = inner.find('%');
  const std::string_view address = inner.substr(0, percent);
  if (address.empty() || address.find_first_not_of("0123456789abcdef:.") != address.npos) return false;
  return percent == inner.npos || is_spelled_as_name(inner.substr(percent + 1));
}

// Names that public DNS cannot be made to answer for as an attacker likes: a web page cannot have been loaded from
// them, rebound or not. (Who answers for this machine's own network, by mDNS or as its DNS server, is not kept out by
// that.) A name without a dot is a neighbour's in a container network. The services' own names are those that a client
// sends which is not given an endpoint, where a network's DNS or /etc/hosts leads it here, such as
// sqs.eu-west-1.amazonaws.com; some also put a name of their own before it, as Kinesis' SDKs do with an account's id.
// Below amazonaws.com AWS's customers have names too, and may serve pages from them (a virtual machine's, a bucket's, a
// load balancer's), but it is AWS that answers for these, with public addresses of its own and, of load balancers, with
// private ones of the customer's network: none can be made to point at this machine's loopback. A server that listens
// on a private address gives as much trust to a load balancer's name as to a neighbour's. The name that other emulators
// use answers with 127.0.0.1 always, and its owners are not attackers.
bool is_local_name(const std::string& name) {
  if (is_bracketed_address(name) || name.find_first_not_of("0123456789.") == name.npos) return true;
  if (name.find('.') == std::string::npos) return true;
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

// What a browser sends by itself, to a URL with a user's name in it or after a challenge, is no credential here.
bool is_credential(std::string_view authorization) {
  return protocol::starts_with_ignoring_case(authorization, "AWS") ||
         protocol::starts_with_ignoring_case(authorization, "Bearer ");
}

}  // namespace

bool is_allowed_host(std::string_view name) {
  if (name == any_host) return true;
  if (name.starts_with('.')) name.remove_prefix(1);
  return is_spelled_as_name(name);
}

std::string_view Guard::objection(const protocol::WireRequest& request) const {
  const std::string host = lower(request.header("Host"));
  // Only clients that are no browsers leave it out.
  if (!host.empty()) {
    const std::string name(without_port(host));
    if (!is_spelled_as_name(name) && !is_bracketed_address(name)) {
      return "The Host header is not spelled as a host's name.";
    }
    if (!is_local_name(name) && !is_one_of(name, hosts)) {
      return "The Host header does not name this machine. Start the server with --allow-host to have it answer to it.";
    }
  }
  // What a page fetches as an image has no Origin, and no Sec-Fetch-Site either where a browser does not trust the
  // network in between.
  for (const protocol::Header& header : request.headers) {
    const auto is = [&](std::string_view name) { return protocol::equal_ignoring_case(header.name, name); };
    const std::string_view value = header.value;
    if (is("Host") && lower(value) != host) return "The request is for two hosts.";
    if (is("Sec-Fetch-Site") && value != "same-origin" && value != "none") {
      return "Requests from web pages of other sites are refused.";
    }
    if ((is("Origin") || is("Referer")) && !is_from(value, host)) {
      return "Requests from web pages of other origins are refused.";
    }
  }
  return {};
}

std::string_view Guard::objection_to_change(const protocol::WireRequest& request) {
  constexpr std::string_view token_header = "X-Penstock-Token";
  if (is_credential(request.header("Authorization")) || !request.header(token_header).empty()) return {};
  // One that tells from where it comes was looked at before. A signature in the URL says nothing: a page can write one.
  constexpr std::string_view browsers = "Mozilla/";
  if (!request.header("Sec-Fetch-Site").empty() || !request.header("User-Agent").starts_with(browsers)) return {};
  return "A browser's GET that changes something is refused where nothing says that no web page sends it. Send the "
         "action as a form by POST, or with an Authorization.";
}

}  // namespace penstock::server
