#include "protocol/signature.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/query.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr std::size_t hex_digits = 64;
/// What a person can still compare with what their client has made.
constexpr std::size_t quoted_chars_max = 8'192;
constexpr std::size_t region_chars_max = 32;
constexpr std::string_view amz_prefix = "x-amz-";

constexpr std::string_view unknown_key_message = "The security token included in the request is invalid.";
constexpr std::string_view mismatch_message =
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details.";

using Objection = std::optional<SignatureRefusal>;

SignatureRefusal incomplete(std::string message) { return {SignatureFault::incomplete, std::move(message)}; }
SignatureRefusal mismatch(std::string message) { return {SignatureFault::mismatch, std::move(message)}; }

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

/// What a request says of its signature.
struct Given {
  std::string credential;
  std::string signed_headers;
  std::string signature;
  std::string time;                      ///< yyyymmddThhmmssZ, once it is looked at
  std::optional<std::string> expires{};  ///< of a URL
  bool in_url = false;
};

// ---- Times

std::optional<unsigned> number(std::string_view digits) {
  unsigned value = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return std::nullopt;
    value = 10 * value + static_cast<unsigned>(c - '0');
  }
  return value;
}

std::optional<sys_seconds> moment(std::optional<unsigned> year, std::optional<unsigned> month,
                                  std::optional<unsigned> day, std::string_view clock) {
  constexpr std::size_t chars = 6;  // hhmmss
  if (!year || !month || !day || clock.size() != chars) return std::nullopt;
  const auto hours = number(clock.substr(0, 2));
  const auto minutes = number(clock.substr(2, 2));
  const auto secs = number(clock.substr(4));
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)}, std::chrono::month{*month},
                                         std::chrono::day{*day}};
  if (!date.ok() || !hours || !minutes || !secs || *hours > 23 || *minutes > 59 || *secs > 60) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{*hours} + std::chrono::minutes{*minutes} + seconds{*secs};
}

/// yyyymmddThhmmssZ
std::optional<sys_seconds> parse_basic(std::string_view text) {
  constexpr std::size_t chars = 16;
  if (text.size() != chars || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  return moment(number(text.substr(0, 4)), number(text.substr(4, 2)), number(text.substr(6, 2)), text.substr(9, 6));
}

/// As the Date header has it: Sun, 06 Nov 1994 08:49:37 GMT.
std::optional<sys_seconds> parse_http_date(std::string_view text) {
  constexpr std::size_t chars = 29;
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != chars || !text.ends_with(" GMT") || text[19] != ':' || text[22] != ':') return std::nullopt;
  const std::size_t month = months.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  std::string clock(text.substr(17, 2));
  clock.append(text.substr(20, 2)).append(text.substr(23, 2));
  return moment(number(text.substr(12, 4)), static_cast<unsigned>(month / 3 + 1), number(text.substr(5, 2)), clock);
}

std::string to_basic(sys_seconds at) {
  const sys_seconds midnight = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(at)};
  const std::chrono::hh_mm_ss clock{at - midnight};
  std::array<char, 32> text{};
  const int size = std::snprintf(text.data(), text.size(), "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                                 static_cast<int>(clock.seconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

// ---- Reading

/// The words between spaces and commas, each of which is key=value.
Objection read_parameters(std::string_view header, Given& given) {
  constexpr std::string_view between = ", \t";
  const std::array<std::pair<std::string_view, std::string*>, 3> parameters{
      {{"Credential", &given.credential}, {"SignedHeaders", &given.signed_headers}, {"Signature", &given.signature}}};
  std::string_view rest = header.substr(signing_algorithm.size());
  while (true) {
    rest.remove_prefix(std::min(rest.find_first_not_of(between), rest.size()));
    if (rest.empty()) return std::nullopt;
    const std::string_view word = rest.substr(0, rest.find_first_of(between));
    rest.remove_prefix(word.size());
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) {
      return incomplete(quoted(word) + " not a valid key=value pair (missing equal-sign) in Authorization header: " +
                        quoted(header) + ".");
    }
    const auto* const known =
        std::ranges::find(parameters, word.substr(0, equals), [](const auto& p) { return p.first; });
    // Whoever looks for the credential later is to find the one that was checked.
    if (known == parameters.end() || !known->second->empty()) {
      return incomplete(quoted(word.substr(0, equals)) + " is not expected in Authorization header: " + quoted(header) +
                        ".");
    }
    *known->second = word.substr(equals + 1);
  }
}

