// The token by which a member's next poll says what it has: sealed as sealed.hpp says, so that it is good across a
// restart of the server.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "penstock/group_commands.hpp"

namespace penstock::protocol::native {

/// REQUIRES: the batches were read.
std::string token_of(const GroupPolled& polled);

/// Nothing for what is no token.
std::optional<GroupToken> read_token(std::string_view text);

}  // namespace penstock::protocol::native
