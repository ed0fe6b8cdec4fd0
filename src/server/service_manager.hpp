// What a service manager such as systemd is told (sd_notify(3)): that the server is ready, what it is doing, and that
// it is alive. Where nobody asks for it, nothing is done.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::server {

/// Where notifications go, and how often a sign of life is wanted.
struct NotifySettings {
  std::string socket;  ///< a path, or a name that begins with '@' for an abstract socket; empty: nobody asks
  std::optional<std::chrono::microseconds> watchdog;

  /// Of NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. REQUIRES: called before there are other threads.
  static NotifySettings from_environment();
};

/// Lives in the thread of its context. A notification that cannot be sent is lost.
class ServiceManager {
 public:
  ServiceManager(boost::asio::io_context& context, NotifySettings settings)
      : context_(context), settings_(std::move(settings)), timer_(context) {}
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  void status(std::string_view status) { send("STATUS=" + std::string(status)); }
  /// Requests are served. From now on there are signs of life, if they are wanted: each only when all of `threads` have
  /// got round to something new since the one before. Those outlive the manager, but for what is posted to a context
  /// that runs no more.
  void ready(std::string_view status, std::vector<boost::asio::io_context*> threads);
  /// The server is ending, for as long as that takes.
  void stopping(std::string_view status);
  /// Nothing is sent from now on.
  void stop() { timer_.cancel(); }

 private:
  void send(const std::string& text) const;
  void watch();
  void look_round();

  boost::asio::io_context& context_;
  const NotifySettings settings_;
  std::vector<boost::asio::io_context*> threads_;
  std::size_t awaited_ = 0;  ///< threads that have not got round yet
  boost::asio::steady_timer timer_;
};

}  // namespace penstock::server
