#include "core/stream_rules.hpp"

#include <string>

#include "core/stream_errors.hpp"
#include "penstock/limits.hpp"

namespace penstock::core {

std::optional<Error> objection_to(const CreateStream& command) {
  if (command.on_demand && command.shard_count) {
    return Error{ErrorCode::KinesisValidation, "ShardCount can not be specified for streams in ON_DEMAND mode."};
  }
  if (!command.on_demand && !command.shard_count) {
    return Error{ErrorCode::KinesisValidation, "ShardCount must be specified for streams in PROVISIONED mode."};
  }
  if (command.warm_mibps && !command.on_demand) {
    return Error{ErrorCode::KinesisValidation, "WarmThroughputMiBps is only supported for streams in ON_DEMAND mode."};
  }
  if (command.warm_mibps && *command.warm_mibps > kinesis_limits::warm_mibps_max) {
    return limit_exceeded("WarmThroughputMiBps can not be greater than " +
                          std::to_string(kinesis_limits::warm_mibps_max) + ".");
  }
  if (command.tags.size() > kinesis_limits::tags_max) {
    return invalid_argument("A stream can not have more than " + std::to_string(kinesis_limits::tags_max) + " tags.");
  }
  return std::nullopt;
}

}  // namespace penstock::core
