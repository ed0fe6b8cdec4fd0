#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <variant>
#include <vector>

#include "cli/cli.hpp"
#include "runner/keeper.hpp"
#include "server/logging.hpp"
#include "server/options.hpp"
#include "server/server.hpp"
#include "server/version.hpp"

namespace {

int serve(int argc, const char* const* argv) {
  const auto parsed = penstock::server::parse_command_line(argc, argv);
  if (const auto* ending = std::get_if<penstock::server::Ending>(&parsed)) {
    std::fputs(ending->text.c_str(), ending->status == 0 ? stdout : stderr);
    return ending->status;
  }
  const auto& options = std::get<penstock::server::Options>(parsed);
  penstock::server::start_logging(options.log_level, options.log_json);
  return penstock::server::serve(options);
}

std::vector<penstock::cli::Flag> serve_flags() {
  std::vector<penstock::cli::Flag> flags;
  for (const penstock::server::ServeFlag& flag : penstock::server::serve_flags()) {
    flags.push_back({flag.name, {}, flag.value, flag.what, flag.repeats});
  }
  return flags;
}

}  // namespace

int main(int argc, char** argv) {
  // Whoever reads what is printed, or the log, may stop doing so.
  std::signal(SIGPIPE, SIG_IGN);
  std::string_view command = argc > 1 ? argv[1] : "";
  // `penstock help tail` is `penstock tail --help`.
  const std::array<const char*, 3> help{argv[0], argc > 2 ? argv[2] : "", "--help"};
  const bool asks_for_help = command == "help" && argc > 2;
  const char* const* const arguments = asks_for_help ? help.data() : argv;
  const int count = asks_for_help ? static_cast<int>(help.size()) : argc;
  if (asks_for_help) command = help[1];

  // Not for people: what the server starts for its function processes.
  if (command == "keeper" && argc == 3) return penstock::runner::run_keeper(std::atoi(argv[2]));
  if (command == "serve") return serve(count - 1, arguments + 1);
  if (command == "--version") {
    std::printf("penstock %.*s\n", static_cast<int>(penstock::server::version.size()),
                penstock::server::version.data());
    return 0;
  }
  return penstock::cli::run(count, arguments,
                            {penstock::server::objection_to_setting, penstock::server::objection_to_function,
                             penstock::server::describe_settings, serve_flags});
}
