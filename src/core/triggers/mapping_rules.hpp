// What goes together in a mapping's configuration, once a change was merged into it.
#pragma once

#include <optional>

#include "penstock/commands.hpp"
#include "penstock/errors.hpp"
#include "penstock/mappings.hpp"

namespace penstock::core {

/// What is wrong with it, if anything is. Ranges of single members were checked by the protocol.
std::optional<Error> check_mapping(const MappingRecord& mapping);

void merge(MappingRecord& mapping, const MappingPatch& patch);

/// Whether a mapping that runs can go on with the change: what differs is looked up each time that it is needed, if it
/// is.
bool needs_no_stop(const MappingRecord& before, const MappingRecord& after);

// A function that runs for longer than its queue hides a message is refused, whether the mapping or the function is
// changed, also by a registration that takes its place. A change of the queue is not looked at: as in the service,
// SetQueueAttributes knows nothing of mappings. The next change of the mapping is refused then, unless it ends it.

Command ask_visibility(const QueueName& queue);
/// VisibilityTimeout, if the answer to that has it.
std::optional<int> visibility_in(const std::optional<Result>& result);
std::optional<Error> objection_to_timeout(const std::optional<Result>& attributes, int timeout_seconds);

}  // namespace penstock::core
