#include "protocol/signing.hpp"

#include <algorithm>
#include <utility>

#include "protocol/digests.hpp"
#include "protocol/percent.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol {
namespace {

/// Calls `visit` with each part between separators.
template <class Visit>
void for_each_part(std::string_view text, char separator, Visit&& visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    visit(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

/// As it was meant, encoded as the rules have it. A malformed escape is taken as it stands.
std::string encoded_again(std::string_view part) {
  std::string plain;
  if (!percent_decode(part, true, plain)) plain = part;
  return percent_encode(plain);
}

/// Without spaces around it, and with one for each run of them.
void append_folded(std::string& out, std::string_view value) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  bool begun = false;
  bool space = false;
  for (const char c : value) {
    if (is_space(c)) {
      space = begun;
      continue;
    }
    if (std::exchange(space, false)) out += ' ';
    out += c;
    begun = true;
  }
}

std::string joined(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names) text.append(text.empty() ? "" : ";").append(name);
  return text;
}

}  // namespace

std::string to_text(const Scope& scope) {
  std::string text(scope.date);
  for (const std::string_view part : {scope.region, scope.service, scope_terminator}) text.append("/").append(part);
  return text;
}

std::string canonical_path(std::string_view path) {
  std::vector<std::string_view> parts;
  for_each_part(path, '/', [&](std::string_view part) {
    if (part.empty() || part == ".") return;
    if (part != "..") return parts.push_back(part);
    if (!parts.empty()) parts.pop_back();
  });
  std::string canonical;
  for (const std::string_view part : parts) canonical.append("/").append(percent_encode(part));
  if (canonical.empty() || path.ends_with('/')) canonical += '/';
  return canonical;
}

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  for_each_part(query, '&', [&](std::string_view parameter) {
    if (parameter.empty()) return;
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    std::string name = encoded_again(parameter.substr(0, equals));
    if (name == signature_parameter) return;
    parameters.emplace_back(std::move(name), encoded_again(parameter.substr(std::min(equals + 1, parameter.size()))));
  });
  std::ranges::sort(parameters);
  std::string canonical;
  for (const auto& [name, value] : parameters) {
    canonical.append(canonical.empty() ? "" : "&").append(name).append("=").append(value);
  }
  return canonical;
}

std::string canonical_headers(std::span<const Header> headers, std::span<const std::string_view> names) {
  std::string canonical;
  for (const std::string_view name : names) {
    canonical.append(name).append(":");
    const std::string_view known_as = name == authority_name ? "host" : name;
    bool first = true;
    for (const Header& header : headers) {
      if (!equal_ignoring_case(header.name, known_as)) continue;
      if (!std::exchange(first, false)) canonical += ',';
      append_folded(canonical, header.value);
    }
    canonical += '\n';
  }
  return canonical;
}

std::string canonical_request(const WireRequest& request, std::span<const std::string_view> names) {
  const std::size_t mark = std::min(request.target.find('?'), request.target.size());
  std::string canonical(request.method);
  canonical.append("\n").append(canonical_path(request.target.substr(0, mark)));
  const std::string_view query = request.target.substr(std::min(mark + 1, request.target.size()));
  canonical.append("\n").append(canonical_query(query));
  canonical.append("\n").append(canonical_headers(request.headers, names));
  canonical.append("\n").append(joined(names));
  return canonical.append("\n").append(sha256_hex_of(request.body));
}

std::string string_to_sign(std::string_view time, const Scope& scope, std::string_view canonical) {
  std::string text(signing_algorithm);
  text.append("\n").append(time).append("\n").append(to_text(scope));
  return text.append("\n").append(sha256_hex_of(canonical));
}

Hmac signing_key(std::string_view secret, const Scope& scope) {
  std::string first = "AWS4";
  Hmac key = hmac_sha256(first.append(secret), scope.date);
  for (const std::string_view part : {scope.region, scope.service, scope_terminator}) {
    key = hmac_sha256(as_text(key), part);
  }
  return key;
}

const Hmac& SigningKeys::of(std::string_view access_key, std::string_view secret, const Scope& scope) {
  Name name{access_key, scope.date, scope.region, scope.service};
  auto found = keys_.find(name);
  if (found == keys_.end()) {
    if (keys_.size() == keys_max) drop_oldest();
    found = keys_.emplace(std::move(name), Kept{signing_key(secret, scope)}).first;
  }
  found->second.used = ++uses_;
  return found->second.key;
}

void SigningKeys::drop_oldest() {
  keys_.erase(std::ranges::min_element(keys_, {}, [](const auto& kept) { return kept.second.used; }));
}

std::string signature_of(const Hmac& key, std::string_view to_sign) {
  return to_hex(hmac_sha256(as_text(key), to_sign));
}

}  // namespace penstock::protocol
