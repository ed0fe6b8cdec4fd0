// Texts as URLs have them.
#pragma once

#include <string>
#include <string_view>

namespace penstock::protocol {

/// Escapes what may not stand in a path or a query as it is.
std::string percent_encode(std::string_view plain);

}  // namespace penstock::protocol
