// Random identifiers in the form the services use.
#pragma once

#include <string>

#include "penstock/entropy.hpp"

namespace penstock::core {

/// A version 4 UUID (RFC 4122), 36 characters in lower case.
std::string make_uuid(Entropy& entropy);

}  // namespace penstock::core
