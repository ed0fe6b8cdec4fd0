// The functions and the mappings that a server has: all pages of its lists.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/function_shapes.hpp"
#include "cli/names.hpp"
#include "cli/server.hpp"

namespace penstock::cli {

/// No page is asked for once there are so many.
std::vector<wire::Function> all_functions(Server& server, std::size_t enough = all_names);
std::vector<wire::Mapping> all_mappings(Server& server, std::size_t enough = all_names);

std::vector<std::string> function_names(Server& server, std::size_t enough = all_names);
std::vector<std::string> mapping_ids(Server& server, std::size_t enough = all_names);

}  // namespace penstock::cli
