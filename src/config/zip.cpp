#include "config/zip.hpp"

#include <cstdint>

namespace penstock::config {

namespace {

// PKWARE's APPNOTE.TXT: a local header with the file behind it, its entry in the central directory, and the end of
// that.
constexpr std::uint32_t local_signature = 0x04034b50;
constexpr std::uint32_t entry_signature = 0x02014b50;
constexpr std::uint32_t end_signature = 0x06054b50;
constexpr std::uint16_t version_needed = 10;
constexpr std::uint16_t made_by_unix = 3U << 8U | version_needed;
constexpr std::uint16_t first_of_january_1980 = 1U << 5U | 1U;
constexpr std::uint32_t regular_file_0644 = 0100644U << 16U;

void append(std::string& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xffU));
}
void append16(std::string& out, std::uint32_t value) { append(out, value, 2); }
void append32(std::string& out, std::uint32_t value) { append(out, value, 4); }

std::uint32_t crc32_of(std::string_view bytes) {
  constexpr std::uint32_t polynomial = 0xedb88320;
  std::uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1U ^ ((crc & 1U) != 0 ? polynomial : 0U);
  }
  return ~crc;
}

/// What both headers say of the file, from the version that reads it on.
void append_file(std::string& out, std::string_view name, std::string_view bytes, std::uint32_t crc) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  append16(out, version_needed);
  append16(out, 0);  // no flags
  append16(out, 0);  // stored
  append16(out, 0);  // midnight
  append16(out, first_of_january_1980);
  append32(out, crc);
  append32(out, size);
  append32(out, size);
  append16(out, static_cast<std::uint32_t>(name.size()));
  append16(out, 0);  // no extra field
}

}  // namespace

std::string zip_of(std::string_view name, std::string_view bytes) {
  const std::uint32_t crc = crc32_of(bytes);
  std::string zip;
  append32(zip, local_signature);
  append_file(zip, name, bytes, crc);
  zip.append(name).append(bytes);
  const auto directory_at = static_cast<std::uint32_t>(zip.size());
  append32(zip, entry_signature);
  append16(zip, made_by_unix);
  append_file(zip, name, bytes, crc);
  append16(zip, 0);  // no comment
  append16(zip, 0);  // on the first disk
  append16(zip, 0);  // no internal attributes
  append32(zip, regular_file_0644);
  append32(zip, 0);  // the local header is the first thing there is
  zip.append(name);
  const auto directory_size = static_cast<std::uint32_t>(zip.size()) - directory_at;
  append32(zip, end_signature);
  append16(zip, 0);
  append16(zip, 0);
  append16(zip, 1);
  append16(zip, 1);
  append32(zip, directory_size);
  append32(zip, directory_at);
  append16(zip, 0);
  return zip;
}

}  // namespace penstock::config
