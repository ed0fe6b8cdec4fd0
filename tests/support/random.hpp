// The one source of chance of every random test.
#pragma once

#include <cstdint>

#include "penstock/entropy.hpp"

namespace penstock::test {

/// splitmix64. The same seed gives the same run on every machine.
class Random final : public Entropy {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() override {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }

  /// From 0 to below `end`.
  std::uint64_t below(std::uint64_t end) { return next() % end; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

}  // namespace penstock::test
