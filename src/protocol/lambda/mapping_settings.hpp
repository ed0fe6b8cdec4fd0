// What a mapping's settings come to: what works is taken into a patch, and what does not is refused. And what of a
// mapping is told.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "penstock/errors.hpp"
#include "penstock/mappings.hpp"
#include "protocol/lambda/mapping_operations.hpp"

namespace penstock::protocol::lambda {

/// Takes what a request says of a mapping; what it leaves out is not in the patch.
std::variant<MappingPatch, Error> take_settings(MappingSettings& settings);

/// Sets what the patch says.
void apply_patch(MappingPatch&& patch, MappingConfig& config);

/// Sets the source that EventSourceArn names. Error: LambdaInvalidParameterValue.
std::optional<Error> set_source(const std::string& arn, MappingRecord& mapping);

EventSourceMappingConfiguration description_of(const MappingRecord& mapping);

}  // namespace penstock::protocol::lambda
