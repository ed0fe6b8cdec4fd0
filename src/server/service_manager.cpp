#include "server/service_manager.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace penstock::server {

namespace asio = boost::asio;

namespace {

/// Signs of life in the time within which one is wanted.
constexpr int signs_per_time = 3;

std::string variable(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): there are no other threads yet
  return value == nullptr ? "" : value;
}

std::optional<std::int64_t> number(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value <= 0) return std::nullopt;
  return value;
}

}  // namespace

NotifySettings NotifySettings::from_environment() {
  NotifySettings settings;
  settings.socket = variable("NOTIFY_SOCKET");
  // Any other kind of address is none that is known.
  if (!settings.socket.starts_with('/') && !settings.socket.starts_with('@')) settings.socket.clear();
  const std::string process = variable("WATCHDOG_PID");
  const bool is_meant = process.empty() || number(process) == std::int64_t{::getpid()};
  if (const auto time = number(variable("WATCHDOG_USEC")); time && is_meant) {
    settings.watchdog = std::chrono::microseconds{*time};
  }
  return settings;
}

void ServiceManager::ready(std::string_view status, std::vector<asio::io_context*> threads) {
  send("READY=1\nSTATUS=" + std::string(status));
  threads_ = std::move(threads);
  if (!settings_.socket.empty() && settings_.watchdog) look_round();
}

void ServiceManager::stopping(std::string_view status) { send("STOPPING=1\nSTATUS=" + std::string(status)); }

void ServiceManager::send(const std::string& text) const {
  if (settings_.socket.empty()) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (settings_.socket.size() >= sizeof(address.sun_path)) return;
  std::memcpy(address.sun_path, settings_.socket.data(), settings_.socket.size());
  if (settings_.socket.front() == '@') address.sun_path[0] = '\0';
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + settings_.socket.size());
  // A manager that does not read must not keep the server waiting.
  const ssize_t sent = ::sendto(descriptor, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                                reinterpret_cast<const sockaddr*>(&address), length);
  if (sent < 0) spdlog::debug("cannot notify the service manager: {}", std::strerror(errno));
  ::close(descriptor);
}

void ServiceManager::watch() {
  timer_.expires_after(*settings_.watchdog / signs_per_time);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) look_round();
  });
}

void ServiceManager::look_round() {
  awaited_ = threads_.size();
  for (asio::io_context* const thread : threads_) {
    asio::post(*thread, [this] {
      asio::post(context_, [this] {
        if (--awaited_ > 0) return;
        send("WATCHDOG=1");
        watch();
      });
    });
  }
}

}  // namespace penstock::server
