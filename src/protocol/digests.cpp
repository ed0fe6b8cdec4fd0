#include "protocol/digests.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>

#include "protocol/base64.hpp"

namespace penstock::protocol {
namespace {

/// One sum at a time per thread. Fetching the algorithm and making a context cost more than summing a short message.
class Hasher {
 public:
  explicit Hasher(const char* algorithm)
      : algorithm_(EVP_MD_fetch(nullptr, algorithm, nullptr)), context_(EVP_MD_CTX_new()) {
    if (!algorithm_ || !context_) throw std::runtime_error(std::string("this OpenSSL offers no ") + algorithm);
  }

  void begin() { EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr); }
  void add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  void add_byte(char byte) { add({&byte, 1}); }
  void add_with_length(std::string_view bytes) {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    const std::array<char, 4> big_endian{static_cast<char>(size >> 24U), static_cast<char>(size >> 16U),
                                         static_cast<char>(size >> 8U), static_cast<char>(size)};
    add({big_endian.data(), big_endian.size()});
    add(bytes);
  }
  /// REQUIRES: Sum is as large as the algorithm's.
  template <class Sum>
  Sum end() {
    Sum sum{};
    EVP_DigestFinal_ex(context_.get(), sum.data(), nullptr);
    return sum;
  }

 private:
  struct Free {
    void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD, Free> algorithm_;
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

using Sha256 = std::array<std::uint8_t, 32>;

Hasher& thread_hasher() {
  thread_local Hasher hasher("MD5");
  return hasher;
}

Sha256 sha256_of(std::string_view bytes) {
  thread_local Hasher hasher("SHA256");
  hasher.begin();
  hasher.add(bytes);
  return hasher.end<Sha256>();
}

std::string hex_of(std::span<const std::uint8_t> sum) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex(2 * sum.size(), '0');
  for (std::size_t i = 0; i < sum.size(); ++i) {
    hex[2 * i] = digits[sum[i] >> 4U];
    hex[2 * i + 1] = digits[sum[i] & 0xFU];
  }
  return hex;
}

void add_attribute(Hasher& hasher, const MessageAttribute& attribute) {
  hasher.add_with_length(attribute.name);
  hasher.add_with_length(attribute.data_type);
  hasher.add_byte(attribute.is_binary() ? 2 : 1);
  hasher.add_with_length(attribute.value);
}

}  // namespace

Md5 md5_of(std::string_view bytes) {
  Hasher& hasher = thread_hasher();
  hasher.begin();
  hasher.add(bytes);
  return hasher.end<Md5>();
}

std::string to_hex(const Md5& sum) { return hex_of(sum); }

Md5 md5_of_attributes(std::span<const MessageAttribute> attributes) {
  Hasher& hasher = thread_hasher();
  hasher.begin();
  for (const MessageAttribute& attribute : attributes) add_attribute(hasher, attribute);
  return hasher.end<Md5>();
}

Md5 md5_of_attributes(std::span<const MessageAttribute* const> attributes) {
  Hasher& hasher = thread_hasher();
  hasher.begin();
  for (const MessageAttribute* attribute : attributes) add_attribute(hasher, *attribute);
  return hasher.end<Md5>();
}

std::string sha256_hex_of(std::string_view bytes) { return hex_of(sha256_of(bytes)); }

std::string sha256_base64_of(std::string_view bytes) {
  const Sha256 sum = sha256_of(bytes);
  return base64_encode(std::string(sum.begin(), sum.end()));
}

}  // namespace penstock::protocol
