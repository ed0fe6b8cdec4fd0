#include "runner/keeper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <set>
#include <vector>

#include "runner/descendants.hpp"
#include "runner/guard.hpp"
#include "runner/spawn_request.hpp"

namespace penstock::runner {

namespace {

bool is_packet_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

struct Packet {
  ssize_t size = -1;
  SpawnDescriptors descriptors{};
  bool whole = true;
};

void take_descriptors(msghdr& message, Packet& packet) {
  std::size_t count = 0;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t given = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < given; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      if (count < packet.descriptors.size()) {
        packet.descriptors[count++] = fd;
      } else {
        ::close(fd);
      }
    }
  }
  packet.whole = count > spawn_stderr && (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
}

class Keeper {
 public:
  explicit Keeper(int socket) : socket_(socket), buffer_(spawn_bytes_max) {}

  int run() {
    sigset_t watched;
    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    ::sigprocmask(SIG_SETMASK, &watched, nullptr);
    signals_ = ::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals_ < 0) return 1;
    while (!over_) {
      pollfd ready[2] = {{socket_, POLLIN, 0}, {signals_, POLLIN, 0}};
      if (::poll(ready, 2, -1) < 0) continue;
      if (ready[1].revents != 0) reap();
      if (ready[0].revents != 0) serve();
    }
    // Every guard sees by its own channel that the server has gone.
    while (!guards_.empty()) {
      const pid_t pid = ::waitpid(-1, nullptr, 0);
      if (pid < 0 && errno != EINTR) break;
      guards_.erase(pid);
    }
    kill_children({});
    return 0;
  }

 private:
  Packet receive() {
    Packet packet;
    packet.descriptors.fill(-1);
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * spawn_descriptors_max)];
    iovec part{buffer_.data(), buffer_.size()};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    packet.size = ::recvmsg(socket_, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (packet.size > 0) take_descriptors(message, packet);
    return packet;
  }

  void serve() {
    const Packet packet = receive();
    if (packet.size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (packet.size <= 0) {
      over_ = true;
      return;
    }
    const auto request = decode_spawn_request({buffer_.data(), static_cast<std::size_t>(packet.size)});
    if (packet.whole && request) {
      begin(*request, packet.descriptors);
    } else if (packet.descriptors[spawn_channel] >= 0) {
      report_failure(packet.descriptors[spawn_channel], EINVAL);
    }
    for (const int fd : packet.descriptors) {
      if (fd >= 0) ::close(fd);
    }
  }

  void begin(const SpawnRequest& request, const SpawnDescriptors& descriptors) {
    const pid_t self = ::getpid();
    const pid_t guard = ::fork();
    if (guard < 0) return report_failure(descriptors[spawn_channel], errno);
    if (guard == 0) {
      ::close(socket_);
      ::close(signals_);
      run_guard(request, descriptors, self);
      ::_exit(0);
    }
    guards_.insert(guard);
  }

  void reap() {
    signalfd_siginfo info = {};
    while (::read(signals_, &info, sizeof info) == sizeof info) {
    }
    bool strays = false;
    int status = 0;
    pid_t pid = 0;
    while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
      const bool guard = guards_.erase(pid) > 0;
      // What a guard looked after becomes the keeper's if it is killed.
      strays = strays || !guard || WIFSIGNALED(status);
    }
    if (strays) kill_children(guards_);
  }

  const int socket_;
  int signals_ = -1;
  std::vector<char> buffer_;
  std::set<pid_t> guards_;
  bool over_ = false;
};

}  // namespace

int run_keeper(int fd) {
  if (!is_packet_socket(fd)) {
    std::fputs("penstock: keeper is started by the server itself, and by nobody else\n", stderr);
    return 2;
  }
  // Signals for the server's process group, such as that of Ctrl-C, are none of its business.
  ::setsid();
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE}) ::signal(signal, SIG_IGN);
  ::prctl(PR_SET_NAME, "penstock-keeper");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return Keeper(fd).run();
}

}  // namespace penstock::runner
