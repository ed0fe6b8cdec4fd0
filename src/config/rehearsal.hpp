// What a server would refuse of a plan since one thing does not go with another, be that in the file as well or on the
// server alone: found out before anything is done.
#pragma once

#include <vector>

#include "config/plan.hpp"

namespace penstock::config {

/// Goes through the plan's requests in the order in which they will be made, and judges them by what there will be
/// then: of what the plan does not change, by what the server says. Problems are told in its words. Throws what `ask`
/// throws.
void rehearse(const std::vector<Step>& plan, const Place& place, const Ask& ask, Problems& problems);

/// The same of a server that has nothing yet and lets functions run `concurrency_max` invocations at a time. What the
/// setup names and does not have is not judged.
void rehearse_on_new_server(const Setup& setup, const Place& place, int concurrency_max, Problems& problems);

}  // namespace penstock::config
