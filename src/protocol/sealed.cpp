#include "protocol/sealed.hpp"

#include <algorithm>
#include <array>

#include "protocol/base64.hpp"
#include "protocol/digests.hpp"

namespace penstock::protocol {
namespace {

constexpr std::size_t sum_bytes = 8;

/// Of what precedes it. The prefix makes it another one than that of any other program that sums the same bytes.
std::string sum_of(std::string_view bytes) {
  const Md5 sum = md5_of(std::string("penstock token ").append(bytes));
  std::string text;
  for (std::size_t i = 0; i < sum_bytes; ++i) text.push_back(static_cast<char>(sum.at(i)));
  return text;
}

}  // namespace

void SealedWriter::number(std::uint64_t value) {
  for (unsigned shift = 64; shift > 0;) bytes_.push_back(static_cast<char>(value >> (shift -= 8)));
}

void SealedWriter::text(std::string_view text) {
  small(static_cast<std::uint8_t>(text.size()));
  bytes_.append(text);
}

void SealedWriter::stream(const StreamName& name) {
  text(name.account);
  text(name.region);
  text(name.name);
}

std::string SealedWriter::take() { return base64_encode(bytes_.append(sum_of(bytes_))); }

std::optional<std::string> unseal(std::string_view token, char kind) {
  std::optional<std::string> bytes = base64_decode(token);
  // The last digit has bits that say nothing: only one way of writing it is that of the token.
  if (!bytes || bytes->size() < 1 + sum_bytes || base64_encode(*bytes) != token) return std::nullopt;
  const std::string sum = bytes->substr(bytes->size() - sum_bytes);
  bytes->resize(bytes->size() - sum_bytes);
  if (bytes->front() != kind || sum_of(*bytes) != sum) return std::nullopt;
  return bytes->substr(1);
}

std::uint64_t SealedReader::number() {
  std::uint64_t value = 0;
  for (const char c : take(8)) value = (value << 8U) | static_cast<std::uint8_t>(c);
  return value;
}

StreamName SealedReader::stream() {
  StreamName name;
  name.account = text();
  name.region = text();
  name.name = text();
  return name;
}

std::string_view SealedReader::take(std::size_t size) {
  static constexpr std::array<char, 8> zeros{};
  if (size > rest_.size()) {
    short_ = true;
    rest_ = {};
    return {zeros.data(), std::min(size, zeros.size())};
  }
  const std::string_view part = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return part;
}

}  // namespace penstock::protocol
