// Tokens that a client is given to come back with: what they mean is written in them, so that nothing is kept for them,
// and a restart, or another number of threads, does not end them. A sum over the whole tells what was altered on the
// way; it is no secret, since whoever can send a request can also ask for any token.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "penstock/streams.hpp"
#include "penstock/time.hpp"

namespace penstock::protocol {

/// Writes a token's bytes, and then the token. `kind`, its first byte, says what it is for and of which form it is: no
/// two kinds can be taken for each other.
class SealedWriter {
 public:
  explicit SealedWriter(char kind) { bytes_.push_back(kind); }

  void number(std::uint64_t value);
  void small(std::uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  void moment(Instant at) { number(static_cast<std::uint64_t>(to_epoch_ms(at))); }
  /// At most 255 bytes.
  void text(std::string_view text);
  void stream(const StreamName& name);
  /// In base64.
  std::string take();

 private:
  std::string bytes_;
};

/// The bytes between a token's kind and its sum; nothing if any character is not as it was written.
std::optional<std::string> unseal(std::string_view token, char kind);

/// What is read behind the end is zero, and makes the whole invalid.
class SealedReader {
 public:
  /// Refers to what was unsealed.
  explicit SealedReader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t small() { return static_cast<std::uint8_t>(take(1).front()); }
  std::uint64_t number();
  Instant moment() { return from_epoch_ms(static_cast<std::int64_t>(number())); }
  std::string text() { return std::string(take(small())); }
  StreamName stream();
  bool empty() const { return rest_.empty(); }
  /// Whether everything was there, and nothing more.
  bool complete() const { return !short_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t size);

  std::string_view rest_;
  bool short_ = false;
};

}  // namespace penstock::protocol
