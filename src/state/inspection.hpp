// Whether a data directory is sound: its files, every record, what they say of each other, and the code of functions.
#pragma once

#include <cstdint>
#include <string>

#include "state/fault.hpp"
#include "storage/check.hpp"

namespace penstock::state {

struct Inspection {
  storage::CheckReport report;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

/// Changes nothing, and keeps servers out meanwhile. Throws Fault: `refused` where a server uses it, there is none, or
/// it is of a newer format; `damaged` where it cannot be opened.
Inspection inspect(const std::string& data_dir, const Watch& watch);

}  // namespace penstock::state
