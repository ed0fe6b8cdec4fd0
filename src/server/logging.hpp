#pragma once

#include <string>

namespace penstock::server {

/// Logs go to standard error, one line each: as text, or as a JSON object with time, level and message.
void start_logging(const std::string& level, bool json);

}  // namespace penstock::server
