// Who the server is to clients that speak TLS.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace penstock::net {

/// A certificate with its key, and what is agreed on with clients: TLS 1.2 or later, HTTP/2 before HTTP/1.1. Shared by
/// all threads.
class Tls {
 public:
  using Made = std::variant<std::unique_ptr<Tls>, std::string>;

  /// From files in PEM, the certificate with its chain; or one line that says what is wrong with them.
  static Made from_files(const std::string& certificate, const std::string& key);
  /// With a certificate for localhost and the loopback addresses that is made here and signed by nobody else.
  static Made self_signed();

  boost::asio::ssl::context& context() { return context_; }
  /// SHA-256 of the certificate, as OpenSSL and browsers print it.
  const std::string& fingerprint() const { return fingerprint_; }
  /// In PEM, without the key.
  const std::string& certificate() const { return certificate_; }

 private:
  Tls();

  boost::asio::ssl::context context_;
  std::string fingerprint_;
  std::string certificate_;
};

}  // namespace penstock::net
