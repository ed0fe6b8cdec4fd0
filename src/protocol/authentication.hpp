// Requests that have to be signed: which service's signature that is, and what its clients are told if it does not
// hold.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "protocol/signature.hpp"
#include "protocol/wire.hpp"

namespace penstock::protocol {

/// Nothing if the signature holds, or else the answer, in the request's protocol. At Penstock's own paths any service
/// may be named in the scope, and `also` says what would have done besides a signature.
std::optional<WireResponse> authenticate(const WireRequest& request, const SecretOf& secret_of, SigningKeys& keys,
                                         std::chrono::sys_seconds now, const std::string& also = {});

/// 401, with the challenge that goes with it.
WireResponse respond_unauthorized(const WireRequest& request, const std::string& message);

}  // namespace penstock::protocol
