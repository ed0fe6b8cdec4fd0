#include "core/receipt_handle.hpp"

#include <array>
#include <cstddef>

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

void append_hex(std::string& out, std::uint64_t word) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (unsigned shift = 64; shift > 0; shift -= 4) out.push_back(digits[(word >> (shift - 4)) & 0xfU]);
}

std::optional<std::uint64_t> read_hex(std::string_view text) {
  std::uint64_t word = 0;
  for (const char c : text) {
    unsigned digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<unsigned>(c - 'a') + 10;
    } else {
      return std::nullopt;
    }
    word = (word << 4U) | digit;
  }
  return word;
}

}  // namespace

std::string format(const ReceiptHandle& handle) {
  std::string text;
  text.reserve(handle_chars);
  append_hex(text, handle.queue.value);
  append_hex(text, handle.sequence.value);
  append_hex(text, handle.nonce);
  append_hex(text, checksum(handle));
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
