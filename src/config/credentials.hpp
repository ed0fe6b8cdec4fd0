// The keys that requests may be signed with.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/problems.hpp"
#include "config/value.hpp"

namespace penstock::config {

inline constexpr std::size_t access_key_chars_max = 128;
inline constexpr std::size_t secret_chars_max = 256;

struct Credential {
  std::string access_key;
  std::string secret;
  Position at{};
};

/// A section of a file, in which secrets stand by their access keys.
std::vector<Credential> read_credentials(const Value& section, Problems& problems);

/// The AWS CLI's credentials file: the keys of all profiles that have some. A profile may have anything else.
std::vector<Credential> read_shared_credentials(std::string_view text, Problems& problems);

/// The same of a file, as it is called among the problems.
std::vector<Credential> read_shared_credentials_file(const std::string& path, Problems& problems);

}  // namespace penstock::config
