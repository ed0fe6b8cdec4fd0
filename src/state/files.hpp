// Files that are copied, linked and read through. All of it throws Fault.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "penstock/store.hpp"
#include "state/fault.hpp"

namespace penstock::state {

/// Read and written at a time.
inline constexpr std::size_t copied_at_once_max = 1U << 20U;

/// Told of so many more bytes; may throw.
using BytesDone = std::function<void(std::uint64_t)>;

struct FileSum {
  std::uint64_t bytes = 0;
  std::string sha256;  ///< in hex
};

/// REQUIRES: none of them is empty.
FileSum sum_of_file(const std::string& path, const BytesDone& done);
/// Makes a new file, which is on the medium when this returns.
FileSum copy_file(const std::string& from, const std::string& to, const BytesDone& done);
/// A second name for the file, if it can have one there.
bool link_file(const std::string& from, const std::string& to);
/// The whole file, which has at most so many bytes.
std::string read_whole(const std::string& path, std::uint64_t bytes_max);
/// Makes a file that is there as a whole or not at all, and on the medium when this returns.
void write_whole(const std::string& path, std::string_view text);

/// Those two throw of a failure of the store's what it was.
void sync(const std::string& path);
[[noreturn]] void fail(const StoreError& error);
[[noreturn]] void fail(const std::string& what, int reason);

std::string sha256_of(std::string_view bytes);
/// Of the file system that has `path`, for those who are not root.
std::uint64_t free_bytes(const std::string& path);
bool is_same_disk(const std::string& one, const std::string& other);
bool is_empty_directory(const std::string& path);
/// Whether a path is a directory or lies in it, by whatever links and names; what does not exist yet lies where it
/// would.
bool is_within(const std::string& path, const std::string& directory);

}  // namespace penstock::state
