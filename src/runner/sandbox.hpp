// One function process with its output and its limits, from its start to its end.
#pragma once

#include <sys/types.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runner/cgroups.hpp"
#include "runner/child.hpp"
#include "runner/keeper_link.hpp"
#include "runner/memory.hpp"

namespace penstock::runner {

/// Breaks what comes into lines, of which none is longer than a limit.
class LineBreaker {
 public:
  explicit LineBreaker(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  template <typename Take>
  void add(std::string_view bytes, const Take& take) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      const std::size_t size = std::min({end, bytes.size(), line_bytes_max_ - partial_.size()});
      partial_.append(bytes.substr(0, size));
      bytes.remove_prefix(size);
      const bool ends = !bytes.empty() && bytes.front() == '\n';
      if (ends) bytes.remove_prefix(1);
      if (ends || partial_.size() >= line_bytes_max_) give(take);
    }
  }
  /// What has no end yet is a line too.
  template <typename Take>
  void flush(const Take& take) {
    if (!partial_.empty()) give(take);
  }

 private:
  template <typename Take>
  void give(const Take& take) {
    if (partial_.ends_with('\r')) partial_.pop_back();
    take(std::string_view(partial_));
    partial_.clear();
  }

  const std::size_t line_bytes_max_;
  std::string partial_;
};

/// Of all processes of a pool: where what is read passes through.
using ReadBuffer = std::array<char, 64U << 10U>;

/// What a sandbox tells of itself.
class SandboxOwner {
 public:
  SandboxOwner() = default;
  SandboxOwner(const SandboxOwner&) = delete;
  SandboxOwner& operator=(const SandboxOwner&) = delete;
  virtual ~SandboxOwner() = default;

  /// Of stdout, unless on_data takes it, or of stderr.
  virtual void on_line(std::string_view line) = 0;
  /// Of stdout as it comes, where it is the answer rather than a log.
  virtual void on_data(std::string_view) {}
  virtual void on_started() {}
  /// The executable could not be started, for this reason in terms of errno.
  virtual void on_start_failed(int error) = 0;
  /// Nothing of the process is left, and all of its output has been handed over.
  virtual void on_exit(int status) = 0;
};

class Sandbox {
 public:
  struct Context {
    boost::asio::io_context& io;
    KeeperLink& keeper;
    Cgroups& cgroups;
    ReadBuffer& buffer;
    std::size_t line_bytes_max;
  };
  enum class Input { none, piped };
  enum class Output { lines, data };

  Sandbox(const Context& context, SandboxOwner& owner);
  ~Sandbox();

  /// Throws if nothing can be started, and is then as it was before. `keep` owns the owner, and so this, until the end
  /// is reported.
  void start(std::shared_ptr<void> keep, const SpawnRequest& request, std::uint64_t memory_bytes_max, Input input,
             Output output);
  /// The writing end of stdin, if it is piped; taken once.
  Descriptor take_input() { return std::move(input_); }

  void signal(int signal);
  void kill() { signal(9); }
  /// Ends it without a word to its owner.
  void abandon();

  /// Hands over what the process has written so far, and that may be a line without an end.
  void drain();
  /// Kills it if it uses more than it may. Called now and then while it works.
  void check_memory();
  /// Whether it is known which process it is.
  bool has_started() const { return has_started_; }
  bool killed_for_memory() const { return killed_for_memory_; }
  /// Its end was none of its own: its guard has gone, or has never got the order to start it.
  bool lost() const { return lost_; }
  std::uint64_t peak_bytes();

 private:
  struct Source {
    boost::asio::posix::stream_descriptor stream;
    LineBreaker lines;
    bool open = true;
    bool is_data = false;
  };

  void open(std::shared_ptr<void> keep, const SpawnRequest& request, std::uint64_t memory_bytes_max, Input input,
            Output output);
  void watch(Source& source);
  /// False if there is nothing more for now.
  bool read_some(Source& source);
  void hand_over(Source& source, std::string_view bytes);
  void miss_cgroup();
  void on_report(const ChildReport* report);
  void finish(int status);
  void close();

  const Context context_;
  SandboxOwner& owner_;
  std::shared_ptr<void> keep_;
  std::optional<Child> child_;
  std::array<std::optional<Source>, 2> sources_;
  Descriptor input_;
  MemoryWatch memory_;
  std::optional<Cgroup> cgroup_;
  bool kernel_limits_ = false;  ///< by a cgroup, which may be removed already
  std::uint64_t memory_bytes_max_ = 0;
  bool killed_for_memory_ = false;
  bool lost_ = false;
  bool has_started_ = false;
};

}  // namespace penstock::runner
