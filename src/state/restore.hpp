// A backup made a data directory again, with no server at it.
#pragma once

#include <string>

#include "state/fault.hpp"
#include "state/manifest.hpp"

namespace penstock::state {

struct RestoreOptions {
  std::string backup;
  std::string target;       ///< the data directory, which is made if it is not there
  bool move_aside = false;  ///< what is in the way is renamed; otherwise the target has to be empty
};

struct Restored {
  Manifest manifest;
  std::string moved_to;  ///< where what was in the way is now; empty if nothing was
};

/// Every file is held against its SHA-256 before anything is done, and again as it is copied, and the data are opened
/// once. A restore that is cut off leaves a directory that is refused as unfinished. Throws Fault.
Restored restore(const RestoreOptions& options, const Watch& watch);

}  // namespace penstock::state
