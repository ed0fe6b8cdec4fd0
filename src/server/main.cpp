#include <csignal>
#include <cstdio>
#include <variant>

#include "server/logging.hpp"
#include "server/options.hpp"
#include "server/server.hpp"

int main(int argc, char** argv) {
  const auto parsed = penstock::server::parse_command_line(argc, argv);
  if (const auto* ending = std::get_if<penstock::server::Ending>(&parsed)) {
    std::fputs(ending->text.c_str(), ending->status == 0 ? stdout : stderr);
    return ending->status;
  }
  const auto& options = std::get<penstock::server::Options>(parsed);
  // Whoever reads the log may stop doing so.
  std::signal(SIGPIPE, SIG_IGN);
  penstock::server::start_logging(options.log_level, options.log_json);
  return penstock::server::serve(options);
}
