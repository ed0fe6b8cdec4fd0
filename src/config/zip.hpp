// The smallest of zips.
#pragma once

#include <string>
#include <string_view>

namespace penstock::config {

/// A zip of one file that anyone may read, without compression and without a time: the same for the same bytes.
/// REQUIRES: less than 4 GiB.
std::string zip_of(std::string_view name, std::string_view bytes);

}  // namespace penstock::config
