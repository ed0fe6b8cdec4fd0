// The commands that a person gives to a server by hand.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace penstock::cli {

/// What the process ends with.
inline constexpr int success_status = 0;
inline constexpr int failure_status = 1;
inline constexpr int usage_status = 2;        ///< the command line is wrong
inline constexpr int unreachable_status = 3;  ///< there is no server where it was sought

/// What is wrong with a setting of a file, if anything is: its name and its values, which only the server knows.
using SettingCheck = std::function<std::optional<std::string>(const std::string&, const std::vector<std::string>&)>;

/// Runs `penstock <command> ...`, where the command is not `serve`. Data goes to standard output, the rest to standard
/// error. SIGPIPE has to be ignored: an output that is closed ends a command without a complaint.
/// `objection_to_setting` may be empty.
int run(int argc, const char* const* argv, const SettingCheck& objection_to_setting);

}  // namespace penstock::cli
