// What the services have against a setup, as far as that can be known without a server.
#pragma once

#include "config/creation.hpp"
#include "config/problems.hpp"
#include "config/requests.hpp"
#include "config/setup.hpp"

namespace penstock::config {

/// Understands the requests that would make all of it, and tells what they would be refused for, in the services' own
/// words. What depends on what there is elsewhere is left to the plan.
void check_setup(const Setup& setup, const Place& place, Problems& problems);

/// Where a message belongs that names one of the members: there, or else at `fallback`.
Position place_of_message(const std::string& message, const Value& members, Position fallback);

}  // namespace penstock::config
