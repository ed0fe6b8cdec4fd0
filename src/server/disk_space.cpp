#include "server/disk_space.hpp"

#include <spdlog/spdlog.h>
#include <sys/statvfs.h>

#include <boost/asio/io_context.hpp>
#include <utility>

namespace penstock::server {

namespace {
// A disk fills at no more than some GB/s: the room kept free lasts longer than two checks are apart. Half a second is
// seldom enough that an idle server costs nothing to speak of.
constexpr std::chrono::milliseconds check_interval{500};
}  // namespace

DiskSpace::DiskSpace(boost::asio::io_context& context, std::string directory)
    : timer_(context), directory_(std::move(directory)) {}

void DiskSpace::start() {
  if (!directory_.empty()) check();
}

void DiskSpace::check() {
  struct statvfs stats {};
  if (::statvfs(directory_.c_str(), &stats) == 0) {
    const bool room = static_cast<std::uint64_t>(stats.f_bavail) * stats.f_frsize >= free_bytes_min;
    if (has_room_.exchange(room) != room) {
      if (room) {
        spdlog::info("there is room on the disk again: sends are accepted");
      } else {
        spdlog::error("less than {} MiB free on the disk of {}: sends are refused until there is room",
                      free_bytes_min >> 20U, directory_);
      }
    }
  }
  timer_.expires_after(check_interval);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) check();
  });
}

}  // namespace penstock::server
