// The parent of one function process: see keeper.hpp.
#pragma once

#include <array>

#include "runner/spawn_request.hpp"

namespace penstock::runner {

/// -1 for what did not come.
using SpawnDescriptors = std::array<int, spawn_descriptors_max>;

/// A guard's main, in a process that was forked for it. Starts the process, reports over the channel, and returns when
/// nothing of the process is left. `keeper` is the parent's pid.
void run_guard(const SpawnRequest& request, const SpawnDescriptors& descriptors, int keeper);

/// Tells the other end that the process could not be started.
void report_failure(int channel, int error);

}  // namespace penstock::runner
