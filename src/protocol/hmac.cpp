#include "protocol/hmac.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <cstddef>
#include <memory>
#include <stdexcept>

namespace penstock::protocol {
namespace {

/// One sum at a time per thread: fetching the algorithm costs more than summing a short text.
class Summer {
 public:
  Summer() : algorithm_(EVP_MAC_fetch(nullptr, "HMAC", nullptr)), context_(EVP_MAC_CTX_new(algorithm_.get())) {
    if (!algorithm_ || !context_) throw std::runtime_error("this OpenSSL offers no HMAC");
  }

  Hmac sum(std::string_view key, std::string_view text) {
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                     OSSL_PARAM_construct_end()};
    Hmac sum{};
    std::size_t size = 0;
    const auto bytes = [](std::string_view of) { return reinterpret_cast<const unsigned char*>(of.data()); };
    // Without a key at all it would take the one before.
    const unsigned char none = 0;
    const unsigned char* const keyed = key.empty() ? &none : bytes(key);
    const bool done = EVP_MAC_init(context_.get(), keyed, key.size(), parameters) == 1 &&
                      EVP_MAC_update(context_.get(), bytes(text), text.size()) == 1 &&
                      EVP_MAC_final(context_.get(), sum.data(), &size, sum.size()) == 1;
    if (!done || size != sum.size()) throw std::runtime_error("an HMAC could not be made");
    return sum;
  }

 private:
  struct Free {
    void operator()(EVP_MAC* algorithm) const { EVP_MAC_free(algorithm); }
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
  };
  std::unique_ptr<EVP_MAC, Free> algorithm_;
  std::unique_ptr<EVP_MAC_CTX, Free> context_;
};

}  // namespace

Hmac hmac_sha256(std::string_view key, std::string_view text) {
  thread_local Summer summer;
  return summer.sum(key, text);
}

std::string_view as_text(const Hmac& sum) { return {reinterpret_cast<const char*>(sum.data()), sum.size()}; }

std::string to_hex(const Hmac& sum) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * sum.size());
  for (const std::uint8_t byte : sum) hex += {digits[byte >> 4U], digits[byte & 0xFU]};
  return hex;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace penstock::protocol
