// Digits of hexadecimal numbers, which are written in lower case and read in it alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock {

inline constexpr std::string_view hex_digits = "0123456789abcdef";
inline constexpr unsigned hex_digit_bits = 4;
inline constexpr std::uint8_t no_hex_digit = 0xff;

/// The value of each character as a digit; no_hex_digit of one that is none.
inline constexpr std::array<std::uint8_t, 256> hex_values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_hex_digit);
  for (std::size_t i = 0; i < hex_digits.size(); ++i) {
    values.at(static_cast<unsigned char>(hex_digits[i])) = static_cast<std::uint8_t>(i);
  }
  return values;
}();

}  // namespace penstock
