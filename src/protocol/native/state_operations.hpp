// The operations about all that the server keeps: copies of it, and beginning anew.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/server_commands.hpp"
#include "protocol/caller.hpp"
#include "protocol/native/call.hpp"
#include "protocol/native/constraints.hpp"
#include "protocol/native/server_operations.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::native {

namespace values {
inline constexpr std::array<std::string_view, 3> reset_service{"sqs", "kinesis", "lambda"};
}  // namespace values

inline constexpr MemberOptions directory_text = detail::sized(1, server_limits::directory_bytes_max);
inline constexpr MemberOptions reset_service = detail::one_of(values::reset_service);

struct BackupDescription {
  std::optional<std::string> state;
  std::optional<std::string> directory;
  std::optional<std::string> what;
  std::optional<std::int64_t> files;
  std::optional<std::int64_t> files_done;
  std::optional<std::int64_t> bytes;
  std::optional<std::int64_t> bytes_done;
  std::optional<std::string> failure;
  std::optional<std::vector<std::string>> warnings;

  static constexpr auto shape() {
    using Self = BackupDescription;
    return Shape("BackupDescription", required("state", &Self::state, about("none, running, done or failed.")),
                 optional("directory", &Self::directory, about("Where it is.")),
                 optional("what", &Self::what, about("What is being done, of one that is running.")),
                 optional("files", &Self::files, about("How many it has.")),
                 optional("files_done", &Self::files_done, about("Of those.")),
                 optional("bytes", &Self::bytes, about("What they have together.")),
                 optional("bytes_done", &Self::bytes_done, about("Of those.")),
                 optional("failure", &Self::failure, about("Why it failed, if it did.")),
                 optional("warnings", &Self::warnings, about("What the data lacks, and the backup therefore too.")));
  }
};

// ---- BackUp

struct BackUpInput {
  std::optional<std::string> directory;
  std::optional<std::string> wait;

  static constexpr auto shape() {
    using Self = BackUpInput;
    return Shape(
        "BackUpInput",
        required("directory", &Self::directory,
                 about("Where it is made, on the server's machine: an absolute path, which is made if it is not there, "
                       "and has to be empty if it is.",
                       directory_text)),
        optional("wait", &Self::wait,
                 about("How long, really, the answer waits for the end: 10m where nothing is said, and at most.",
                       duration_text)));
  }
};

struct BackUpOperation {
  static constexpr std::string_view name = "BackUp";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/_penstock/backup";
  static constexpr std::string_view summary =
      "Copies what is committed, with the code of functions, into a directory, while the server goes on.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = server_errors_of(ErrorCode::NotEnabled, ErrorCode::ServerConflict);
  using Input = BackUpInput;
  using Output = BackupDescription;
  using Kept = KeepsNothing;
  static AskedServer to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(ServerResult&& result, Kept& kept);
};

// ---- DescribeBackup

struct DescribeBackupInput {
  std::optional<std::string> wait;

  static constexpr auto shape() {
    return Shape("DescribeBackupInput",
                 optional("wait", &DescribeBackupInput::wait,
                          in_query("How long, really, to wait for its end, such as 30s: not at all where nothing is "
                                   "said, at most 10m.",
                                   duration_text)));
  }
};

struct DescribeBackupOperation {
  static constexpr std::string_view name = "DescribeBackup";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/_penstock/backup";
  static constexpr std::string_view summary = "Tells how far the backup is that is being made, or was made last.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = server_errors_of(ErrorCode::ServerBusy);
  using Input = DescribeBackupInput;
  using Output = BackupDescription;
  using Kept = KeepsNothing;
  static AskedServer to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(ServerResult&& result, Kept& kept);
};

// ---- ResetServer

struct ResetServerInput {
  std::optional<std::string> service;
  std::optional<bool> setup;

  static constexpr auto shape() {
    using Self = ResetServerInput;
    return Shape(
        "ResetServerInput",
        optional("service", &Self::service,
                 about("What is deleted: sqs, kinesis or lambda; everything where nothing is said.", reset_service)),
        optional("setup", &Self::setup, about("Whether what the server's file says is made again afterwards.")));
  }
};
struct ResetServerOutput {
  std::optional<std::int64_t> queues;
  std::optional<std::int64_t> streams;
  std::optional<std::int64_t> functions;
  std::optional<std::int64_t> mappings;

  static constexpr auto shape() {
    using Self = ResetServerOutput;
    return Shape("ResetServerOutput", required("queues", &Self::queues, about("How many were deleted.")),
                 required("streams", &Self::streams, about("The same.")),
                 required("functions", &Self::functions, about("The same.")),
                 required("mappings", &Self::mappings, about("The same.")));
  }
};

struct ResetServerOperation {
  static constexpr std::string_view name = "ResetServer";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/_penstock/reset";
  static constexpr std::string_view summary =
      "Deletes all queues, streams, functions and mappings of every account and region, or those of a service, and "
      "answers when they are gone.";
  static constexpr std::array statuses{status_ok};
  static constexpr auto errors = server_errors_of(ErrorCode::ServerConflict);
  using Input = ResetServerInput;
  using Output = ResetServerOutput;
  using Kept = KeepsNothing;
  static AskedServer to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(ServerResult&& result, Kept& kept);
};

}  // namespace penstock::protocol::native
