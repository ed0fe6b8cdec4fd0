#include "protocol/token_bytes.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/base64.hpp"
#include "protocol/digests.hpp"

namespace penstock::protocol {
namespace {

// Of a number that is written seven bits to a byte, the highest of which says that more follow.
constexpr unsigned count_bits = 7;
constexpr std::uint8_t count_goes_on = 0x80;

/// Of what precedes it. The prefix makes it another one than that of any other program that sums the same bytes.
std::string sum_of(std::string_view bytes) {
  const Md5 sum = md5_of(std::string("penstock token ").append(bytes));
  std::string text;
  for (std::size_t i = 0; i < token_sum_bytes; ++i) text.push_back(static_cast<char>(sum.at(i)));
  return text;
}

}  // namespace

void TokenWriter::number(std::uint64_t value) {
  for (unsigned shift = 64; shift > 0;) bytes_.push_back(static_cast<char>(value >> (shift -= 8)));
}

void TokenWriter::count(std::uint64_t value) {
  for (; value >= count_goes_on; value >>= count_bits) small(static_cast<std::uint8_t>(value | count_goes_on));
  small(static_cast<std::uint8_t>(value));
}

void TokenWriter::text(std::string_view text) {
  small(static_cast<std::uint8_t>(text.size()));
  bytes_.append(text);
}

void TokenWriter::stream(const StreamName& name) {
  text(name.account);
  text(name.region);
  text(name.name);
}

std::string TokenWriter::take() { return base64_encode(bytes_.append(sum_of(bytes_))); }

std::string TokenWriter::take_url() {
  std::string text = take();
  text.erase(std::min(text.find('='), text.size()));
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

std::uint64_t TokenReader::number() {
  std::uint64_t value = 0;
  for (const char c : take(8)) value = (value << 8U) | static_cast<std::uint8_t>(c);
  return value;
}

std::uint64_t TokenReader::count() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += count_bits) {
    const std::uint8_t byte = small();
    value |= std::uint64_t{byte} % count_goes_on << shift;
    if (byte < count_goes_on) return value;
  }
  broken_ = true;
  return 0;
}

StreamName TokenReader::stream() {
  StreamName name;
  name.account = text();
  name.region = text();
  name.name = text();
  return name;
}

std::string_view TokenReader::take(std::size_t size) {
  static constexpr std::array<char, 8> zeros{};
  if (size > rest_.size()) {
    broken_ = true;
    rest_ = {};
    return {zeros.data(), std::min(size, zeros.size())};
  }
  const std::string_view part = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return part;
}

std::optional<OpenedToken> open_token(std::string_view text) {
  std::optional<std::string> bytes = base64_decode(text);
  // The last digit has bits that say nothing: only one way of writing it is that of the token.
  if (!bytes || bytes->size() < 1 + token_sum_bytes || base64_encode(*bytes) != text) return std::nullopt;
  const std::string sum = bytes->substr(bytes->size() - token_sum_bytes);
  bytes->resize(bytes->size() - token_sum_bytes);
  if (sum_of(*bytes) != sum) return std::nullopt;
  return OpenedToken{static_cast<TokenKind>(bytes->front()), bytes->substr(1)};
}

std::optional<OpenedToken> open_url_token(std::string_view text) {
  if (text.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
  std::string padded(text);
  std::ranges::replace(padded, '-', '+');
  std::ranges::replace(padded, '_', '/');
  padded.resize((padded.size() + 3) / 4 * 4, '=');
  return open_token(padded);
}

}  // namespace penstock::protocol
