// Strong identifiers. Each is a distinct type, so that a sequence cannot be passed where a queue is meant.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace penstock {

/// Identifies one incarnation of a queue on disk: random, never reused, so that a queue deleted and created again
/// under its old name cannot see what the first one left.
struct QueueId {
  std::uint64_t value = 0;
  friend auto operator<=>(const QueueId&, const QueueId&) = default;
};

/// Position of a message in the order in which its queue accepted it; starts at 1.
struct Sequence {
  std::uint64_t value = 0;
  friend auto operator<=>(const Sequence&, const Sequence&) = default;
};

/// Names the messages of one MessageGroupId within a standard queue: its hash.
struct LaneId {
  std::uint64_t value = 0;
  friend auto operator<=>(const LaneId&, const LaneId&) = default;
};

/// Names one call that awaits a reply; chosen by the shell, unique within its shard while the call is open.
struct CallId {
  std::uint64_t value = 0;
  friend auto operator<=>(const CallId&, const CallId&) = default;
};

/// What a client calls a queue. Queues of different accounts and regions never meet.
struct QueueName {
  std::string account;  ///< 12 digits
  std::string region;   ///< such as us-east-1
  std::string name;     ///< 1 to 80 of [A-Za-z0-9_-], and ".fifo" at the end of a FIFO queue's
  friend auto operator<=>(const QueueName&, const QueueName&) = default;
};

/// Mixes the hash of one field into that of those before it.
inline std::size_t hash_combine(std::size_t seed, std::size_t next) {
  return seed ^ (next + 0x9e3779b97f4a7c15ULL + (seed << 6U) + (seed >> 2U));
}

}  // namespace penstock

template <>
struct std::hash<penstock::QueueName> {
  std::size_t operator()(const penstock::QueueName& q) const noexcept {
    const std::hash<std::string> h;
    return penstock::hash_combine(penstock::hash_combine(h(q.name), h(q.region)), h(q.account));
  }
};

template <>
struct std::hash<penstock::QueueId> {
  std::size_t operator()(penstock::QueueId id) const noexcept { return std::hash<std::uint64_t>{}(id.value); }
};

template <>
struct std::hash<penstock::Sequence> {
  std::size_t operator()(penstock::Sequence s) const noexcept { return std::hash<std::uint64_t>{}(s.value); }
};

template <>
struct std::hash<penstock::LaneId> {
  std::size_t operator()(penstock::LaneId lane) const noexcept { return std::hash<std::uint64_t>{}(lane.value); }
};

template <>
struct std::hash<penstock::CallId> {
  std::size_t operator()(penstock::CallId c) const noexcept { return std::hash<std::uint64_t>{}(c.value); }
};
