// Small texts: JSON strings, base64, numbers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace penstock::runner {

/// A JSON string with its quotes. What is not UTF-8 becomes U+FFFD.
std::string json_string(std::string_view text);

/// Nothing if it is none.
std::optional<std::string> decode_base64(std::string_view text);

/// With two digits after the point, whatever the locale.
std::string two_decimals(double value);

/// The end of `text`, at most `bytes_max` long and, if it has to be cut, from the beginning of a line.
std::string_view tail_of(std::string_view text, std::size_t bytes_max);

}  // namespace penstock::runner
