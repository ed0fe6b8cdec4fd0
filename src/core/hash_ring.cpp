#include "core/hash_ring.hpp"

namespace penstock::core {
namespace {

__extension__ using Number = unsigned __int128;
constexpr unsigned half_bits = 64;

HashKey to_key(Number number) {
  return {static_cast<std::uint64_t>(number >> half_bits), static_cast<std::uint64_t>(number)};
}

}  // namespace

HashKey before(HashKey key) {
  return key.low == 0 ? HashKey{key.high - 1, UINT64_MAX} : HashKey{key.high, key.low - 1};
}

std::vector<HashKey> uniform_starts(std::size_t count) {
  // 2^128 does not fit, so its quotient is taken from 2^128 - 1.
  const Number all = ~Number{0};
  const Number width = all / count + (all % count == count - 1 ? 1 : 0);
  std::vector<HashKey> starts;
  starts.reserve(count);
  for (std::size_t i = 0; i < count; ++i) starts.push_back(to_key(width * i));
  return starts;
}

}  // namespace penstock::core
