#include "core/digest.hpp"

#include <bit>

namespace penstock::core {

namespace {

class SipHash {
 public:
  SipHash() { v_[1] ^= 0xeeU; }

  void add(std::string_view text) {
    for (const char c : text) add_byte(static_cast<unsigned char>(c));
  }
  void add_length(std::uint64_t length) {
    for (unsigned shift = 0; shift < 64; shift += 8) add_byte(static_cast<unsigned char>(length >> shift));
  }
  Digest end() {
    word_ |= static_cast<std::uint64_t>(length_ & 0xffU) << 56U;
    take_word();
    Digest digest{};
    v_[2] ^= 0xeeU;
    finish(digest[0]);
    v_[1] ^= 0xddU;
    finish(digest[1]);
    return digest;
  }

 private:
  void add_byte(unsigned char byte) {
    word_ |= static_cast<std::uint64_t>(byte) << (8U * (length_ % 8U));
    ++length_;
    if (length_ % 8U == 0) take_word();
  }
  void take_word() {
    v_[3] ^= word_;
    round();
    round();
    v_[0] ^= word_;
    word_ = 0;
  }
  void finish(std::uint64_t& out) {
    for (int i = 0; i < 4; ++i) round();
    out = v_[0] ^ v_[1] ^ v_[2] ^ v_[3];
  }
  void round() {
    v_[0] += v_[1];
    v_[2] += v_[3];
    v_[1] = std::rotl(v_[1], 13) ^ v_[0];
    v_[3] = std::rotl(v_[3], 16) ^ v_[2];
    v_[0] = std::rotl(v_[0], 32);
    v_[2] += v_[1];
    v_[0] += v_[3];
    v_[1] = std::rotl(v_[1], 17) ^ v_[2];
    v_[3] = std::rotl(v_[3], 21) ^ v_[0];
    v_[2] = std::rotl(v_[2], 32);
  }

  // The constants of the paper under the key of bytes 0 to 15.
  static constexpr std::uint64_t key0 = 0x0706050403020100ULL;
  static constexpr std::uint64_t key1 = 0x0f0e0d0c0b0a0908ULL;
  std::array<std::uint64_t, 4> v_{0x736f6d6570736575ULL ^ key0, 0x646f72616e646f6dULL ^ key1,
                                  0x6c7967656e657261ULL ^ key0, 0x7465646279746573ULL ^ key1};
  std::uint64_t word_ = 0;
  std::uint64_t length_ = 0;
};

}  // namespace

Digest digest_of(std::string_view first, std::string_view second) {
  SipHash hash;
  hash.add_length(first.size());
  hash.add(first);
  hash.add(second);
  return hash.end();
}

}  // namespace penstock::core
