// Who may ask: requests that have to be signed, and the token that stands for a signature and for being on this
// machine.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/signing.hpp"
#include "protocol/wire.hpp"
#include "server/token_file.hpp"

namespace penstock::server {

/// Thread-safe: nothing of it changes.
class Authority {
 public:
  using Keys = std::map<std::string, std::string, std::less<>>;  ///< secrets by access key

  struct Settings {
    bool strict = false;      ///< requests have to be signed, or bring the token
    bool trusts_all = false;  ///< whoever reaches the server may have its machine run programs and write files
    Keys keys{};
    std::optional<Token> token{};
    std::string functions_seed{};  ///< from which the secrets of functions' keys are made
  };
  explicit Authority(Settings settings) : settings_(std::move(settings)) {}

  /// The answer to a request that may not be asked. That is so of none where nothing has to be signed.
  std::optional<protocol::WireResponse> objection(const protocol::WireRequest& request,
                                                  protocol::SigningKeys& signing_keys,
                                                  std::chrono::sys_seconds now) const;

  /// Whether this machine may run programs and write files for it.
  bool trusts(const protocol::WireRequest& request) const { return settings_.trusts_all || has_token(request); }

  /// What those are told that are not trusted.
  std::string why_untrusted() const;

  /// The answer to one of them that would have programs run.
  protocol::WireResponse respond_untrusted(const protocol::WireRequest& request) const;

  /// The secret access key of the functions of an account, whose access key is the account.
  std::string functions_secret(std::string_view account) const;

 private:
  /// Whether it brings the token, as X-Penstock-Token or as a bearer's.
  bool has_token(const protocol::WireRequest& request) const;
  std::optional<std::string> secret_of(std::string_view access_key) const;

  const Settings settings_;
};

}  // namespace penstock::server
