// What a data directory is besides the database in it: whose it is at a time, and whether it is whole.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "penstock/store.hpp"

namespace penstock::storage {

/// A file of this name says that what is in the directory is not all there yet.
inline constexpr std::string_view unfinished_marker = "UNFINISHED";

/// `corrupt` if the directory has been left half-filled.
StoreError objection_to_unfinished(const std::string& directory);

/// Makes sure that what was done to the entries of a directory, or the contents of a file, is on the medium.
StoreError sync_path(const std::string& path);

/// Whether a server has served from the directory, which has put records into its database then, but there are none:
/// its log was emptied. A server that is killed in the first moments of its first start leaves no records either, but
/// nothing else as well.
bool has_lost_all(const std::string& directory, const Store& store);

/// Keeps servers from a directory for as long as it lives. Those who only look may be several at a time.
class DirectoryHold {
 public:
  DirectoryHold() = default;
  DirectoryHold(const DirectoryHold&) = delete;
  DirectoryHold& operator=(const DirectoryHold&) = delete;
  ~DirectoryHold();

  /// in_use if a server has it. A directory in which no server ever was cannot be held, and need not be.
  StoreError take(const std::string& directory);

 private:
  int descriptor_ = -1;
};

}  // namespace penstock::storage