Objection read_header(const WireRequest& request, std::string_view header, Given& given) {
  std::string missing;
  if (header.starts_with(signing_algorithm) &&
      (header.size() == signing_algorithm.size() || header[signing_algorithm.size()] == ' ')) {
    if (Objection objection = read_parameters(header, given)) return objection;
  } else if (header.starts_with("AWS4-")) {
    return incomplete("Unsupported AWS 'algorithm': " + quoted(header.substr(0, header.find(' '))) + ".");
  }
  const auto require = [&](const std::string& value, std::string_view name) {
    if (value.empty()) missing.append("Authorization header requires '").append(name).append("' parameter. ");
  };
  require(given.credential, "Credential");
  require(given.signature, "Signature");
  require(given.signed_headers, "SignedHeaders");
  given.time = request.header("X-Amz-Date");
  if (given.time.empty()) {
    const std::string_view date = request.header("Date");
    const auto at = parse_http_date(date);
    given.time = at ? to_basic(*at) : std::string(date);
  }
  if (given.time.empty()) {
    missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ");
  }
  if (missing.empty()) return std::nullopt;
  return incomplete(missing.append("Authorization=").append(header.substr(0, header.find(' '))));
}

Objection read_url(const Form& query, Given& given) {
  given.in_url = true;
  std::string missing;
  const auto take = [&](std::string_view name, std::string& out) {
    const auto named = [&](const FormParameter& parameter) { return parameter.name == name; };
    // One that came twice could be taken for another value elsewhere.
    if (std::ranges::count_if(query.parameters(), named) == 1) out = query.find(name).value_or(std::string_view());
    if (out.empty()) missing.append("AWS query-string parameters must include '").append(name).append("'. ");
  };
  std::string algorithm;
  take("X-Amz-Algorithm", algorithm);
  take("X-Amz-Credential", given.credential);
  take(signature_parameter, given.signature);
  take("X-Amz-SignedHeaders", given.signed_headers);
  take("X-Amz-Date", given.time);
  if (!missing.empty()) return incomplete(missing.append("Re-examine the query-string parameters."));
  if (algorithm != signing_algorithm) return incomplete("Unsupported AWS 'algorithm': " + quoted(algorithm) + ".");
  if (const auto expires = query.find("X-Amz-Expires")) given.expires = *expires;
  return std::nullopt;
}

Objection read(const WireRequest& request, Given& given) {
  const std::size_t mark = std::min(request.target.find('?'), request.target.size());
  const auto parsed = Form::parse(request.target.substr(std::min(mark + 1, request.target.size())), {});
  const auto* query = std::get_if<Form>(&parsed);
  const bool in_url = query != nullptr && query->find("X-Amz-Algorithm");
  const std::string_view header = request.header("Authorization");
  if (in_url && !header.empty()) {
    return mismatch("Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.");
  }
  if (in_url) return read_url(*query, given);
  if (header.empty()) return SignatureRefusal{SignatureFault::missing, "Missing Authentication Token"};
  return read_header(request, header, given);
}

// ---- Looking at what was read

struct Credential {
  std::string_view access_key;
  Scope scope;
};

Objection split(std::string_view given, Credential& credential) {
  std::array<std::string_view, 5> parts;
  std::string_view rest = given;
  for (std::string_view& part : parts) {
    part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
  }
  const bool any_empty = std::ranges::any_of(parts, [](std::string_view part) { return part.empty(); });
  if (!rest.empty() || given.ends_with('/') || any_empty) {
    return incomplete(
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got " +
        quoted(given));
  }
  credential = {parts[0], {parts[1], parts[2], parts[3]}};
  if (parts[4] != scope_terminator) {
    return mismatch("Credential should be scoped with a valid terminator: 'aws4_request', not " + quoted(parts[4]) +
                    ".");
  }
  return std::nullopt;
}

Objection check_scope(const Scope& scope, std::string_view service, std::string_view time) {
  std::string message;
  const bool region = scope.region.size() <= region_chars_max && std::ranges::all_of(scope.region, [](char c) {
                        return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-';
                      });
  if (!region)
    message.append("Credential should be scoped to a valid region, not ").append(quoted(scope.region)).append(". ");
  if (!service.empty() && scope.service != service) {
    message.append("Credential should be scoped to correct service: ").append(quoted(service)).append(". ");
  }
  if (scope.date != time.substr(0, scope.date.size()) || scope.date.size() != 8) {
    message.append("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ");
    message.append(quoted(scope.date)).append(" != ").append(quoted(time.substr(0, 8)));
    message.append(", from ").append(quoted(time)).append(".");
  }
  if (message.empty()) return std::nullopt;
  return mismatch(std::move(message));
}

