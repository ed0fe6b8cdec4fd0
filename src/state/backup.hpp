// Copies of a server's data, made while it runs: what is committed at one moment, with the code that the functions of
// that moment have.
//
// RocksDB's checkpoint is what they are made of, and not its backup engine: that copies every file, where a link to one
// that never changes takes neither time nor room, and keeps a format of its own beside the hashes that are wanted here.
#pragma once

#include <string>
#include <vector>

#include "penstock/store.hpp"
#include "penstock/time.hpp"
#include "runner/code_store.hpp"
#include "state/fault.hpp"
#include "state/manifest.hpp"

namespace penstock::state {

struct BackupSource {
  Store& store;          ///< from open_rocksdb
  std::string data_dir;  ///< absolute
  const runner::CodeStore& code;
  std::string version;  ///< of this program
  Instant now{};
};

struct BackupMade {
  Manifest manifest;
  std::vector<std::string> warnings;  ///< what the data lacks, and the backup therefore too
};

/// Makes a backup in `directory`, an absolute path, which is made if it is not there, and has to be empty if it is.
/// While it is made commits wait once, for as long as the log takes to be copied. Throws Fault; then nothing is left in
/// the directory. One at a time.
BackupMade back_up(const BackupSource& source, const std::string& directory, const Watch& watch);

/// Removes what a backup that was cut off has left in the data directory.
void remove_leftovers(const std::string& data_dir);

}  // namespace penstock::state
