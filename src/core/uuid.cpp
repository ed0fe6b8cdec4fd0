#include "core/uuid.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::core {

std::string make_uuid(Entropy& entropy) {
  constexpr std::string_view digits = "0123456789abcdef";
  constexpr std::string_view pattern = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
  std::string text(pattern);
  std::uint64_t bits = 0;
  unsigned left = 0;
  for (char& c : text) {
    if (c != 'x' && c != 'y') continue;
    if (left == 0) {
      bits = entropy.next();
      left = 64;
    }
    const auto nibble = static_cast<std::size_t>(bits & 0xfU);
    bits >>= 4U;
    left -= 4;
    // The two high bits of this digit are the variant.
    c = digits[c == 'y' ? (nibble & 0x3U) | 0x8U : nibble];
  }
  return text;
}

}  // namespace penstock::core
