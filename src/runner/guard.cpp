#include "runner/guard.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "runner/descendants.hpp"

namespace penstock::runner {

namespace {

constexpr int exec_failed = 127;
constexpr unsigned close_on_exec = 4;  // CLOSE_RANGE_CLOEXEC, which <linux/close_range.h> has

void send_report(int channel, const ChildReport& report) {
  // The server is never behind by more than three reports, so that this does not block.
  while (::send(channel, &report, sizeof report, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

void reset_signals() {
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// A server may be spared when memory is short, and its functions are not: one that the kernel must not kill would hang
// at its limit instead. Where this cannot be done, they are what the server is.
void lose_oom_protection() {
  const int adjustment = ::open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
  if (adjustment < 0) return;
  char sign = 0;
  if (::read(adjustment, &sign, 1) == 1 && sign == '-') {
    [[maybe_unused]] const ssize_t put = ::pwrite(adjustment, "0", 1, 0);
  }
  ::close(adjustment);
}

// Into the pipe that exec closes: an errno with which the child ends, or this.
constexpr int cgroup_missed = 0;

void tell_guard(int pipe, int what) { [[maybe_unused]] const ssize_t put = ::write(pipe, &what, sizeof what); }

// In the child, up to exec. Returns only if something failed, with errno.
void become_function(const SpawnRequest& request, const SpawnDescriptors& descriptors, pid_t guard, int pipe,
                     char** arguments, char** environment) {
  if (::setsid() < 0) return;
  // A guard that is killed must not leave it behind.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return;
  if (::getppid() != guard) ::_exit(exec_failed);
  // Somebody may have removed the cgroup in the meantime. Its memory can be watched without.
  if (descriptors[spawn_cgroup] >= 0 && ::write(descriptors[spawn_cgroup], "0", 1) != 1) {
    tell_guard(pipe, cgroup_missed);
  }
  lose_oom_protection();
  for (int standard = 0; standard < 3; ++standard) {
    const int given = descriptors[spawn_stdin + static_cast<std::size_t>(standard)];
    if (::dup2(given, standard) < 0) return;
  }
  // Whatever the guard had open. Descriptors that a packet brings are never 0, 1 or 2, which the keeper has open.
  if (::syscall(SYS_close_range, 3U, ~0U, close_on_exec) != 0) return;
  if (::chdir(request.directory.c_str()) != 0) return;
  reset_signals();
  // It runs all the same where that is not allowed.
  if (const sched_param none{}; request.yields) (void)::sched_setscheduler(0, SCHED_BATCH, &none);
  ::execve(request.path.c_str(), arguments, environment);
}

class Guard {
 public:
  Guard(const SpawnRequest& request, const SpawnDescriptors& descriptors)
      : request_(request), descriptors_(descriptors), channel_(descriptors[spawn_channel]) {}

  void run() {
    const int signals = watch_signals();
    const int error = signals < 0 ? errno : start();
    for (std::size_t i = spawn_stdin; i < spawn_descriptors_max; ++i) {
      if (descriptors_[i] >= 0) ::close(descriptors_[i]);
    }
    if (error == 0) {
      send_report(
          channel_,
          {.kind = ChildReport::Kind::started, .value = process_, .guard = ::getpid(), .in_cgroup = in_cgroup_});
      while (!over_) watch(signals);
    }
    // Before the end is reported, upon which its cgroup is removed: one that has processes would stay.
    kill_children({});
    if (error != 0) report_failure(channel_, error);
    if (ended_) send_report(channel_, *ended_);
  }

 private:
  static int watch_signals() {
    ::signal(SIGTERM, SIG_DFL);
    sigset_t watched;
    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    sigaddset(&watched, SIGTERM);
    if (::sigprocmask(SIG_SETMASK, &watched, nullptr) != 0) return -1;
    return ::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
  }

  // 0 or errno. A pipe that exec closes says whether there was one.
  int start() {
    std::vector<std::string> argument_texts = request_.arguments;
    std::vector<std::string> environment_texts = request_.environment;
    std::vector<char*> arguments = pointers_to(argument_texts);
    std::vector<char*> environment = pointers_to(environment_texts);
    int pipe[2] = {-1, -1};
    if (::pipe2(pipe, O_CLOEXEC) != 0) return errno;
    const pid_t guard = ::getpid();
    process_ = ::fork();
    if (process_ < 0) return errno;
    if (process_ == 0) {
      become_function(request_, descriptors_, guard, pipe[1], arguments.data(), environment.data());
      tell_guard(pipe[1], errno);
      ::_exit(exec_failed);
    }
    ::close(pipe[1]);
    in_cgroup_ = descriptors_[spawn_cgroup] >= 0;
    int error = 0;
    for (;;) {
      int told = 0;
      const ssize_t got = ::read(pipe[0], &told, sizeof told);
      if (got < 0 && errno == EINTR) continue;
      if (got != sizeof told) break;
      if (told == cgroup_missed) {
        in_cgroup_ = false;
      } else {
        error = told;
      }
    }
    ::close(pipe[0]);
    return error;
  }

  void watch(int signals) {
    pollfd watched[2] = {{channel_, POLLIN, 0}, {signals, POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0) return;
    if (watched[0].revents != 0) obey();
    if (watched[1].revents == 0) return;
    signalfd_siginfo info = {};
    while (::read(signals, &info, sizeof info) == sizeof info) {
      // The keeper is gone, which only happens if somebody kills it.
      if (info.ssi_signo == SIGTERM) over_ = true;
    }
    reap();
  }

  void obey() {
    ChildOrder order;
    const ssize_t got = ::recv(channel_, &order, sizeof order, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got != sizeof order) {
      over_ = true;
    } else if (order.signal > 0 && order.signal < NSIG) {
      ::kill(-process_, order.signal);
    }
  }

  void reap() {
    for (;;) {
      siginfo_t info = {};
      if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
      // As long as it is not waited for, nobody else has its number, nor its group's.
      if (info.si_pid == process_) ::kill(-process_, SIGKILL);
      int status = 0;
      rusage used = {};
      if (::wait4(info.si_pid, &status, 0, &used) != info.si_pid || info.si_pid != process_) continue;
      const std::uint64_t peak = static_cast<std::uint64_t>(used.ru_maxrss) << 10U;
      ended_ = ChildReport{.kind = ChildReport::Kind::exited, .value = status, .peak_bytes = peak};
      over_ = true;
      return;
    }
  }

  const SpawnRequest& request_;
  const SpawnDescriptors descriptors_;
  const int channel_;
  pid_t process_ = -1;
  bool in_cgroup_ = false;
  bool over_ = false;
  std::optional<ChildReport> ended_;
};

}  // namespace

void report_failure(int channel, int error) {
  send_report(channel, {.kind = ChildReport::Kind::failed, .value = error});
}

void run_guard(const SpawnRequest& request, const SpawnDescriptors& descriptors, int keeper) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != keeper) return;
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  Guard(request, descriptors).run();
}

}  // namespace penstock::runner
