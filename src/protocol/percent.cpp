#include "protocol/percent.hpp"

#include "protocol/text.hpp"

namespace penstock::protocol {

std::string percent_encode(std::string_view plain) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : plain) {
    if (is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', digits[byte >> 4U], digits[byte & 0xfU]};
    }
  }
  return out;
}

}  // namespace penstock::protocol
