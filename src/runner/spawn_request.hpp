// What the server and the keeper of its function processes say to each other, over sockets of type SOCK_SEQPACKET: one
// message is one packet, and descriptors go with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::runner {

/// Of one packet. The kernel's own limit of what waits in a socket is 208 KiB, unless somebody has changed it.
inline constexpr std::size_t spawn_bytes_max = 128U << 10U;
inline constexpr std::size_t spawn_strings_max = 4'096;

/// Which descriptors go with a request, in this order. The last is there only where the process is to enter a cgroup.
enum SpawnDescriptor : std::size_t {
  spawn_channel,  ///< the guard's end, by which it reports and is told
  spawn_stdin,
  spawn_stdout,
  spawn_stderr,
  spawn_cgroup,  ///< cgroup.procs, open for writing
  spawn_descriptors_max,
};

/// A process that is to be started. There is no shell, and nothing is inherited but what stands here.
struct SpawnRequest {
  std::string path;  ///< of the executable
  std::string directory;
  std::vector<std::string> arguments;    ///< with argv[0]
  std::vector<std::string> environment;  ///< NAME=value
  bool yields = false;                   ///< waking up, it waits for who has the processor: SCHED_BATCH
};

/// Nothing if it is larger than the keeper takes.
std::optional<std::string> encode(const SpawnRequest& request);
/// Nothing if it is malformed.
std::optional<SpawnRequest> decode_spawn_request(std::string_view bytes);

/// What a guard reports of its process, as it lies in memory: both ends are the same executable.
struct ChildReport {
  enum class Kind : std::uint32_t { started, failed, exited };
  Kind kind = Kind::started;
  std::int32_t value = 0;        ///< of started the pid, of failed errno, of exited what wait() says
  std::int32_t guard = 0;        ///< of started: the guard's own pid
  bool in_cgroup = false;        ///< of started: it has entered the cgroup that came with the request
  std::uint64_t peak_bytes = 0;  ///< of exited: the largest resident set
};

/// What a guard is told: to send this signal to the process group.
struct ChildOrder {
  std::int32_t signal = 0;
};

}  // namespace penstock::runner
