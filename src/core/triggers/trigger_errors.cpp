#include "core/triggers/trigger_errors.hpp"

#include <utility>

namespace penstock::core {

Error function_not_found(const FunctionName& function, std::string_view arn) {
  return {ErrorCode::LambdaResourceNotFound,
          "Function not found: " + (arn.empty() ? arn_of(function) : std::string(arn))};
}

Error function_exists(const FunctionName& function) {
  return {ErrorCode::LambdaResourceConflict, "Function already exist: " + function.name};
}

Error too_many_functions(std::size_t most) {
  return {ErrorCode::LambdaCodeStorageExceeded,
          "There are " + std::to_string(most) + " functions, and there can not be more."};
}

Error revision_differs() {
  return {
      ErrorCode::LambdaPreconditionFailed,
      "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve "
      "the latest Revision Id"};
}

Error too_little_unreserved(int least) {
  return {ErrorCode::LambdaInvalidParameterValue,
          "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
          "its minimum value of [" +
              std::to_string(least) + "]."};
}

Error no_async_config(const FunctionName& function) {
  return {ErrorCode::LambdaResourceNotFound,
          "The function " + arn_of(function) + ":$LATEST doesn't have an EventInvokeConfig"};
}

Error too_many_lambda_tags() {
  return {ErrorCode::LambdaInvalidParameterValue, "Number of tags exceeds resource tag limit."};
}

Error rate_exceeded(ErrorCode reason) { return {reason, "Rate Exceeded."}; }

Error shutting_down() { return {ErrorCode::LambdaServiceException, "The server is shutting down."}; }

Error mapping_not_found() { return {ErrorCode::LambdaResourceNotFound, "The resource you requested does not exist."}; }

Error mapping_in_use(std::string_view verb) {
  return {ErrorCode::LambdaResourceInUse,
          "Cannot " + std::string(verb) + " the event source mapping because it is in use."};
}

Error mapping_exists(const MappingRecord& asked, std::string_view uuid) {
  std::string text = "The event source arn (\" ";
  text.append(asked.source_arn).append(" \") and function (\" ").append(asked.function.name);
  text.append(" \") provided mapping already exists. Please update or delete the existing mapping with UUID ");
  return {ErrorCode::LambdaResourceConflict, text.append(uuid)};
}

Error too_many_mappings(std::size_t most) {
  return {ErrorCode::LambdaInvalidParameterValue,
          "There are " + std::to_string(most) + " event source mappings, and there can not be more."};
}

Error invalid_mapping(std::string message) { return {ErrorCode::LambdaInvalidParameterValue, std::move(message)}; }

Error source_not_usable(const MappingRecord& mapping, const Error& reason) {
  if (reason.code == ErrorCode::QueueDoesNotExist) {
    return invalid_mapping(
        "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error "
        "Message: The specified queue does not exist for this wsdl version.");
  }
  if (reason.code == ErrorCode::KinesisResourceNotFound) {
    return invalid_mapping((mapping.consumer ? "Consumer not found: " : "Stream not found: ") + mapping.source_arn);
  }
  if (mapping.of_stream()) {
    return invalid_mapping("Error occurred while DescribeStream. " + mapping.source_arn + ": " + reason.message);
  }
  return invalid_mapping("Error occurred while ReceiveMessage. " + mapping.source_arn + ": " + reason.message);
}

Error visibility_too_short(int visibility_seconds, int timeout_seconds) {
  return invalid_mapping("Queue visibility timeout: " + std::to_string(visibility_seconds) +
                         " seconds is less than Function timeout: " + std::to_string(timeout_seconds) + " seconds");
}

}  // namespace penstock::core
