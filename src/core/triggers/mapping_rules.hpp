// What goes together in a mapping's configuration, once a change was merged into it.
#pragma once

#include <optional>

#include "penstock/errors.hpp"
#include "penstock/mappings.hpp"

namespace penstock::core {

/// What is wrong with it, if anything is. Ranges of single members were checked by the protocol.
std::optional<Error> check_mapping(const MappingRecord& mapping);

void merge(MappingRecord& mapping, const MappingPatch& patch);

}  // namespace penstock::core
