// The MD5 sums that SQS answers with, so that clients can tell whether what they sent arrived whole, and the SHA-256 by
// which a FIFO queue knows a body again.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "penstock/message.hpp"

namespace penstock::protocol {

Md5 md5_of(std::string_view bytes);

/// Lower-case hexadecimal, as the service writes sums.
std::string to_hex(const Md5& sum);

/// The sum over message attributes: for each its name, data type, the kind of value and the value itself.
/// REQUIRES: sorted by name.
Md5 md5_of_attributes(std::span<const MessageAttribute> attributes);
/// The same over some of a message's attributes.
Md5 md5_of_attributes(std::span<const MessageAttribute* const> attributes);

/// 64 lower-case hexadecimal digits.
std::string sha256_hex_of(std::string_view bytes);

/// The same sum in base64, as CodeSha256 reports it.
std::string sha256_base64_of(std::string_view bytes);

}  // namespace penstock::protocol
