// The processes below this one.
#pragma once

#include <sys/types.h>

#include <set>

namespace penstock::runner {

/// Sends SIGKILL to all children of this process but those in `spared`, again and again until none is left, so that
/// their own children, which become ours, go too. REQUIRES: this process is a subreaper and has one thread.
void kill_children(const std::set<pid_t>& spared);

}  // namespace penstock::runner
