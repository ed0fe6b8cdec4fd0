// Where data are kept where nobody says anything else.
#pragma once

#include <string>

namespace penstock::state {

/// $XDG_DATA_HOME/penstock, or ~/.local/share/penstock.
std::string default_data_dir();

}  // namespace penstock::state
