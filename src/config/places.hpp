// Where the server keeps what it keeps, where nobody says otherwise. Commands look there too.
#pragma once

#include <string>

namespace penstock::config {

/// By the XDG Base Directory Specification.
std::string default_data_dir();

/// Of a data directory.
std::string token_file_in(const std::string& data_dir);

}  // namespace penstock::config
