// Whether a request is signed by who it says it is from: Signature Version 4 in the Authorization header or in the URL.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/signing.hpp"
#include "protocol/wire.hpp"

namespace penstock::protocol {

/// How far a client's clock may be from the real one, either way.
inline constexpr std::chrono::seconds clock_skew_max = std::chrono::minutes{5};
/// How long a signed URL may be good for, by its X-Amz-Expires.
inline constexpr std::chrono::seconds url_expires_max = std::chrono::days{7};
/// Clients sign about ten; a request is put in canonical form before it is known whose it is.
inline constexpr std::size_t signed_headers_max = 100;

/// What is wrong, in the order in which it is looked for.
enum class SignatureFault : std::uint8_t { missing, incomplete, unknown_key, mismatch };

struct SignatureRefusal {
  SignatureFault fault{};
  std::string message;
};

/// The secret of an access key; nothing for one that nobody has.
using SecretOf = std::function<std::optional<std::string>(std::string_view access_key)>;

/// Nothing if the signature holds. `service` is the one that the scope has to name; empty where any will do. Looks at
/// the URL and the headers as they were sent, and never at a session token.
std::optional<SignatureRefusal> check_signature(const WireRequest& request, std::string_view service,
                                                const SecretOf& secret_of, SigningKeys& keys,
                                                std::chrono::sys_seconds now);

}  // namespace penstock::protocol
