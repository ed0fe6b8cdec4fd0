// What tokens are written in: bytes, of which the first says what the token is for and the last are a sum over the
// rest, as base64. The sum tells what was altered on the way; it is no secret, since whoever can send a request can
// also ask for any token.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "penstock/streams.hpp"
#include "penstock/time.hpp"

namespace penstock::protocol {

/// The first byte: of which form the rest is, and what it is for. No two of the kinds can be taken for each other.
enum class TokenKind : std::uint8_t {
  iterator = 'A',
  shards = 'B',
  streams = 'C',
  consumers = 'D',
  held_iterator = 'E',  ///< of a consumer with positions
  poll = 'F'
};

/// The bytes of a sum at a token's end.
inline constexpr std::size_t token_sum_bytes = 8;

class TokenWriter {
 public:
  explicit TokenWriter(TokenKind kind) { bytes_.push_back(static_cast<char>(kind)); }

  void number(std::uint64_t value);
  /// The same in fewer bytes, the smaller the fewer: ten at most.
  void count(std::uint64_t value);
  void small(std::uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  void moment(Instant at) { number(static_cast<std::uint64_t>(to_epoch_ms(at))); }
  /// REQUIRES: no longer than 255 bytes.
  void text(std::string_view text);
  void stream(const StreamName& name);

  /// The whole as base64.
  std::string take();
  /// The same in the alphabet of URLs, without padding.
  std::string take_url();

 private:
  std::string bytes_;
};

/// What is read behind the end is zero, and makes the whole invalid.
class TokenReader {
 public:
  explicit TokenReader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t small() { return static_cast<std::uint8_t>(take(1).front()); }
  std::uint64_t number();
  std::uint64_t count();
  Instant moment() { return from_epoch_ms(static_cast<std::int64_t>(number())); }
  std::string text() { return std::string(take(small())); }
  StreamName stream();
  /// Whether everything was there, and nothing more.
  bool complete() const { return !broken_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t size);

  std::string_view rest_;
  bool broken_ = false;
};

/// A token's kind, and its bytes between that and the sum.
struct OpenedToken {
  TokenKind kind{};
  std::string bytes;
};

/// Nothing if any character is not as it was written.
std::optional<OpenedToken> open_token(std::string_view text);
/// Of one that take_url() wrote.
std::optional<OpenedToken> open_url_token(std::string_view text);

}  // namespace penstock::protocol
