#include "server/authority.hpp"

#include "penstock/errors.hpp"
#include "protocol/authentication.hpp"
#include "protocol/hmac.hpp"
#include "protocol/text.hpp"

namespace penstock::server {

namespace {

using protocol::WireRequest;
using protocol::WireResponse;

constexpr std::string_view token_header = "X-Penstock-Token";

}  // namespace

std::optional<WireResponse> Authority::objection(const WireRequest& request, protocol::SigningKeys& signing_keys,
                                                 std::chrono::sys_seconds now) const {
  if (!settings_.strict || has_token(request)) return std::nullopt;
  const std::string also =
      settings_.token ? "to bring the token that is in " + settings_.token->file + " on the server's machine" : "";
  return protocol::authenticate(
      request, [this](std::string_view access_key) { return secret_of(access_key); }, signing_keys, now, also);
}

bool Authority::has_token(const WireRequest& request) const {
  if (!settings_.token) return false;
  const std::string& token = settings_.token->text;
  if (protocol::equal_in_constant_time(request.header(token_header), token)) return true;
  constexpr std::string_view scheme = "Bearer ";
  std::string_view authorization = request.header("Authorization");
  if (!protocol::starts_with_ignoring_case(authorization, scheme)) return false;
  authorization.remove_prefix(scheme.size());
  return protocol::equal_in_constant_time(authorization, token);
}

std::string Authority::why_untrusted() const {
  std::string why =
      "This server listens beyond its machine, and so it neither runs programs nor writes files for whoever reaches "
      "it. ";
  if (settings_.token) {
    why.append("Send the token that is in ").append(settings_.token->file).append(" on its machine as ");
    why.append(token_header);
  } else {
    why.append("Start it with --token-file FILE to have a token that allows it");
  }
  return why.append(", or start it with --allow-remote-functions to allow that to all.");
}

WireResponse Authority::respond_untrusted(const WireRequest& request) const {
  if (settings_.token) return protocol::respond_unauthorized(request, why_untrusted());
  return protocol::respond_error(request, Error{ErrorCode::LambdaAccessDenied, why_untrusted()});
}

std::string Authority::functions_secret(std::string_view account) const {
  const auto known = settings_.keys.find(account);
  if (known != settings_.keys.end()) return known->second;
  return protocol::to_hex(protocol::hmac_sha256(settings_.functions_seed, account));
}

std::optional<std::string> Authority::secret_of(std::string_view access_key) const {
  const auto known = settings_.keys.find(access_key);
  if (known != settings_.keys.end()) return known->second;
  if (protocol::is_account(access_key)) return functions_secret(access_key);
  return std::nullopt;
}

}  // namespace penstock::server
