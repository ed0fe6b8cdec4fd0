#include "protocol/lambda/mapping_operations.hpp"

#include <algorithm>
#include <utility>

#include "penstock/mapping_rules.hpp"
#include "protocol/lambda/mapping_settings.hpp"

namespace penstock::protocol::lambda {
namespace {

constexpr int stream_batch_size_default = 100;
/// However many are asked for, as in the service.
constexpr std::int32_t mappings_in_page_max = 100;

Error missing(std::string_view member) {
  return invalid_parameter("1 validation error detected: Value null at '" + std::string(member) +
                           "' failed to satisfy constraint: Member must not be null");
}

std::optional<Error> take_start(const CreateEventSourceMappingRequest& input, Instant now, MappingRecord& mapping) {
  const auto& position = input.starting_position;
  if (!mapping.of_stream()) {
    if (!position && !input.starting_position_timestamp) return std::nullopt;
    return invalid_parameter("StartingPosition is not valid for SQS event sources.");
  }
  if (!position) return missing("startingPosition");
  const bool at_timestamp = position == "AT_TIMESTAMP";
  if (at_timestamp && !input.starting_position_timestamp) {
    return invalid_parameter("StartingPositionTimestamp is required with StartingPosition AT_TIMESTAMP.");
  }
  if (!at_timestamp && input.starting_position_timestamp) {
    return invalid_parameter("StartingPositionTimestamp is valid only with StartingPosition AT_TIMESTAMP.");
  }
  mapping.config.start = at_timestamp                 ? IteratorType::at_timestamp
                         : position == "TRIM_HORIZON" ? IteratorType::trim_horizon
                                                      : IteratorType::latest;
  if (!at_timestamp) return std::nullopt;
  mapping.config.start_timestamp = from_epoch_ms(input.starting_position_timestamp->ms);
  // No shard has a place there yet, so that the mapping could not begin.
  if (*mapping.config.start_timestamp > now) {
    return invalid_parameter("StartingPositionTimestamp cannot be in the future.");
  }
  return std::nullopt;
}

std::optional<Error> take_source(const CreateEventSourceMappingRequest& input, MappingRecord& mapping) {
  constexpr std::string_view no_source = "there are only SQS and Kinesis event sources.";
  for (Refusal refusal : {refuse(input.topics, "Topics", no_source), refuse(input.queues, "Queues", no_source),
                          refuse(input.self_managed_event_source, "SelfManagedEventSource", no_source)}) {
    if (refusal) return refusal;
  }
  if (!input.event_source_arn) return missing("eventSourceArn");
  return set_source(*input.event_source_arn, mapping);
}

/// Sets the function that the request names.
std::optional<Error> take_function(const std::string& name, const Caller& caller, FunctionName& function,
                                   std::string& arn) {
  auto named = invoked_function_of(name, std::nullopt, caller);
  if (Error* error = std::get_if<Error>(&named)) return std::move(*error);
  auto& reference = std::get<FunctionReference>(named);
  arn = reference.arn();
  function = std::move(reference.function);
  return std::nullopt;
}

Told<EventSourceMappingConfiguration> tell_mapping(const TriggerResult& result) {
  const auto* description = std::get_if<MappingDescription>(&result);
  if (description == nullptr) return unexpected_result();
  return description_of(description->mapping);
}

}  // namespace

AskedTriggers CreateEventSourceMappingOperation::to_command(Input& input, const Caller& caller, Kept&) {
  CreateMapping command;
  MappingRecord& mapping = command.mapping;
  if (auto error = take_source(input, mapping)) return std::move(*error);
  if (auto error = take_function(*input.function_name, caller, mapping.function, mapping.function_arn)) {
    return std::move(*error);
  }
  if (auto error = take_start(input, caller.now, mapping)) return std::move(*error);
  auto patch = take_settings(input);
  if (Error* error = std::get_if<Error>(&patch)) return std::move(*error);
  if (mapping.of_stream()) mapping.config.batch_size = stream_batch_size_default;
  apply_patch(std::get<MappingPatch>(std::move(patch)), mapping.config);
  if (auto error = objection_to(mapping.config, mapping.source)) return std::move(*error);
  if (input.tags) mapping.tags = to_map(std::move(*input.tags));
  return TriggerCommand(std::move(command));
}

Told<EventSourceMappingConfiguration> CreateEventSourceMappingOperation::to_output(TriggerResult&& result, Kept&) {
  return tell_mapping(result);
}

AskedTriggers GetEventSourceMappingOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return TriggerCommand(GetMapping{mapping_of(std::move(*input.uuid), caller)});
}

Told<EventSourceMappingConfiguration> GetEventSourceMappingOperation::to_output(TriggerResult&& result, Kept&) {
  return tell_mapping(result);
}

AskedTriggers ListEventSourceMappingsOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto after = read_marker(input.marker);
  if (Error* error = std::get_if<Error>(&after)) return std::move(*error);
  ListMappings command;
  command.account = caller.account;
  command.region = caller.region;
  command.source_arn = std::move(input.event_source_arn).value_or(std::string());
  if (input.function_name) {
    auto error = take_function(*input.function_name, caller, command.function.emplace(), command.function_arn);
    if (error) return std::move(*error);
  }
  command.after = std::get<std::string>(std::move(after));
  command.limit =
      static_cast<std::size_t>(std::min(input.max_items.value_or(mappings_in_page_max), mappings_in_page_max));
  return TriggerCommand(std::move(command));
}

Told<ListEventSourceMappingsResponse> ListEventSourceMappingsOperation::to_output(TriggerResult&& result, Kept&) {
  const auto* list = std::get_if<MappingList>(&result);
  if (list == nullptr) return unexpected_result();
  Output output;
  auto& mappings = output.event_source_mappings.emplace();
  mappings.reserve(list->mappings.size());
  for (const MappingRecord& mapping : list->mappings) mappings.push_back(description_of(mapping));
  if (list->more && !list->mappings.empty()) output.next_marker = marker_after(list->mappings.back().uuid);
  return output;
}

AskedTriggers UpdateEventSourceMappingOperation::to_command(Input& input, const Caller& caller, Kept&) {
  auto patch = take_settings(input);
  if (Error* error = std::get_if<Error>(&patch)) return std::move(*error);
  UpdateMapping command{mapping_of(std::move(*input.uuid), caller), std::get<MappingPatch>(std::move(patch))};
  if (input.function_name) {
    auto error = take_function(*input.function_name, caller, command.patch.function.emplace(),
                               command.patch.function_arn.emplace());
    if (error) return std::move(*error);
  }
  return TriggerCommand(std::move(command));
}

Told<EventSourceMappingConfiguration> UpdateEventSourceMappingOperation::to_output(TriggerResult&& result, Kept&) {
  return tell_mapping(result);
}

AskedTriggers DeleteEventSourceMappingOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return TriggerCommand(DeleteMapping{mapping_of(std::move(*input.uuid), caller)});
}

Told<EventSourceMappingConfiguration> DeleteEventSourceMappingOperation::to_output(TriggerResult&& result, Kept&) {
  return tell_mapping(result);
}

}  // namespace penstock::protocol::lambda
