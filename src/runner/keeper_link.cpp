#include "runner/keeper_link.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "runner/adopt.hpp"

namespace penstock::runner {

namespace asio = boost::asio;
using boost::system::error_code;
using Stream = asio::posix::stream_descriptor;

namespace {

constexpr int keeper_fd = 3;

[[noreturn]] void fail(int error, const char* what) { throw std::system_error(error, std::generic_category(), what); }

std::pair<Descriptor, Descriptor> make_channel() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fail(errno, "socketpair");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

// posix_spawn's file actions and attributes, which have to be given back.
struct SpawnSetup {
  SpawnSetup() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

// The keeper inherits nothing but its socket: no descriptor of the server's, neither its terminal nor its signal mask.
pid_t start_process(const std::string& executable, int socket) {
  SpawnSetup setup;
  ::posix_spawn_file_actions_adddup2(&setup.actions, socket, keeper_fd);
  ::posix_spawn_file_actions_addopen(&setup.actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&setup.actions, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&setup.actions, 2, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addclosefrom_np(&setup.actions, keeper_fd + 1);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&setup.attributes, &none);
  ::posix_spawnattr_setsigdefault(&setup.attributes, &all);
  ::posix_spawnattr_setflags(&setup.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string name = "penstock";
  std::string command = "keeper";
  std::string fd = std::to_string(keeper_fd);
  std::array<char*, 4> arguments{name.data(), command.data(), fd.data(), nullptr};
  std::array<char*, 1> environment{nullptr};
  pid_t pid = -1;
  const int error =
      ::posix_spawn(&pid, executable.c_str(), &setup.actions, &setup.attributes, arguments.data(), environment.data());
  if (error != 0) fail(error, "the process that looks after functions cannot be started");
  return pid;
}

void limit_descriptors(pid_t process, std::uint64_t soft) {
  rlimit limit{};
  if (::prlimit(process, RLIMIT_NOFILE, nullptr, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(soft, limit.rlim_max);
  (void)::prlimit(process, RLIMIT_NOFILE, &limit, nullptr);
}

}  // namespace

KeeperLink::KeeperLink(asio::io_context& context, std::string executable, std::uint64_t descriptors_max)
    : context_(context), executable_(std::move(executable)), descriptors_max_(descriptors_max) {}

KeeperLink::~KeeperLink() {
  error_code ignored;
  if (socket_) socket_->close(ignored);
  if (grave_) grave_->close(ignored);
}

void KeeperLink::start_keeper() {
  bury();
  auto [ours, theirs] = make_channel();
  auto socket = std::make_shared<Stream>(context_);
  adopt(*socket, std::move(ours));
  keeper_ = start_process(executable_, theirs.get());
  // Before it is asked for a process, which inherits this.
  if (descriptors_max_ > 0) limit_descriptors(keeper_, descriptors_max_);
  socket_ = std::move(socket);
  watch_end();
}

// A keeper says nothing by itself; its end can be read.
void KeeperLink::watch_end() {
  socket_->async_wait(Stream::wait_read, [this, socket = socket_](const error_code& error) {
    if (error || socket != socket_) return;
    error_code ignored;
    socket_->close(ignored);
    socket_.reset();
    waiting_.clear();
    dead_.push_back(keeper_);
    watch_death();
  });
}

// The kernel closes a process's files before the process can be waited for. What cannot be watched is waited for when
// the next keeper is started.
void KeeperLink::watch_death() {
  Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, dead_.back(), 0)));
  if (!process) return bury();
  try {
    auto grave = std::make_shared<Stream>(context_);
    adopt(*grave, std::move(process));
    grave_ = std::move(grave);
  } catch (const std::system_error&) {
    return bury();
  }
  grave_->async_wait(Stream::wait_read, [this, grave = grave_](const error_code& error) {
    if (error || grave != grave_) return;
    grave_.reset();
    bury();
  });
}

void KeeperLink::bury() {
  std::erase_if(dead_, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
}

Descriptor KeeperLink::spawn(const SpawnRequest& request, SpawnFiles files) {
  std::optional<std::string> bytes = encode(request);
  if (!bytes) fail(E2BIG, "the function's command and environment");
  if (!socket_) start_keeper();
  auto [ours, theirs] = make_channel();
  waiting_.push_back({std::move(*bytes), std::move(theirs), std::move(files)});
  if (waiting_.size() == 1) flush();
  return std::move(ours);
}

void KeeperLink::flush() {
  while (!waiting_.empty() && send(waiting_.front())) waiting_.pop_front();
  if (waiting_.empty()) return;
  socket_->async_wait(Stream::wait_write, [this, socket = socket_](const error_code& error) {
    if (!error && socket == socket_) flush();
  });
}

// False if it has to wait. One that cannot be sent at all is dropped: its channel's being closed says so.
bool KeeperLink::send(Packet& packet) {
  std::array<int, spawn_descriptors_max> fds{packet.channel.get(), packet.files.standard_input.get(),
                                             packet.files.standard_output.get(), packet.files.standard_error.get(),
                                             packet.files.cgroup.get()};
  const std::size_t count = packet.files.cgroup ? fds.size() : fds.size() - 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fds)] = {};
  iovec part{packet.bytes.data(), packet.bytes.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(count * sizeof(int));
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(count * sizeof(int));
  std::memcpy(CMSG_DATA(rights), fds.data(), count * sizeof(int));
  const ssize_t sent = ::sendmsg(socket_->native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent >= 0 || errno != EAGAIN;
}

}  // namespace penstock::runner
