// A digest of texts for maps that must not confuse two of them: SipHash-2-4 with 128 bits of output (Aumasson and
// Bernstein, "SipHash: a fast short-input PRF"). Its bytes are on disk, so it may not change.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace penstock::core {

using Digest = std::array<std::uint64_t, 2>;

/// Of both texts and where one ends.
Digest digest_of(std::string_view first, std::string_view second);

struct DigestHash {
  std::size_t operator()(const Digest& digest) const noexcept { return digest[0]; }
};

}  // namespace penstock::core
