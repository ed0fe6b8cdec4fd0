// What is asked of all that the server keeps: backups and resets, each of which takes as long as it takes, in a thread
// of its own.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

#include "config/plan.hpp"
#include "config/setup.hpp"
#include "penstock/server_commands.hpp"
#include "runner/code_store.hpp"
#include "server/exporter.hpp"
#include "server/importer.hpp"
#include "server/insider.hpp"
#include "server/own_client.hpp"
#include "server/own_clients.hpp"
#include "server/service.hpp"
#include "state/backup.hpp"

namespace penstock::server {

class StateKeeper {
 public:
  using Completion = std::function<void(ServerResult)>;

  struct Parts {
    const Service& service;
    Store& store;
    std::string data_dir;  ///< absolute; empty where nothing is kept on disk
    std::shared_ptr<const runner::CodeStore> code;
    const config::Setup* setup = nullptr;  ///< of the server's file; null if there is none
    config::Place place;
    std::string setup_file;
  };

  /// Lives in the thread of its context; what is handed in outlives it.
  StateKeeper(boost::asio::io_context& context, Parts parts);
  StateKeeper(const StateKeeper&) = delete;
  StateKeeper& operator=(const StateKeeper&) = delete;
  ~StateKeeper();

  /// Answers in this thread.
  void submit(const BackUp& command, Completion completion);
  void submit(const DescribeBackup& command, Completion completion);
  void submit(const ResetServer& command, Completion completion);

  /// An export that begins; null if there are too many already. It counts for as long as it lives. Any thread.
  std::shared_ptr<Exporter> begin_export(bool data);
  /// Its next lines, empty when there are no more, or why there are none. `made` is called in a thread that nothing
  /// else may be done in. Any thread.
  void make_lines(std::shared_ptr<Exporter> exporter, std::function<void(std::variant<std::string, Error>)> made);
  /// Some lines of an export. `imported` as `made`. False, and nothing is called, if too many wait. Any thread.
  bool import_lines(std::string lines, std::size_t number, std::function<void(std::variant<Imported, Error>)> imported);

  /// Cuts off what is under way, and answers all that wait.
  void stop();

 private:
  static constexpr std::size_t exports_max = 4;
  /// Bytes of lines that wait to be imported.
  static constexpr std::size_t import_bytes_max = 128U << 20U;

  /// Somebody who waits for the end of the backup.
  struct Waiter {
    Completion completion;
    boost::asio::steady_timer timer;
  };

  boost::asio::thread_pool& pool(std::optional<boost::asio::thread_pool>& pool);
  BackupState backup_state() const;
  void make_backup(const std::string& directory);
  void backup_over();
  void await_backup(Millis wait, Completion completion);
  ServerResult reset(const ResetServer& command);
  std::optional<Error> settle();

  boost::asio::io_context& context_;
  const Parts parts_;
  Insider insider_;
  OwnClient own_client_;
  OwnClients own_clients_;
  const std::shared_ptr<std::atomic<std::size_t>> exports_ = std::make_shared<std::atomic<std::size_t>>(0);
  std::atomic<std::size_t> import_bytes_{0};
  std::list<std::shared_ptr<Waiter>> waiters_;
  bool resetting_ = false;
  std::atomic<bool> stopping_{false};

  mutable std::mutex mutex_;
  BackupState backup_;  ///< by mutex_

  std::optional<boost::asio::thread_pool> backup_pool_;  ///< their threads begin with the first thing to do
  std::optional<boost::asio::thread_pool> reset_pool_;
  std::once_flag transfers_begun_;
  std::optional<boost::asio::thread_pool> transfer_pool_;
};

}  // namespace penstock::server
