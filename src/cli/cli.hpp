// The commands that a person gives to a server by hand.
#pragma once

namespace penstock::cli {

/// What the process ends with.
inline constexpr int success_status = 0;
inline constexpr int failure_status = 1;
inline constexpr int usage_status = 2;        ///< the command line is wrong
inline constexpr int unreachable_status = 3;  ///< there is no server where it was sought

/// Runs `penstock <command> ...`, where the command is not `serve`. Data goes to standard output, the rest to standard
/// error. SIGPIPE has to be ignored: an output that is closed ends a command without a complaint.
int run(int argc, const char* const* argv);

}  // namespace penstock::cli