Objection check_time(const Given& given, sys_seconds signed_at, sys_seconds now) {
  const std::string skew = std::to_string(std::chrono::duration_cast<std::chrono::minutes>(clock_skew_max).count());
  if (signed_at > now + clock_skew_max) {
    return mismatch("Signature not yet current: " + given.time + " is still later than " +
                    to_basic(now + clock_skew_max) + " (" + to_basic(now) + " + " + skew + " min.)");
  }
  seconds good_for = clock_skew_max;
  if (given.expires) {
    constexpr std::size_t digits_max = 6;
    const auto expires = given.expires->size() <= digits_max ? number(*given.expires) : std::nullopt;
    if (!expires || *expires == 0 || seconds{*expires} > url_expires_max) {
      return incomplete("X-Amz-Expires must be a number of seconds from 1 to " +
                        std::to_string(url_expires_max.count()) + ", not " + quoted(*given.expires) + ".");
    }
    good_for = seconds{*expires};
    if (now <= signed_at + good_for) return std::nullopt;
    return mismatch("Signature expired: " + to_basic(signed_at + good_for) + " is now earlier than " + to_basic(now));
  }
  if (now <= signed_at + good_for) return std::nullopt;
  return mismatch("Signature expired: " + given.time + " is now earlier than " + to_basic(now - good_for) + " (" +
                  to_basic(now) + " - " + skew + " min.)");
}

/// In order, each once, and with what has to be among them.
Objection read_names(const WireRequest& request, const Given& given, std::vector<std::string_view>& names) {
  std::string_view rest = given.signed_headers;
  while (!rest.empty()) {
    const std::string_view name = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    const bool in_order = names.empty() || names.back() < name;
    const bool plain =
        std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7F && c != '=' && to_lower(c) == c; });
    if (name.empty() || !plain || !in_order || names.size() == signed_headers_max) {
      return mismatch("The signed headers have to be names in lower case, in order and each once, at most " +
                      std::to_string(signed_headers_max) + ", not " + quoted(given.signed_headers) + ".");
    }
    names.push_back(name);
  }
  const auto is_signed = [&](std::string_view name) { return std::ranges::find(names, name) != names.end(); };
  if (!is_signed("host") && !is_signed(authority_name)) {
    return mismatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  }
  // A JSON request says by one of these what it is to do.
  std::string unsigned_names;
  for (const Header& header : request.headers) {
    std::string name(header.name);
    std::ranges::transform(name, name.begin(), to_lower);
    const bool tells_time = name == "date" && !given.in_url && request.header("X-Amz-Date").empty();
    if ((name.starts_with(amz_prefix) || tells_time) && !is_signed(name)) {
      unsigned_names.append(unsigned_names.empty() ? "" : ", ").append(name);
    }
  }
  if (unsigned_names.empty()) return std::nullopt;
  return mismatch("There were headers present in the request which were not signed: " + unsigned_names);
}

/// With what should have been signed, as far as that can be read.
SignatureRefusal other_signature(const std::string& canonical, const std::string& to_sign) {
  std::string message(mismatch_message);
  if (canonical.size() <= quoted_chars_max) {
    message.append("\n\nThe Canonical String for this request should have been\n'").append(canonical);
    message.append("'\n\nThe String-to-Sign should have been\n'").append(to_sign).append("'\n");
  }
  return mismatch(std::move(message));
}

}  // namespace

std::optional<SignatureRefusal> check_signature(const WireRequest& request, std::string_view service,
                                                const SecretOf& secret_of, SigningKeys& keys, sys_seconds now) {
  Given given;
  if (Objection objection = read(request, given)) return objection;
  Credential credential;
  if (Objection objection = split(given.credential, credential)) return objection;
  const auto signed_at = parse_basic(given.time);
  if (!signed_at) return incomplete("Date must be in ISO-8601 'basic format'. Got " + quoted(given.time) + ".");
  if (Objection objection = check_scope(credential.scope, service, given.time)) return objection;
  std::vector<std::string_view> names;
  if (Objection objection = read_names(request, given, names)) return objection;
  const auto secret = secret_of(credential.access_key);
  if (!secret) return SignatureRefusal{SignatureFault::unknown_key, std::string(unknown_key_message)};
  if (Objection objection = check_time(given, *signed_at, now)) return objection;
  const std::string canonical = canonical_request(request, names);
  const std::string to_sign = string_to_sign(given.time, credential.scope, canonical);
  const Hmac& key = keys.of(credential.access_key, *secret, credential.scope);
  const bool holds =
      given.signature.size() == hex_digits && equal_in_constant_time(given.signature, signature_of(key, to_sign));
  if (holds) return std::nullopt;
  return other_signature(canonical, to_sign);
}

}  // namespace penstock::protocol
