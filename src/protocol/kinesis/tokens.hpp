// What the service hands out for a client to come back with: ShardIterators and NextTokens. All that they mean is
// written in them, so that nothing is kept for them, and a restart, or another number of threads, does not end them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "penstock/errors.hpp"
#include "penstock/stream_commands.hpp"
#include "penstock/streams.hpp"
#include "penstock/time.hpp"

namespace penstock::protocol::kinesis {

struct ShardIterator {
  StreamName stream;
  ShardPosition position;
  Instant issued{};
};

/// At most 512 characters, also with the hold of a reader whose consumer has the longest name. REQUIRES: the account,
/// the region and the name of the stream are no longer than they can be.
std::string to_string(const ShardIterator& iterator);

/// An error for what is no iterator, and for one that was issued more than five minutes before `now`. Quotes around it
/// are passed over, as the service does: some clients send what a shell made of it.
std::variant<Error, ShardIterator> read_iterator(std::string_view text, Instant now);

/// Where a list goes on.
struct NextToken {
  enum class List : std::uint8_t { shards, streams, consumers };
  List list{};
  StreamName stream;  ///< its name is empty where streams are listed
  StreamId id;        ///< the same
  std::string after;  ///< the id or the name of the last one that was listed
  std::optional<ShardFilter> filter;
  Instant issued{};
};

std::string to_string(const NextToken& token);

/// An error for what is no token of that list, and for one that was issued more than 300 seconds before `now`.
std::variant<Error, NextToken> read_next_token(std::string_view text, NextToken::List list, Instant now);

/// "NextToken and StreamName cannot be provided together."
Error excluded_by_token(std::string_view member);

/// How many a page holds: no more than is usual, whatever the client asks for. REQUIRES: that is at least 1.
std::size_t page_of(const std::optional<std::int32_t>& asked, std::size_t usual);

/// What an answer with a NextToken keeps of its request.
struct KeepsIssued {
  Instant issued{};
};

/// As the service writes moments in its messages: "Thu Jan 22 01:22:02 UTC 2015".
std::string to_message_date(Instant at);

}  // namespace penstock::protocol::kinesis
