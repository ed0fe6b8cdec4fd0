#include "runner/cgroups.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "runner/claim.hpp"

namespace penstock::runner {

namespace {

constexpr mode_t directory_mode = 0755;
constexpr std::string_view parent_prefix = "penstock-functions-";
constexpr std::string_view server_leaf = "/penstock-server";
constexpr int claim_tries_max = 4;

std::string read_text(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> buffer{};
  const ssize_t got = file ? ::read(file.get(), buffer.data(), buffer.size()) : -1;
  return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : std::string();
}

bool write_text(const std::string& path, std::string_view text) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string_view::npos; ++at) {
    const std::size_t end = at + word.size();
    const bool begins = at == 0 || text[at - 1] == ' ';
    if (begins && (end == text.size() || text[end] == ' ' || text[end] == '\n')) return true;
  }
  return false;
}

// The path of `0::/path`, the line of cgroup v2.
std::string own_group(const std::string& list) {
  const std::size_t at = list.rfind("0::/", 0) == 0 ? 0 : list.find("\n0::/");
  if (at == std::string::npos) return {};
  const std::size_t begin = list.find('/', at);
  const std::string path = list.substr(begin, list.find('\n', begin) - begin);
  return path == "/" ? std::string() : path;
}

std::uint64_t number_of(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Of a file with lines such as `name 1234`; 0 if it is not there.
std::uint64_t value_of(const std::string& text, const std::string& name) {
  const std::size_t at = text.find("\n" + name + " ");
  return at == std::string::npos ? 0 : number_of(std::string_view(text).substr(at + name.size() + 2));
}

bool is_set(const std::string& path, const char* attribute) {
  char value = 0;
  return ::getxattr(path.c_str(), attribute, &value, 1) == 1 && value == '1';
}

// systemd's units are its own to arrange, and it stops all of a service in which the kernel kills anything for want of
// memory. Those that it has delegated, by `Delegate=yes`, it marks, and lets go on.
bool belongs_to_systemd(const std::string& group) {
  if (!group.ends_with(".service") && !group.ends_with(".scope")) return false;
  return !is_set(group, "user.delegate") && !is_set(group, "trusted.delegate");
}

}  // namespace

Cgroup::~Cgroup() {
  if (!directory_.empty() && !remove_cgroup(directory_)) remains_->push_back(std::move(directory_));
}

Descriptor Cgroup::open_members() const {
  return Descriptor(::open((directory_ + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
}

std::uint64_t Cgroup::peak_bytes() const {
  const bool full = ran_out();
  std::string peak = read_text(directory_ + "/memory.peak");
  // Linux has it since 5.19.
  if (peak.empty()) peak = read_text(directory_ + (full ? "/memory.max" : "/memory.current"));
  if (full) return number_of(peak);
  // Whatever is read or written stays in the group's cache until the limit is reached, which is therefore the peak of
  // whoever reads a large file.
  const std::string stat = read_text(directory_ + "/memory.stat");
  const std::uint64_t cache = value_of(stat, "inactive_file") + value_of(stat, "active_file");
  return number_of(peak) - std::min(number_of(peak), cache);
}

bool Cgroup::ran_out() const { return value_of(read_text(directory_ + "/memory.events"), "oom_kill") > 0; }

bool Cgroups::available() {
  if (!mount_.empty()) {
    look();
    mount_.clear();
  }
  return !parent_.empty();
}

void Cgroups::look() {
  const std::string list = read_text(own_);
  if (list.find("0::/") == std::string::npos) return;
  std::string group = mount_ + own_group(list);
  // One that was there before has moved into it, and this one began there, or is in it besides.
  if (group.ends_with(server_leaf)) {
    const std::string above = group.substr(0, group.size() - server_leaf.size());
    if (has_word(read_text(above + "/cgroup.subtree_control"), "memory")) group = above;
  }
  if (belongs_to_systemd(group)) return;
  if (!has_word(read_text(group + "/cgroup.controllers"), "memory")) return;
  // A group whose children have controllers has no processes of its own: where there is nobody but this server, as in a
  // container or a service of its own, the server moves into a child; elsewhere it is nobody's to rearrange.
  const std::string control = group + "/cgroup.subtree_control";
  if (!has_word(read_text(control), "memory") && !write_text(control, "+memory")) {
    const std::string self = std::to_string(::getpid());
    if (read_text(group + "/cgroup.procs") != self + "\n") return;
    const std::string leaf = group + std::string(server_leaf);
    ::mkdir(leaf.c_str(), directory_mode);
    if (!write_text(leaf + "/cgroup.procs", self)) return;
    left_ = group;
    if (!write_text(control, "+memory")) return;
  }
  remove_unclaimed(group, std::string(parent_prefix), true);
  // Whoever starts at the same moment may take it for one that was left.
  std::string parent = group + "/" + std::string(parent_prefix) + std::to_string(::getpid());
  for (int tries = 0; tries < claim_tries_max && !claim_; ++tries) {
    ::mkdir(parent.c_str(), directory_mode);
    claim_ = claim_directory(parent);
  }
  if (!claim_) return;
  if (!write_text(parent + "/cgroup.subtree_control", "+memory")) {
    ::rmdir(parent.c_str());
    return;
  }
  parent_ = std::move(parent);
}

Cgroups::~Cgroups() {
  remove_remains();
  if (!parent_.empty()) ::rmdir(parent_.c_str());
  // Nobody can be put into a group whose children have controllers, and so no server could be started there again. If
  // others have groups there by now, it stays as it is.
  if (left_.empty() || !write_text(left_ + "/cgroup.subtree_control", "-memory")) return;
  write_text(left_ + "/cgroup.procs", std::to_string(::getpid()));
  ::rmdir((left_ + std::string(server_leaf)).c_str());
}

void Cgroups::remove_remains() { std::erase_if(*remains_, remove_cgroup); }

void Cgroups::note_missed() {
  missed_ = true;
  if (on_missed_) on_missed_();
}

std::optional<Cgroup> Cgroups::make(std::uint64_t memory_bytes_max) {
  if (!available()) return std::nullopt;
  remove_remains();
  auto group = try_make(memory_bytes_max);
  if (!group) note_missed();
  return group;
}

std::optional<Cgroup> Cgroups::try_make(std::uint64_t memory_bytes_max) {
  std::string directory = parent_ + "/" + std::to_string(next_++);
  if (::mkdir(directory.c_str(), directory_mode) != 0) return std::nullopt;
  Cgroup group(directory, remains_);
  if (!write_text(directory + "/memory.max", std::to_string(memory_bytes_max))) return std::nullopt;
  // What is swapped out would not count.
  write_text(directory + "/memory.swap.max", "0");
  if (!write_text(directory + "/memory.oom.group", "1")) return std::nullopt;
  return group;
}

}  // namespace penstock::runner
