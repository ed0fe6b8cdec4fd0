// Memory limits by cgroup v2, where this process may make groups of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runner/descriptor.hpp"

namespace penstock::runner {

/// One group, for one function process and its descendants. The kernel ends all of it at once when it uses too much.
class Cgroup {
 public:
  /// Directories of groups that had processes when they were to be removed.
  using Remains = std::shared_ptr<std::vector<std::string>>;

  Cgroup(std::string directory, Remains remains) : directory_(std::move(directory)), remains_(std::move(remains)) {}
  Cgroup(Cgroup&& other) noexcept
      : directory_(std::exchange(other.directory_, {})), remains_(std::move(other.remains_)) {}
  Cgroup& operator=(Cgroup&& other) noexcept {
    std::swap(directory_, other.directory_);
    std::swap(remains_, other.remains_);
    return *this;
  }
  /// Removes it, or leaves it to who looks after what remains.
  ~Cgroup();

  Descriptor open_members() const;
  /// The most that it has ever used, without what the kernel keeps of files and can drop.
  std::uint64_t peak_bytes() const;
  /// Whether the kernel has killed in it for want of memory.
  bool ran_out() const;

 private:
  std::string directory_;
  Remains remains_;
};

class Cgroups {
 public:
  /// Looks for a group below which there may be others, when the first one is wanted, and removes what was left by
  /// servers that were killed. `mount` is where cgroup2 is mounted, or empty if there are to be none, and `own` says in
  /// which group this process is.
  /// `missed` hears of every process that has no group of its own where others have.
  Cgroups(std::string mount, std::string own, std::function<void()> missed)
      : mount_(std::move(mount)), own_(std::move(own)), on_missed_(std::move(missed)) {}
  /// Leaves this process in the group in which it was.
  ~Cgroups();
  Cgroups(const Cgroups&) = delete;
  Cgroups& operator=(const Cgroups&) = delete;

  bool available();
  /// False if there has been a process without a group of its own, as there may be again.
  bool covers_all() { return available() && !missed_; }
  /// A group that was made cannot be entered.
  void note_missed();
  /// Nothing where it cannot be had: memory has to be watched otherwise.
  std::optional<Cgroup> make(std::uint64_t memory_bytes_max);

 private:
  void look();
  void remove_remains();
  std::optional<Cgroup> try_make(std::uint64_t memory_bytes_max);

  std::string mount_;  ///< empty once it has been looked for
  std::string own_;
  std::function<void()> on_missed_;
  std::string left_;    ///< the group that this process was alone in before it went into a child
  std::string parent_;  ///< of the groups
  Descriptor claim_;    ///< to that: who finds one that nobody claims removes it
  Cgroup::Remains remains_ = std::make_shared<std::vector<std::string>>();
  std::uint64_t next_ = 1;
  bool missed_ = false;
};

}  // namespace penstock::runner
