// The secret by which who may read a file of this machine's shows it to the server.
#pragma once

#include <string>
#include <variant>

#include "penstock/entropy.hpp"

namespace penstock::server {

struct Token {
  std::string text;
  std::string file;  ///< absolute
};

/// The token in the file; where there is none one is made, of 256 random bits, in a file that only its owner may read.
/// Or one line that says why there can be none: the file may be read by others, is another user's, or holds no token.
std::variant<Token, std::string> open_token(const std::string& path, Entropy& entropy);

}  // namespace penstock::server
