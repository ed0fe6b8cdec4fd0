// What a backup says of itself: which files it has, and what they contain. It is written last, so that a backup without
// it did not come to its end.
//
//   <backup>/data/            the database, as a crash at that moment would have left it
//   <backup>/code/<sha>.zip   the code of functions, by its SHA-256
//   <backup>/manifest.json
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "state/fault.hpp"

namespace penstock::state {

inline constexpr std::int64_t manifest_format = 1;
inline constexpr std::uint64_t manifest_bytes_max = 64U << 20U;
inline constexpr std::string_view manifest_file = "manifest.json";
inline constexpr std::string_view data_folder = "data";
inline constexpr std::string_view code_folder = "code";

struct ManifestFile {
  std::string path;  ///< below the backup's directory
  std::uint64_t bytes = 0;
  std::string sha256;  ///< in hex
};

struct Manifest {
  std::string version;  ///< of the server that made it
  std::string created;  ///< ISO 8601
  std::uint32_t data_format = 0;
  std::vector<ManifestFile> files;  ///< sorted by path

  std::uint64_t bytes() const;
};

/// Throws Fault, as the next two do.
void write_manifest(const std::string& directory, const Manifest& manifest);
/// `damaged` if there is none, if it is no manifest, or names what no backup has; `refused` if it is of a newer format.
Manifest read_manifest(const std::string& directory);
/// Reads every file through. `damaged`, naming the first ones that are not as they were, or not in the manifest, and
/// how many there are.
void verify_files(const std::string& directory, const Manifest& manifest, const Watch& watch);

}  // namespace penstock::state
