// The port through which every random choice is handed in, so that a seed replays a run.
#pragma once

#include <cstdint>

namespace penstock {

class Entropy {
 public:
  Entropy() = default;
  Entropy(const Entropy&) = delete;
  Entropy& operator=(const Entropy&) = delete;
  virtual ~Entropy() = default;

  /// 64 uniformly random bits. Not shared between threads: each shard has its own.
  virtual std::uint64_t next() = 0;
};

}  // namespace penstock
