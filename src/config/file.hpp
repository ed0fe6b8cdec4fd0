// The file that a server is set up from.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "config/problems.hpp"
#include "config/setup.hpp"
#include "config/template/evaluator.hpp"

namespace penstock::config {

/// What is looked for in the working directory where no file is named.
inline constexpr const char* default_file = "penstock.yaml";

/// The default file's name if there is such a file, or else empty.
std::string find_default_file();

/// The text of a file of at most so many bytes, or one byte more; nothing, and why among the problems, if there is
/// none.
std::optional<std::string> read_text(const std::string& path, std::size_t bytes_max, Problems& problems);

/// What the file says, be it a penstock.yaml or a template; nothing, and why among the problems, if it says nothing
/// that can be understood. `input` is for a template: a penstock.yaml has no parameters, and settings of its own.
std::optional<Setup> read_file(const std::string& path, const TemplateInput& input, Problems& problems);

/// The directory that the file is in, absolute.
std::string directory_of(const std::string& path);

}  // namespace penstock::config
