// Keyed sums and the comparison of secrets.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::protocol {

using Hmac = std::array<std::uint8_t, 32>;

/// HMAC with SHA-256.
Hmac hmac_sha256(std::string_view key, std::string_view text);

/// Its bytes, as the key of the next one.
std::string_view as_text(const Hmac& sum);

/// 64 lower-case hexadecimal digits.
std::string to_hex(const Hmac& sum);

/// Takes as long wherever they differ. Texts of different length are told apart at once.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace penstock::protocol
