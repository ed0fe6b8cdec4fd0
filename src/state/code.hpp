// Where the code of functions lies in a data directory.
#pragma once

#include <string>

namespace penstock::state {

inline std::string code_directory_of(const std::string& data_dir) { return data_dir + "/functions/code"; }

}  // namespace penstock::state
