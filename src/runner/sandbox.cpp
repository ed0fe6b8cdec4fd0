#include "runner/sandbox.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "runner/adopt.hpp"

namespace penstock::runner {

namespace asio = boost::asio;
using boost::system::error_code;
using Stream = asio::posix::stream_descriptor;

namespace {

/// Read from one process before others have their turn.
constexpr int reads_in_a_row_max = 16;
/// Of what it has written when it is asked for all of it: a pipe holds 64 KiB, and it may go on writing.
constexpr int drain_reads_max = 64;

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};

Pipe make_pipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

void set_non_blocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

}  // namespace

Sandbox::Sandbox(const Context& context, SandboxOwner& owner) : context_(context), owner_(owner) {}

Sandbox::~Sandbox() { close(); }

void Sandbox::start(std::shared_ptr<void> keep, const SpawnRequest& request, std::uint64_t memory_bytes_max,
                    Input input, Output output) {
  try {
    open(std::move(keep), request, memory_bytes_max, input, output);
  } catch (...) {
    // Whatever of it has been made goes, the process included.
    abandon();
    throw;
  }
}

void Sandbox::open(std::shared_ptr<void> keep, const SpawnRequest& request, std::uint64_t memory_bytes_max, Input input,
                   Output output) {
  SpawnFiles files;
  if (input == Input::piped) {
    Pipe pipe = make_pipe();
    files.standard_input = std::move(pipe.read_end);
    set_non_blocking(pipe.write_end.get());
    input_ = std::move(pipe.write_end);
  } else {
    files.standard_input = Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!files.standard_input) throw std::system_error(errno, std::generic_category(), "/dev/null");
  }
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  files.standard_output = std::move(out.write_end);
  files.standard_error = std::move(err.write_end);
  cgroup_ = context_.cgroups.make(memory_bytes_max);
  if (cgroup_) files.cgroup = cgroup_->open_members();
  kernel_limits_ = cgroup_.has_value();
  if (cgroup_ && !files.cgroup) miss_cgroup();
  memory_bytes_max_ = memory_bytes_max;
  memory_ = {};
  killed_for_memory_ = false;
  lost_ = false;
  has_started_ = false;
  child_.emplace(context_.io, context_.keeper.spawn(request, std::move(files)));
  keep_ = std::move(keep);
  child_->watch(keep_, [this](const ChildReport* report) { on_report(report); });
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    Descriptor& end = i == 0 ? out.read_end : err.read_end;
    set_non_blocking(end.get());
    Stream stream(context_.io);
    adopt(stream, std::move(end));
    sources_[i].emplace(
        Source{std::move(stream), LineBreaker(context_.line_bytes_max), true, i == 0 && output == Output::data});
    watch(*sources_[i]);
  }
}

void Sandbox::watch(Source& source) {
  source.stream.async_wait(Stream::wait_read, [this, &source, keep = keep_](const error_code& error) {
    if (error || !source.open) return;
    for (int i = 0; i < reads_in_a_row_max; ++i) {
      if (!read_some(source)) break;
    }
    if (source.open) watch(source);
  });
}

bool Sandbox::read_some(Source& source) {
  if (!source.open) return false;
  const ssize_t got = ::read(source.stream.native_handle(), context_.buffer.data(), context_.buffer.size());
  if (got > 0) {
    hand_over(source, {context_.buffer.data(), static_cast<std::size_t>(got)});
    return true;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  source.open = false;
  error_code ignored;
  source.stream.close(ignored);
  return false;
}

void Sandbox::hand_over(Source& source, std::string_view bytes) {
  if (source.is_data) return owner_.on_data(bytes);
  source.lines.add(bytes, [this](std::string_view line) { owner_.on_line(line); });
}

// Most invocations write nothing: one call tells of both that there is nothing to read.
void Sandbox::drain() {
  std::array<pollfd, std::tuple_size_v<decltype(sources_)>> ready{};
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const bool open = sources_[i] && sources_[i]->open;
    ready[i] = {open ? sources_[i]->stream.native_handle() : -1, POLLIN, 0};
  }
  // Where it fails, reading says the same at more cost.
  const bool told = ::poll(ready.data(), ready.size(), 0) >= 0;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    auto& source = sources_[i];
    if (!source) continue;
    for (int reads = 0; reads < drain_reads_max && (!told || ready[i].revents != 0); ++reads) {
      if (!read_some(*source)) break;
    }
    source->lines.flush([this](std::string_view line) { owner_.on_line(line); });
  }
}

void Sandbox::miss_cgroup() {
  cgroup_.reset();
  kernel_limits_ = false;
  context_.cgroups.note_missed();
}

void Sandbox::on_report(const ChildReport* report) {
  if (report == nullptr) {
    lost_ = true;
    return finish(SIGKILL);
  }
  switch (report->kind) {
    case ChildReport::Kind::started:
      memory_ = MemoryWatch(report->value, report->guard);
      if (cgroup_ && !report->in_cgroup) miss_cgroup();
      has_started_ = true;
      return owner_.on_started();
    case ChildReport::Kind::failed: {
      const auto keep = std::exchange(keep_, nullptr);
      close();
      return owner_.on_start_failed(report->value);
    }
    case ChildReport::Kind::exited:
      memory_.note_peak(report->peak_bytes);
      return finish(report->value);
  }
}

void Sandbox::finish(int status) {
  const auto keep = std::exchange(keep_, nullptr);
  drain();
  if (cgroup_) {
    memory_.note_peak(cgroup_->peak_bytes());
    killed_for_memory_ = killed_for_memory_ || cgroup_->ran_out();
  }
  close();
  owner_.on_exit(status);
}

void Sandbox::signal(int signal) {
  if (child_) child_->signal(signal);
}

void Sandbox::abandon() {
  close();
  keep_.reset();
}

void Sandbox::close() {
  input_.close();
  if (child_) child_->close();
  error_code ignored;
  for (auto& source : sources_) {
    if (!source || !source->open) continue;
    source->open = false;
    source->stream.close(ignored);
  }
  cgroup_.reset();
}

void Sandbox::check_memory() {
  if (cgroup_ || !memory_.exceeds(memory_bytes_max_)) return;
  killed_for_memory_ = true;
  kill();
}

std::uint64_t Sandbox::peak_bytes() {
  if (cgroup_) memory_.note_peak(cgroup_->peak_bytes());
  const std::uint64_t peak = memory_.peak_bytes();
  // The pages of files that a process maps may be charged to others, and are in its resident set all the same.
  return kernel_limits_ ? std::min(peak, memory_bytes_max_) : peak;
}

}  // namespace penstock::runner
