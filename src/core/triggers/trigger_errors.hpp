// What the trigger engine answers when something is not as it has to be, in the service's words where they are known.
#pragma once

#include <string>
#include <string_view>

#include "penstock/errors.hpp"
#include "penstock/functions.hpp"
#include "penstock/mappings.hpp"

namespace penstock::core {

/// `arn` is what it was called, if that is known.
Error function_not_found(const FunctionName& function, std::string_view arn = {});
Error function_exists(const FunctionName& function);
Error too_many_functions(std::size_t most);
Error revision_differs();
Error too_little_unreserved(int least);
Error no_async_config(const FunctionName& function);
Error too_many_lambda_tags();
/// `reason` is one of the three that are a TooManyRequestsException.
Error rate_exceeded(ErrorCode reason);
Error shutting_down();

Error mapping_not_found();
Error mapping_in_use(std::string_view verb);
Error mapping_exists(const MappingRecord& asked, std::string_view uuid);
Error too_many_mappings(std::size_t most);
Error invalid_mapping(std::string message);
/// The queue, stream or consumer of a mapping is not there, or can not be asked.
Error source_not_usable(const MappingRecord& mapping, const Error& reason);
Error visibility_too_short(int visibility_seconds, int timeout_seconds);

}  // namespace penstock::core
