// Faults that clients have asked for, so that programs can be tried against a service that is not well.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "penstock/entropy.hpp"
#include "penstock/server_commands.hpp"
#include "penstock/time.hpp"

namespace penstock::server {

/// What a rule may look at.
struct FaultedCall {
  std::string_view service;
  std::string_view operation;
  std::string_view region;
  std::string_view resource;
};

/// What is to become of a request.
struct FaultVerdict {
  std::optional<FaultError> error;
  bool throttle = false;
  Millis latency{0};
  bool duplicate = false;
  std::optional<std::uint64_t> reorder;  ///< the seed of the order
  bool any() const { return error || throttle || latency > Millis{0} || duplicate || reorder; }
};

/// Thread-safe.
class Faults {
 public:
  using Answer = std::variant<FaultList, Error>;

  /// The entropy is used under this class's own lock, and outlives it.
  explicit Faults(Entropy& entropy) : entropy_(entropy) {}
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  Answer carry_out(const ListFaults& command);
  Answer carry_out(const AddFaults& command);
  Answer carry_out(const RemoveFaults& command);

  /// What all rules that the call meets say of it together: of errors the first one's, of latencies the sum.
  FaultVerdict judge(const FaultedCall& call);
  /// How much longer each commit takes.
  Millis commit_latency() const { return Millis{commit_latency_ms_.load(std::memory_order_relaxed)}; }

 private:
  struct Rule {
    FaultState state;
    std::uint64_t chances = 0;  ///< state of its random numbers
  };

  static bool meets(const FaultRule& rule, const FaultedCall& call);
  static std::uint64_t next_of(std::uint64_t& chances);
  FaultList list() const;
  void changed();

  Entropy& entropy_;
  std::atomic<bool> any_{false};  ///< of requests, so that one need not wait for the lock where there is no rule
  std::atomic<std::int64_t> commit_latency_ms_{0};
  mutable std::mutex mutex_;
  std::vector<Rule> rules_;
  std::uint64_t next_id_ = 1;
};

}  // namespace penstock::server
