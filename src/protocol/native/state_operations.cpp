#include "protocol/native/state_operations.hpp"

#include <algorithm>
#include <climits>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace penstock::protocol::native {

namespace {

template <class C>
AskedServer ask_server(C command) {
  return std::make_shared<const ServerCommand>(ServerCommand{std::move(command)});
}

std::string_view name_of(BackupState::Phase phase) {
  switch (phase) {
    case BackupState::Phase::none:
      return "none";
    case BackupState::Phase::running:
      return "running";
    case BackupState::Phase::done:
      return "done";
    case BackupState::Phase::failed:
      break;
  }
  return "failed";
}

BackupDescription described(BackupState&& state) {
  using Phase = BackupState::Phase;
  BackupDescription description;
  description.state = name_of(state.phase);
  if (state.phase == Phase::none) return description;
  description.directory = std::move(state.directory);
  if (state.phase == Phase::running) description.what = std::move(state.what);
  description.files = static_cast<std::int64_t>(state.files);
  description.files_done = static_cast<std::int64_t>(state.files_done);
  description.bytes = static_cast<std::int64_t>(state.bytes);
  description.bytes_done = static_cast<std::int64_t>(state.bytes_done);
  if (state.failure) description.failure = std::move(state.failure->message);
  if (!state.warnings.empty()) description.warnings = std::move(state.warnings);
  return description;
}

/// What names what is in a backup, from its directory on, with room to spare.
constexpr std::size_t inner_path_bytes_max = 128;

/// A path that no file system has. The rest is known where it is made.
std::optional<Error> objection_to(std::string_view directory) {
  if (directory.find('\0') != directory.npos) return invalid_request("directory has a NUL character in it.");
  constexpr std::size_t path_bytes_max = PATH_MAX - inner_path_bytes_max;
  if (directory.size() > path_bytes_max) {
    return invalid_request("directory has to have at most " + std::to_string(path_bytes_max) + " bytes.");
  }
  while (!directory.empty()) {
    const std::size_t end = std::min(directory.find('/'), directory.size());
    if (end > NAME_MAX) {
      return invalid_request("A name in directory has to have at most " + std::to_string(NAME_MAX) + " bytes.");
    }
    directory.remove_prefix(std::min(end + 1, directory.size()));
  }
  return std::nullopt;
}

ResetServer::Scope scope_of(const std::optional<std::string>& service) {
  if (!service) return ResetServer::Scope::all;
  if (*service == "sqs") return ResetServer::Scope::sqs;
  return *service == "kinesis" ? ResetServer::Scope::kinesis : ResetServer::Scope::lambda;
}

}  // namespace

AskedServer BackUpOperation::to_command(Input& input, const Caller& /*caller*/, Kept& /*kept*/) {
  auto wait = wait_of(input.wait, server_limits::settle_time_max);
  if (auto* error = std::get_if<Error>(&wait)) return std::move(*error);
  if (auto objection = objection_to(*input.directory)) return *std::move(objection);
  return ask_server(BackUp{std::move(*input.directory), std::get<Millis>(wait)});
}

// Who waited for it learns of its failure as of any other.
Told<BackupDescription> BackUpOperation::to_output(ServerResult&& result, Kept& /*kept*/) {
  auto* state = std::get_if<BackupState>(&result);
  if (state == nullptr) return unexpected_result();
  if (state->failure) return std::move(*state->failure);
  return described(std::move(*state));
}

AskedServer DescribeBackupOperation::to_command(Input& input, const Caller& /*caller*/, Kept& /*kept*/) {
  auto wait = wait_of(input.wait, Millis{0});
  if (auto* error = std::get_if<Error>(&wait)) return std::move(*error);
  return ask_server(DescribeBackup{std::get<Millis>(wait)});
}

Told<BackupDescription> DescribeBackupOperation::to_output(ServerResult&& result, Kept& /*kept*/) {
  auto* state = std::get_if<BackupState>(&result);
  if (state == nullptr) return unexpected_result();
  return described(std::move(*state));
}

AskedServer ResetServerOperation::to_command(Input& input, const Caller& /*caller*/, Kept& /*kept*/) {
  return ask_server(ResetServer{scope_of(input.service), input.setup.value_or(false)});
}

Told<ResetServerOutput> ResetServerOperation::to_output(ServerResult&& result, Kept& /*kept*/) {
  const auto* reset = std::get_if<ServerReset>(&result);
  if (reset == nullptr) return unexpected_result();
  ResetServerOutput output;
  output.queues = static_cast<std::int64_t>(reset->queues);
  output.streams = static_cast<std::int64_t>(reset->streams);
  output.functions = static_cast<std::int64_t>(reset->functions);
  output.mappings = static_cast<std::int64_t>(reset->mappings);
  return output;
}

}  // namespace penstock::protocol::native
