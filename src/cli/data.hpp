// What the commands share that are about all of the data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cli/arguments.hpp"
#include "cli/terminal.hpp"
#include "state/fault.hpp"

namespace penstock::cli {

/// Of a command that works without a server.
void describe_data_dir(cxxopts::Options& flags, const char* what);
std::string data_dir_of(const Arguments& arguments);

/// Such as "copying: 120 of 340 MB, 3 of 12 files".
std::string progress_text(const state::Progress& progress);
/// Shows it, and never cuts anything off.
state::Watch shown_on(Progress& progress);

/// Such as 3 B, 12 kB or 340.5 MB.
std::string bytes_text(std::uint64_t bytes);
/// Such as "1 file" or "1,200 files".
std::string counted(std::uint64_t count, std::string_view one, std::string_view many);

}  // namespace penstock::cli
