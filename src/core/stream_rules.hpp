// What goes together in a request for a stream.
#pragma once

#include <optional>

#include "penstock/errors.hpp"
#include "penstock/stream_commands.hpp"

namespace penstock::core {

/// Why no stream can be made so, whatever others there are. Errors: KinesisValidation, KinesisLimitExceeded,
/// KinesisInvalidArgument.
std::optional<Error> objection_to(const CreateStream& command);

}  // namespace penstock::core
