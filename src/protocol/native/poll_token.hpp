// The Token of a poll's answer: what was handed out, by which the member's next poll says that it has it. All that it
// means is written in it, so that nothing is kept for it, and a restart does not end it.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "penstock/errors.hpp"
#include "penstock/group_commands.hpp"

namespace penstock::protocol::native {

/// Of the batches that the shell has read. No longer than token_chars_max. REQUIRES: no more than
/// group_limits::poll_shards_max batches.
GroupToken token_of(const GroupPolled& polled);

/// Of the alphabet of URLs.
std::string to_string(const GroupToken& token);

/// InvalidRequest for what is no token.
std::variant<Error, GroupToken> read_token(std::string_view text);

/// Whether the shell has read a batch, before there were as many records or bytes as were asked for.
inline bool was_read(const GroupBatch& batch) { return batch.page.next.value != 0; }

}  // namespace penstock::protocol::native
