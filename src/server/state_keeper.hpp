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

#include "config/plan.hpp"
#include "config/setup.hpp"
#include "penstock/server_commands.hpp"
#include "runner/code_store.hpp"
#include "server/insider.hpp"
#include "server/own_client.hpp"
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

  /// Cuts off what is under way, and answers all that wait.
  void stop();

 private:
  using Real = std::chrono::steady_clock;

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
  std::list<std::shared_ptr<Waiter>> waiters_;
  bool resetting_ = false;
  std::atomic<bool> stopping_{false};

  mutable std::mutex mutex_;
  BackupState backup_;  ///< by mutex_

  std::optional<boost::asio::thread_pool> backup_pool_;  ///< their threads begin with the first thing to do
  std::optional<boost::asio::thread_pool> reset_pool_;
};

}  // namespace penstock::server
