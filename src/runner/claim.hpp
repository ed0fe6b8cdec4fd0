// Directories that go with a process, and that the next one of its kind removes where it was killed.
#pragma once

#include <string>

#include "runner/descriptor.hpp"

namespace penstock::runner {

/// Takes a directory for this process, for as long as the descriptor is open and no longer than the process lives.
/// Empty if another process has it, or if there is none of that name, links left aside.
Descriptor claim_directory(const std::string& path);

/// Removes the directories in `parent` whose names begin so, which belong to this user and which nobody has claimed,
/// with all that is in them. Of cgroups only other cgroups are removed, and files are left to the kernel.
void remove_unclaimed(const std::string& parent, const std::string& prefix, bool of_cgroups);

/// Removes a cgroup and all below it. False if some of them stay, which have processes.
bool remove_cgroup(const std::string& path);

}  // namespace penstock::runner
