// What the environment says about a run: PENSTOCK_SIM_SEEDS runs more histories, PENSTOCK_SIM_SEED replays one.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace penstock::sim {

inline std::uint64_t from_environment(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == '\0' ? fallback : std::strtoull(text, nullptr, 10);
}

/// The seeds of one run, the last included.
struct Seeds {
  std::uint64_t first = 1;
  std::uint64_t last = 1;
  std::uint64_t count() const { return last - first + 1; }
};

/// `count` is what a run has that is told nothing. With sanitizers, which make a history ten times as long, it is an
/// eighth of it: they look at what code does to memory, and much of that is the same in each.
inline Seeds seeds_to_run(std::uint64_t count) {
  const std::uint64_t replay = from_environment("PENSTOCK_SIM_SEED", 0);
  if (replay != 0) return {replay, replay};
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  count /= 8;
#endif
  return {1, from_environment("PENSTOCK_SIM_SEEDS", count)};
}

}  // namespace penstock::sim
