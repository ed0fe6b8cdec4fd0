// The token that lets a command register functions at a server that listens beyond its machine, and ask one that wants
// signatures.
#pragma once

#include <memory>
#include <string>

#include "cli/arguments.hpp"
#include "penstock/client.hpp"

namespace penstock::cli {

/// Of --token-file, or else $PENSTOCK_TOKEN, or else the file where a server on this machine keeps it, if it can be
/// read and the endpoint is one of this machine's: a secret of a file that nobody named goes nowhere else. Empty if
/// there is none. Throws UsageError if the file that was named cannot be read.
std::string find_token(const Arguments& arguments);

/// The world with lines that bring the token, if it is not empty.
std::shared_ptr<client::World> world_with_token(std::shared_ptr<client::World> world, std::string token);

}  // namespace penstock::cli
