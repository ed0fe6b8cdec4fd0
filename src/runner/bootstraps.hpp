// The programs by which handlers of Python and Node are run: bootstraps/bootstrap.py and bootstraps/bootstrap.mjs,
// which the build puts into the binary.
#pragma once

#include <string_view>

namespace penstock::runner {

extern const std::string_view python_bootstrap;
extern const std::string_view node_bootstrap;

}  // namespace penstock::runner
