#include "config/credentials.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

#include "protocol/text.hpp"

namespace penstock::config {

namespace {

constexpr std::size_t file_bytes_max = 1U << 20U;
constexpr std::size_t keys_max = 10'000;

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; });
}

/// The slash ends a key where it is named.
bool is_access_key(std::string_view text) {
  return !text.empty() && text.size() <= access_key_chars_max && is_printable(text) &&
         text.find_first_of("/,=") == std::string_view::npos;
}

void add(Credential credential, std::vector<Credential>& credentials, Problems& problems) {
  if (!is_access_key(credential.access_key)) {
    return problems.add(credential.at, in_quotes(credential.access_key) + " is no access key");
  }
  // It is nobody's business what it is instead.
  if (credential.secret.empty() || credential.secret.size() > secret_chars_max || !is_printable(credential.secret)) {
    return problems.add(credential.at, "the secret of " + in_quotes(credential.access_key) +
                                           " has to be a text of 1 to " + std::to_string(secret_chars_max) +
                                           " characters without spaces");
  }
  const auto same = std::ranges::find(credentials, credential.access_key, &Credential::access_key);
  if (same == credentials.end()) {
    if (credentials.size() < keys_max) return credentials.push_back(std::move(credential));
    return problems.add(credential.at, "there are more than " + std::to_string(keys_max) + " keys");
  }
  // Profiles may share one.
  if (same->secret == credential.secret) return;
  problems.add(credential.at, in_quotes(credential.access_key) + " has another secret above");
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view spaces = " \t\r";
  const std::size_t begin = text.find_first_not_of(spaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(spaces) + 1 - begin);
}

/// What is known of a profile while it is read.
struct Profile {
  std::string name;
  Position at{};
  std::optional<std::string> access_key{};
  std::optional<std::string> secret{};
};

void end(Profile&& profile, std::vector<Credential>& credentials, Problems& problems) {
  if (!profile.access_key && !profile.secret) return;
  if (!profile.access_key || !profile.secret) {
    return problems.add(profile.at, "the profile " + in_quotes(profile.name) + " has no " +
                                        (profile.secret ? "aws_access_key_id" : "aws_secret_access_key"));
  }
  add({std::move(*profile.access_key), std::move(*profile.secret), profile.at}, credentials, problems);
}

void read_line(std::string_view line, Profile& profile) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return;
  const std::string_view name = trimmed(line.substr(0, equals));
  const std::string value(trimmed(line.substr(equals + 1)));
  if (protocol::equal_ignoring_case(name, "aws_access_key_id")) profile.access_key = value;
  if (protocol::equal_ignoring_case(name, "aws_secret_access_key")) profile.secret = value;
}

}  // namespace

std::vector<Credential> read_credentials(const Value& section, Problems& problems) {
  std::vector<Credential> credentials;
  if (section.kind == Value::Kind::null) return credentials;
  if (section.kind != Value::Kind::map) {
    problems.add(section.at, "'credentials' has to be a map of secrets by their access keys");
    return credentials;
  }
  for (const Member& member : section.members) {
    // A number may have been written in another way than it is kept.
    if (member.value.kind != Value::Kind::text || !member.value.tag.empty()) {
      problems.add(member.value.at, "the secret of " + in_quotes(member.name) + " has to be a text, in quotes");
      continue;
    }
    add({member.name, member.value.text, member.at}, credentials, problems);
  }
  return credentials;
}

std::vector<Credential> read_shared_credentials(std::string_view text, Problems& problems) {
  std::vector<Credential> credentials;
  Profile profile;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view whole = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(whole.size() + 1, text.size()));
    const std::string_view line = trimmed(whole);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      end(std::move(profile), credentials, problems);
      profile = {std::string(trimmed(line.substr(1, line.find(']') - 1))), {number, 1}};
    } else {
      read_line(line, profile);
    }
  }
  end(std::move(profile), credentials, problems);
  return credentials;
}

std::vector<Credential> read_shared_credentials_file(const std::string& path, Problems& problems) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(file_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (!file.eof() && text.size() <= file_bytes_max) {
    problems.add({}, "cannot be read: " + std::string(std::strerror(errno)));
    return {};
  }
  if (text.size() > file_bytes_max) {
    problems.add({}, "has more than " + std::to_string(file_bytes_max) + " bytes");
    return {};
  }
  return read_shared_credentials(text, problems);
}

}  // namespace penstock::config
