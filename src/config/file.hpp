// The file that a server is set up from.
#pragma once

#include <optional>
#include <string>

#include "config/problems.hpp"
#include "config/setup.hpp"

namespace penstock::config {

/// What is looked for in the working directory where no file is named.
inline constexpr const char* default_file = "penstock.yaml";

/// The default file's name if there is such a file, or else empty.
std::string find_default_file();

/// What the file says; nothing, and why among the problems, if it says nothing that can be understood.
std::optional<Setup> read_file(const std::string& path, Problems& problems);

/// The directory that the file is in, absolute.
std::string directory_of(const std::string& path);

}  // namespace penstock::config
