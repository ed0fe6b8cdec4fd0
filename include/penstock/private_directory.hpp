// Directories for what users entrust to a server: messages, records, code, tokens.
#pragma once

#include <filesystem>
#include <system_error>

namespace penstock {

/// Makes a directory, with those above it, that nobody but its owner can enter, and answers whether it was made. One
/// that is there already is left as it is.
inline bool make_private_directories(const std::filesystem::path& directory, std::error_code& error) {
  namespace fs = std::filesystem;
  error.clear();
  // As a name of a directory may be written; it has no file name of its own then.
  const fs::path path = directory.has_filename() ? directory : directory.parent_path();
  if (path.empty() || fs::is_directory(path, error)) return false;
  error.clear();
  if (path.has_parent_path() && path.parent_path() != path) make_private_directories(path.parent_path(), error);
  if (error) return false;
  const bool made = fs::create_directory(path, error);
  if (made) fs::permissions(path, fs::perms::owner_all, error);
  return made && !error;
}

/// Throws std::filesystem::filesystem_error.
inline bool make_private_directories(const std::filesystem::path& directory) {
  std::error_code error;
  const bool made = make_private_directories(directory, error);
  if (error) throw std::filesystem::filesystem_error("cannot create directory", directory, error);
  return made;
}

}  // namespace penstock
