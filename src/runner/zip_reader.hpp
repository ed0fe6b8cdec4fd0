// Reads archives in the ZIP format, from memory: stored and deflated entries, ZIP64, Unix permissions and symbolic
// links.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::runner {

struct ZipEntry {
  std::string name;
  std::uint32_t mode = 0;  ///< as stat has it, of archives made on Unix; else 0
  std::uint16_t method = 0;
  std::uint32_t crc = 0;
  std::uint64_t packed_bytes = 0;
  std::uint64_t bytes = 0;  ///< as it says itself
  std::uint64_t offset = 0;

  bool is_directory() const { return name.ends_with('/'); }
  bool is_link() const { return (mode & 0170000U) == 0120000U; }
};

/// What an archive says that it holds; nothing if it is none, or if an entry is encrypted. There are at most
/// `entries_max`, else it counts as malformed.
std::optional<std::vector<ZipEntry>> read_entries(std::string_view zip, std::size_t entries_max);

/// Unpacks an entry, piece by piece. False if it is malformed, if it is not what it says, its length first of all, or
/// if the sink returns false.
bool unpack(std::string_view zip, const ZipEntry& entry, const std::function<bool(std::string_view)>& sink);

}  // namespace penstock::runner
