// The commands that a person gives to a server by hand.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/schema.hpp"
#include "penstock/functions.hpp"

namespace penstock::cli {

/// What the process ends with. A signal that interrupts ends it with 128 and its number.
inline constexpr int success_status = 0;
inline constexpr int failure_status = 1;
inline constexpr int usage_status = 2;        ///< the command line is wrong
inline constexpr int unreachable_status = 3;  ///< no server was reached where it was sought, or it gave no answer
inline constexpr int empty_status = 4;        ///< there was nothing to print, or nothing came in time
inline constexpr int signal_status = 128;

/// What is wrong with a setting of a file, if anything is: its name and its values, which only the server knows.
using SettingCheck = std::function<std::optional<std::string>(const std::string&, const std::vector<std::string>&)>;
/// Why a server on this machine could not run a function.
using FunctionCheck = std::function<std::optional<std::string>(const FunctionRecord&)>;

/// One that may stand on the command line.
struct Flag {
  std::string name;    ///< without dashes
  std::string letter;  ///< its short form; may be empty
  std::string value;   ///< what its value is called; empty if it has none
  std::string what;    ///< a text about it
  bool repeats = false;
};

/// What the server is asked for by commands that may run without one. Each may be empty.
struct OfServer {
  SettingCheck objection_to_setting{};
  FunctionCheck objection_to_function{};
  std::function<std::vector<config::SettingInfo>()> describe_settings{};
  std::function<std::vector<Flag>()> serve_flags{};
};

/// Runs `penstock <command> ...`, where the command is not `serve`. Data goes to standard output, the rest to standard
/// error. SIGPIPE has to be ignored: an output that is closed ends a command without a complaint.
int run(int argc, const char* const* argv, const OfServer& of_server);

}  // namespace penstock::cli
