// Small things the bench programs share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

namespace penstock::bench {

/// Text that neither JSON nor a store's compression can make much shorter or longer: letters and digits at random.
inline std::string random_text(std::size_t bytes, std::uint64_t seed) {
  static constexpr char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::mt19937_64 random(seed);
  std::string text(bytes, ' ');
  for (char& c : text) c = letters[random() % (sizeof letters - 1)];
  return text;
}

/// Any bytes, at random.
inline std::string random_bytes(std::size_t bytes, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string out(bytes, '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

/// `text` as it stands between the quotes of a JSON string. Enough for what the bench programs print.
inline std::string json_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
  }
  return out;
}

}  // namespace penstock::bench
