#include "net/tls.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdint>
#include <utility>

namespace penstock::net {

namespace ssl = boost::asio::ssl;

namespace {

// Longer than clients accept of any certificate would be of no use, and the next start makes a new one.
constexpr long valid_days = 365;
constexpr long day = 24L * 60 * 60;

template <auto free>
struct Freed {
  template <class T>
  void operator()(T* what) const {
    free(what);
  }
};
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;

// The protocols in the order in which they are preferred, each after its length, as ALPN has them.
constexpr std::array<unsigned char, 12> protocols{2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

int select_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_length, const unsigned char* offered,
                    unsigned offered_length, void*) {
  unsigned char* match = nullptr;
  if (::SSL_select_next_proto(&match, chosen_length, protocols.data(), protocols.size(), offered, offered_length) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *chosen = match;
  return SSL_TLSEXT_ERR_OK;
}

std::string fingerprint_of(X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  ::X509_digest(certificate, ::EVP_sha256(), digest.data(), &length);
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string text;
  for (unsigned i = 0; i < length; ++i) {
    if (i > 0) text.push_back(':');
    text.push_back(hex[digest[i] >> 4U]);
    text.push_back(hex[digest[i] & 15U]);
  }
  return text;
}

std::string pem_of(X509* certificate) {
  const Bio memory(::BIO_new(::BIO_s_mem()));
  ::PEM_write_bio_X509(memory.get(), certificate);
  char* text = nullptr;
  const long length = ::BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(length)};
}

bool add_extension(X509* certificate, int kind, const char* value) {
  X509V3_CTX context{};
  X509V3_set_ctx_nodb(&context);
  ::X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = ::X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  const bool added = extension != nullptr && ::X509_add_ext(certificate, extension, -1) == 1;
  ::X509_EXTENSION_free(extension);
  return added;
}

bool set_random_serial(X509* certificate) {
  std::uint64_t serial = 0;
  if (::RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) return false;
  // Positive, and never zero.
  return ::ASN1_INTEGER_set_uint64(::X509_get_serialNumber(certificate), (serial >> 1U) | 1U) == 1;
}

bool set_name(X509* certificate) {
  X509_NAME* name = ::X509_get_subject_name(certificate);
  return ::X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("Penstock"), -1,
                                      -1, 0) == 1 &&
         ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1,
                                      -1, 0) == 1 &&
         ::X509_set_issuer_name(certificate, name) == 1;
}

// Null if OpenSSL could not.
Certificate make_certificate(EVP_PKEY* key) {
  Certificate certificate(::X509_new());
  X509* raw = certificate.get();
  // Back-dated by a day for clients in containers whose clocks differ.
  const bool made = raw != nullptr && ::X509_set_version(raw, X509_VERSION_3) == 1 && set_random_serial(raw) &&
                    ::X509_gmtime_adj(::X509_getm_notBefore(raw), -day) != nullptr &&
                    ::X509_gmtime_adj(::X509_getm_notAfter(raw), valid_days * day) != nullptr && set_name(raw) &&
                    ::X509_set_pubkey(raw, key) == 1 &&
                    // No authority: whoever trusts it trusts this server and nothing that its key might sign.
                    add_extension(raw, NID_basic_constraints, "critical,CA:FALSE") &&
                    add_extension(raw, NID_key_usage, "critical,digitalSignature") &&
                    add_extension(raw, NID_ext_key_usage, "serverAuth") &&
                    add_extension(raw, NID_subject_key_identifier, "hash") &&
                    add_extension(raw, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
                    ::X509_sign(raw, key, ::EVP_sha256()) > 0;
  return made ? std::move(certificate) : nullptr;
}

}  // namespace

Tls::Tls() : context_(ssl::context::tls_server) {
  SSL_CTX* raw = context_.native_handle();
  ::SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  ::SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION);
  // An idle connection gives its buffers back.
  ::SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
  // Of TLS 1.2 those that HTTP/2 allows (RFC 9113, 9.2.2).
  ::SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20");
  ::SSL_CTX_set_alpn_select_cb(raw, select_protocol, nullptr);
}

Tls::Made Tls::from_files(const std::string& certificate, const std::string& key) {
  std::unique_ptr<Tls> tls(new Tls);
  boost::system::error_code error;
  // A key that is encrypted is one that cannot be used: nobody is there to be asked for its passphrase.
  tls->context_.set_password_callback([](std::size_t, ssl::context::password_purpose) { return std::string(); }, error);
  tls->context_.use_certificate_chain_file(certificate, error);
  if (error) return "--tls-cert: cannot use " + certificate + ": " + error.message();
  tls->context_.use_private_key_file(key, ssl::context::pem, error);
  if (error) return "--tls-key: cannot use " + key + ": " + error.message();
  X509* leaf = ::SSL_CTX_get0_certificate(tls->context_.native_handle());
  tls->fingerprint_ = fingerprint_of(leaf);
  tls->certificate_ = pem_of(leaf);
  return tls;
}

Tls::Made Tls::self_signed() {
  std::unique_ptr<Tls> tls(new Tls);
  SSL_CTX* raw = tls->context_.native_handle();
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = key ? make_certificate(key.get()) : nullptr;
  if (!certificate || ::SSL_CTX_use_certificate(raw, certificate.get()) != 1 ||
      ::SSL_CTX_use_PrivateKey(raw, key.get()) != 1) {
    return std::string("--tls: OpenSSL could not make a certificate");
  }
  tls->fingerprint_ = fingerprint_of(certificate.get());
  tls->certificate_ = pem_of(certificate.get());
  return tls;
}

}  // namespace penstock::net
