// The real binary as a child process, to be killed and started again on the same directory.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace penstock::crash {

class ServerProcess {
 public:
  /// Starts the server on `directory`/data and returns once it serves requests. Throws std::runtime_error, with what
  /// the server said, if it does not come to that.
  ServerProcess(const std::string& binary, const std::filesystem::path& directory)
      : ready_file_(directory / "ready"), log_file_(directory / "log") {
    std::filesystem::remove(ready_file_);
    start({binary, "serve", "--host", "127.0.0.1", "--port", "0", "--ready-file", ready_file_.string(), "--data-dir",
           (directory / "data").string(), "--log-level", "warn"});
    await_ready();
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess() {
    kill();
    reap();
  }

  std::uint16_t port() const { return port_; }

  /// kill -9. Thread-safe against other calls of kill(); the process is not waited for, so that its id stays its own.
  void kill() const {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
  }

  /// Waits until the process has ended, so that the next one finds its files closed.
  void reap() {
    if (pid_ > 0) ::waitpid(pid_, &status_, 0);
    pid_ = -1;
  }

  /// REQUIRES: reap() was called. True if the process ended by a SIGKILL and not by itself.
  bool was_killed() const { return WIFSIGNALED(status_) && WTERMSIG(status_) == SIGKILL; }

  std::string log() const {
    std::ifstream file(log_file_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  void start(const std::vector<std::string>& arguments) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    const int log = ::open(log_file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
      // A test that is ended from outside must not leave its server behind.
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(127);
      ::dup2(log, STDOUT_FILENO);
      ::dup2(log, STDERR_FILENO);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(log);
    if (pid_ < 0) throw std::runtime_error("fork failed");
  }

  void await_ready() {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!std::filesystem::exists(ready_file_)) {
      if (::waitpid(pid_, &status_, WNOHANG) == pid_) {
        pid_ = -1;
        throw std::runtime_error("the server ended before it was ready: " + log());
      }
      if (std::chrono::steady_clock::now() > limit)
        throw std::runtime_error("the server is not ready in 30 s: " + log());
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::string endpoint;
    std::ifstream(ready_file_) >> endpoint;
    port_ = static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
  }

  std::filesystem::path ready_file_;
  std::filesystem::path log_file_;
  pid_t pid_ = -1;
  int status_ = 0;
  std::uint16_t port_ = 0;
};

}  // namespace penstock::crash
