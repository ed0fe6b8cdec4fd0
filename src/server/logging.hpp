#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "protocol/operation_names.hpp"

namespace penstock::server {

/// Logs go to standard error, one line each: as text, or as a JSON object with time, level and message.
void start_logging(const std::string& level, bool json);

/// What ends the process with an error: one line, which names the program where logs are text.
void log_failure(const std::string& why);

/// A request that takes longer is worth a line, unless it waits for something to happen, as a long poll does.
inline constexpr std::chrono::milliseconds slow_request_time{1'000};

struct AnsweredRequest {
  std::string_view request_id;
  protocol::OperationName asked;
  int status = 0;
  std::chrono::duration<double> took{};
  bool waits = false;
};

/// A warning where the server could not do what was asked (5xx), at level info where it was slow, and otherwise at
/// debug. As JSON the line has the members request_id, service, operation, status and duration_seconds, too.
void log_request(const AnsweredRequest& request);

}  // namespace penstock::server
