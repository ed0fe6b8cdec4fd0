#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/data.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"
#include "protocol/native/state_operations.hpp"

namespace penstock::cli {

namespace native = protocol::native;

namespace {

// At first for those that are made at once.
constexpr const char* first_wait = "100ms";
constexpr const char* later_wait = "250ms";

std::string progress_of(const native::BackupDescription& backup) {
  const auto count = [](const std::optional<std::int64_t>& number) {
    return static_cast<std::uint64_t>(number.value_or(0));
  };
  const std::string what = backup.what.value_or("");
  state::Progress progress{what, count(backup.files), count(backup.files_done), count(backup.bytes),
                           count(backup.bytes_done)};
  return progress_text(progress);
}

native::BackupDescription wait_for_end(Server& server, native::BackupDescription backup) {
  Progress progress;
  while (backup.state == "running") {
    progress.show(progress_of(backup));
    client::Request request{"GET", std::string(native::DescribeBackupOperation::path) + "?wait=" + later_wait, {}};
    backup = client::from_json<native::BackupDescription>(server.lambda(std::move(request)));
  }
  return backup;
}

}  // namespace

int run_backup(const Arguments& arguments) {
  const std::string directory = std::filesystem::absolute(arguments.word(0)).lexically_normal();
  Server server(arguments);
  native::BackUpInput input;
  input.directory = directory;
  input.wait = first_wait;
  client::Request request{"POST", std::string(native::BackUpOperation::path), client::to_json(input)};
  const native::BackupDescription backup =
      wait_for_end(server, client::from_json<native::BackupDescription>(server.lambda(std::move(request))));
  if (backup.state != "done" || backup.directory != directory) {
    throw std::runtime_error(backup.failure.value_or("the server no longer knows of the backup"));
  }
  for (const std::string& warning : backup.warnings.value_or(std::vector<std::string>())) remark(warning);
  if (arguments.json) {
    print_json(backup);
    return success_status;
  }
  Output output;
  output.write(directory + ": " + counted(static_cast<std::uint64_t>(backup.files.value_or(0)), "file", "files") +
               " with " + bytes_text(static_cast<std::uint64_t>(backup.bytes.value_or(0))) + "\n");
  output.flush();
  return success_status;
}

}  // namespace penstock::cli
