#include "server/state_keeper.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "server/resetter.hpp"
#include "server/settler.hpp"
#include "server/version.hpp"
#include "state/fault.hpp"

namespace penstock::server {

namespace asio = boost::asio;
using state::Fault;
using Phase = BackupState::Phase;

namespace {

Error error_of(const Fault& fault) {
  switch (fault.kind()) {
    case Fault::Kind::refused:
      return {ErrorCode::InvalidRequest, fault.what()};
    case Fault::Kind::no_room:
    case Fault::Kind::cancelled:
      return {ErrorCode::ServiceUnavailable, fault.what()};
    case Fault::Kind::damaged:
    case Fault::Kind::failed:
      break;
  }
  return {ErrorCode::InternalFailure, fault.what()};
}

/// Of a path at which nothing can be, such as one whose links lead in a circle: whoever asked has to name another.
std::optional<Error> objection_to(const std::string& directory) {
  std::error_code error;
  if (std::filesystem::status(directory, error).type() != std::filesystem::file_type::none) return std::nullopt;
  return Error{ErrorCode::InvalidRequest, "cannot look at " + directory + ": " + error.message()};
}

Error conflict(std::string what) { return {ErrorCode::ServerConflict, std::move(what)}; }

}  // namespace

StateKeeper::StateKeeper(asio::io_context& context, Parts parts)
    : context_(context),
      parts_(std::move(parts)),
      insider_(parts_.service),
      own_client_(parts_.service, context),
      own_clients_(parts_.service, context) {}

StateKeeper::~StateKeeper() {
  stopping_ = true;
  insider_.close();
  own_client_.close();
  own_clients_.close();
  for (auto* each : {&backup_pool_, &reset_pool_, &transfer_pool_}) {
    if (*each) (*each)->join();
  }
}

asio::thread_pool& StateKeeper::pool(std::optional<asio::thread_pool>& pool) {
  if (!pool) pool.emplace(1);
  return *pool;
}

void StateKeeper::stop() {
  stopping_ = true;
  insider_.close();
  own_client_.close();
  own_clients_.close();
  for (const auto& waiter : waiters_) waiter->timer.cancel();
}

// ---- Backups

BackupState StateKeeper::backup_state() const {
  const std::lock_guard lock(mutex_);
  return backup_;
}

void StateKeeper::submit(const BackUp& command, Completion completion) {
  if (parts_.data_dir.empty()) {
    return completion(
        Error{ErrorCode::NotEnabled, "This server keeps nothing on disk, and so there is nothing to copy."});
  }
  {
    const std::lock_guard lock(mutex_);
    if (backup_.phase == Phase::running) return completion(conflict("A backup is being made already."));
    backup_ = BackupState{};
    backup_.phase = Phase::running;
    backup_.directory = command.directory;
  }
  asio::post(pool(backup_pool_), [this, directory = command.directory] {
    make_backup(directory);
    asio::post(context_, [this] { backup_over(); });
  });
  await_backup(command.wait_max, std::move(completion));
}

void StateKeeper::submit(const DescribeBackup& command, Completion completion) {
  if (waiters_.size() >= server_limits::backup_waits_max) return completion(Error{ErrorCode::ServerBusy, {}});
  await_backup(command.wait_max, std::move(completion));
}

void StateKeeper::await_backup(Millis wait, Completion completion) {
  const BackupState state = backup_state();
  if (state.phase != Phase::running || wait <= Millis{0} || stopping_) return completion(state);
  auto waiter = std::make_shared<Waiter>(Waiter{std::move(completion), asio::steady_timer(context_, wait)});
  waiters_.push_back(waiter);
  waiter->timer.async_wait([this, waiter](const boost::system::error_code&) {
    waiters_.remove(waiter);
    waiter->completion(backup_state());
  });
}

// Those who wait are answered as if their time were over.
void StateKeeper::backup_over() {
  for (const auto& waiter : waiters_) waiter->timer.cancel();
}

void StateKeeper::make_backup(const std::string& directory) {
  spdlog::info("making a backup in {}", directory);
  const auto watch = [this](const state::Progress& progress) {
    const std::lock_guard lock(mutex_);
    backup_.what = progress.what;
    if (progress.bytes > 0) {
      backup_.files = progress.files;
      backup_.files_done = progress.files_done;
      backup_.bytes = progress.bytes;
      backup_.bytes_done = progress.bytes_done;
    }
    return !stopping_;
  };
  std::optional<Error> failure = objection_to(directory);
  state::BackupMade made;
  try {
    if (!failure) {
      made = state::back_up({parts_.store, parts_.data_dir, *parts_.code, std::string(version), SystemClock().now()},
                            directory, watch);
    }
  } catch (const Fault& fault) {
    failure = error_of(fault);
  }
  if (failure) spdlog::warn("the backup in {} was not made: {}", directory, failure->message);
  for (const std::string& warning : made.warnings) spdlog::warn("backup in {}: {}", directory, warning);
  const std::lock_guard lock(mutex_);
  backup_.phase = failure ? Phase::failed : Phase::done;
  backup_.failure = std::move(failure);
  backup_.warnings = std::move(made.warnings);
  if (backup_.failure) return;
  backup_.files = backup_.files_done = made.manifest.files.size();
  backup_.bytes = backup_.bytes_done = made.manifest.bytes();
  spdlog::info("the backup in {} is made: {} files, {} bytes", directory, backup_.files, backup_.bytes);
}

// ---- Resets

void StateKeeper::submit(const ResetServer& command, Completion completion) {
  if (command.setup && parts_.setup == nullptr) {
    return completion(
        Error{ErrorCode::InvalidRequest, "The server was started without a file that says what there is to be."});
  }
  if (std::exchange(resetting_, true)) return completion(conflict("A reset is under way already."));
  asio::post(pool(reset_pool_), [this, command, completion = std::move(completion)]() mutable {
    ServerResult result = reset(command);
    asio::post(context_, [this, completion = std::move(completion), result = std::move(result)]() mutable {
      resetting_ = false;
      completion(std::move(result));
    });
  });
}

ServerResult StateKeeper::reset(const ResetServer& command) {
  try {
    auto outcome = Resetter(parts_.service, parts_.store, insider_).run(command.scope);
    if (auto* error = std::get_if<Error>(&outcome)) return std::move(*error);
    const auto& deleted = std::get<ServerReset>(outcome);
    spdlog::info("reset: {} queues, {} streams, {} functions and {} mappings deleted", deleted.queues, deleted.streams,
                 deleted.functions, deleted.mappings);
    if (command.setup) {
      if (auto error = settle()) return std::move(*error);
    }
    return deleted;
  } catch (const Insider::Closed&) {
    return Error{ErrorCode::ServiceUnavailable, "The server is stopping."};
  } catch (const OwnClient::Closed&) {
    return Error{ErrorCode::ServiceUnavailable, "The server is stopping."};
  }
}

std::optional<Error> StateKeeper::settle() {
  const std::vector<std::string> problems = server::settle(*parts_.setup, parts_.place, parts_.setup_file, own_client_);
  if (problems.empty()) return std::nullopt;
  for (const std::string& line : problems) spdlog::error("{}", line);
  return conflict("All was deleted, and not all of it could be made again: " + problems.front());
}

// ---- Exports and imports

std::shared_ptr<Exporter> StateKeeper::begin_export(bool data) {
  if (exports_->fetch_add(1) >= exports_max) {
    --*exports_;
    return nullptr;
  }
  return {new Exporter(parts_.store, parts_.code.get(), own_clients_, data), [count = exports_](Exporter* exporter) {
            delete exporter;
            --*count;
          }};
}

void StateKeeper::make_lines(std::shared_ptr<Exporter> exporter,
                             std::function<void(std::variant<std::string, Error>)> made) {
  std::call_once(transfers_begun_, [this] { transfer_pool_.emplace(1); });
  asio::post(*transfer_pool_, [this, exporter = std::move(exporter), made = std::move(made)] {
    if (stopping_) return made(Error{ErrorCode::ServiceUnavailable, "The server is stopping."});
    try {
      made(exporter->next());
    } catch (const std::exception& error) {
      spdlog::error("an export is cut off: {}", error.what());
      made(Error{ErrorCode::InternalFailure, error.what()});
    }
  });
}

bool StateKeeper::import_lines(std::string lines, std::size_t number,
                               std::function<void(std::variant<Imported, Error>)> imported) {
  const std::size_t bytes = lines.size();
  if (import_bytes_.fetch_add(bytes) + bytes > import_bytes_max) {
    import_bytes_ -= bytes;
    return false;
  }
  std::call_once(transfers_begun_, [this] { transfer_pool_.emplace(1); });
  asio::post(*transfer_pool_, [this, bytes, number, lines = std::move(lines), imported = std::move(imported)] {
    try {
      auto outcome = Importer(own_clients_, insider_, parts_.service.strict_limits).run(lines, number);
      import_bytes_ -= bytes;
      imported(std::move(outcome));
    } catch (const std::exception& error) {
      import_bytes_ -= bytes;
      imported(Error{ErrorCode::ServiceUnavailable, error.what()});
    }
  });
  return true;
}

}  // namespace penstock::server
