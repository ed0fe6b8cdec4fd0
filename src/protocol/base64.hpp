// Base64 as the protocols carry blobs in it: the standard alphabet, padded, without white space. One table look-up for
// each digit of a text and for each two digits of an answer, since pages of records are megabytes of nothing else.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::protocol {

constexpr std::size_t base64_size(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

/// Nothing where the text is no base64. The bits that its last digit has too many are not looked at.
std::optional<std::string> base64_decode(std::string_view text);

std::string base64_encode(std::string_view bytes);

/// Writes base64_size(bytes.size()) characters.
void base64_encode_to(std::string_view bytes, char* out);

}  // namespace penstock::protocol
