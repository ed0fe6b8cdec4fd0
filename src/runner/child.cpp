#include "runner/child.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "runner/adopt.hpp"

namespace penstock::runner {

namespace asio = boost::asio;
using boost::system::error_code;

Child::Child(asio::io_context& context, Descriptor channel) : channel_(context) { adopt(channel_, std::move(channel)); }

void Child::watch(std::shared_ptr<void> owner, Reported reported) {
  channel_.async_wait(
      asio::posix::stream_descriptor::wait_read,
      [this, owner = std::move(owner), reported = std::move(reported)](const error_code& error) mutable {
        if (error || !channel_.is_open()) return;
        ChildReport report;
        const ssize_t got = ::recv(channel_.native_handle(), &report, sizeof report, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
          return watch(std::move(owner), std::move(reported));
        }
        const bool whole = got == sizeof report;
        const bool last = !whole || report.kind != ChildReport::Kind::started;
        if (last) close();
        reported(whole ? &report : nullptr);
        if (!last && channel_.is_open()) watch(std::move(owner), std::move(reported));
      });
}

void Child::signal(int signal) {
  if (!channel_.is_open()) return;
  const ChildOrder order{signal};
  // Orders are few, and a guard that is not there any more needs none.
  [[maybe_unused]] const ssize_t sent =
      ::send(channel_.native_handle(), &order, sizeof order, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Child::close() {
  error_code ignored;
  if (channel_.is_open()) channel_.close(ignored);
}

}  // namespace penstock::runner
