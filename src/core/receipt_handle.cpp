#include "core/receipt_handle.hpp"

#include <cstddef>

#include "penstock/hex.hpp"

namespace penstock::core {

namespace {

constexpr std::size_t word_digits = 16;
constexpr std::size_t handle_chars = 4 * word_digits;

// Tells a handle of ours from text that merely looks like one; it is no defence against forgery, which loopback with
// any credentials accepted does not call for.
std::uint64_t checksum(const ReceiptHandle& handle) {
  std::uint64_t sum = 0x50656e73746f636bULL;
  for (const std::uint64_t word : {handle.queue.value, handle.sequence.value, handle.nonce}) {
    sum ^= word;
    sum *= 0xff51afd7ed558ccdULL;
    sum ^= sum >> 32U;
  }
  return sum;
}

void write_hex(char* out, std::uint64_t word) {
  for (std::size_t i = word_digits; i > 0; --i, word >>= 4U) out[i - 1] = hex_digits[word & 0xfU];
}

std::optional<std::uint64_t> read_hex(std::string_view text) {
  std::uint64_t word = 0;
  std::uint8_t seen = 0;
  for (const char c : text) {
    const std::uint8_t value = hex_values[static_cast<unsigned char>(c)];
    seen |= value;
    word = (word << 4U) | (value & 0xfU);
  }
  // Of a value only what is no digit has more than four bits.
  if (seen > 0xfU) return std::nullopt;
  return word;
}

}  // namespace

std::string format(const ReceiptHandle& handle) {
  std::string text(handle_chars, '0');
  std::size_t at = 0;
  for (const std::uint64_t word : {handle.queue.value, handle.sequence.value, handle.nonce, checksum(handle)}) {
    write_hex(&text[at], word);
    at += word_digits;
  }
  return text;
}

std::optional<ReceiptHandle> parse_receipt_handle(std::string_view text) {
  if (text.size() != handle_chars) return std::nullopt;
  std::array<std::uint64_t, 4> words{};
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto word = read_hex(text.substr(i * word_digits, word_digits));
    if (!word) return std::nullopt;
    words[i] = *word;
  }
  const ReceiptHandle handle{QueueId{words[0]}, Sequence{words[1]}, words[2]};
  if (handle.nonce == 0 || checksum(handle) != words[3]) return std::nullopt;
  return handle;
}

}  // namespace penstock::core
