// How a request is signed by Signature Version 4: its canonical form, and the sums over it. The rules are those of
// "Create a signed AWS API request" in the IAM User Guide; the services here are none of those that are exempt from
// normalising and encoding a path twice, or from summing the body.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "protocol/hmac.hpp"
#include "protocol/wire.hpp"

namespace penstock::protocol {

inline constexpr std::string_view signing_algorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view scope_terminator = "aws4_request";
inline constexpr std::string_view signature_parameter = "X-Amz-Signature";
/// What some clients sign over HTTP/2 instead of Host, which it is.
inline constexpr std::string_view authority_name = ":authority";

/// `<date>/<region>/<service>/aws4_request`
struct Scope {
  std::string_view date;  ///< yyyymmdd
  std::string_view region;
  std::string_view service;
};
std::string to_text(const Scope& scope);

/// A path as it was sent: without dots and empty parts, and encoded once more.
std::string canonical_path(std::string_view path);

/// A query as it was sent, without the signature that it may have.
std::string canonical_query(std::string_view query);

/// Of these headers, whose names are in lower case: a line each, values trimmed and put together.
std::string canonical_headers(std::span<const Header> headers, std::span<const std::string_view> names);

/// `names` are those of the headers that are signed, in lower case and sorted.
std::string canonical_request(const WireRequest& request, std::span<const std::string_view> names);

/// `time` is yyyymmddThhmmssZ.
std::string string_to_sign(std::string_view time, const Scope& scope, std::string_view canonical);

Hmac signing_key(std::string_view secret, const Scope& scope);

/// The keys that were used last, since each of them takes four sums and serves for a day. For one thread.
class SigningKeys {
 public:
  static constexpr std::size_t keys_max = 64;

  /// REQUIRES: an access key has one secret.
  const Hmac& of(std::string_view access_key, std::string_view secret, const Scope& scope);

 private:
  using Name = std::tuple<std::string, std::string, std::string, std::string>;
  struct Kept {
    Hmac key{};
    std::size_t used = 0;  ///< when, counted by uses
  };

  void drop_oldest();

  std::map<Name, Kept> keys_;
  std::size_t uses_ = 0;
};

/// 64 hexadecimal digits.
std::string signature_of(const Hmac& key, std::string_view to_sign);

}  // namespace penstock::protocol
