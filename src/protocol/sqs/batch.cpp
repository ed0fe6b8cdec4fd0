#include "protocol/sqs/batch.hpp"

#include <algorithm>

#include "penstock/limits.hpp"
#include "protocol/faults.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol::sqs {

Refusal check_batch_size(std::string_view entry_name, std::size_t count) {
  if (count == 0) {
    std::string message = "There should be at least one ";
    message.append(entry_name).append(" in the request.");
    return Error{ErrorCode::EmptyBatchRequest, std::move(message)};
  }
  if (count > sqs_limits::batch_entries_max) {
    return Error{ErrorCode::TooManyEntriesInBatchRequest, "Maximum number of entries per request are " +
                                                              std::to_string(sqs_limits::batch_entries_max) +
                                                              ". You have sent " + std::to_string(count) + "."};
  }
  return std::nullopt;
}

Refusal check_batch_id(std::string_view id) {
  const bool valid = !id.empty() && id.size() <= sqs_limits::batch_id_chars_max &&
                     std::ranges::all_of(id, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
  if (valid) return std::nullopt;
  return Error{ErrorCode::InvalidBatchEntryId, {}};
}

Refusal check_distinct(const std::vector<std::string_view>& ids) {
  // At most ten: comparing each with those before it is the least work.
  for (auto id = ids.begin(); id != ids.end(); ++id) {
    if (std::find(ids.begin(), id, *id) != id) {
      return Error{ErrorCode::BatchEntryIdsNotDistinct, "Id " + std::string(*id) + " repeated."};
    }
  }
  return std::nullopt;
}

Error missing_in_entry(std::string_view entry_name, std::size_t index, std::string_view member) {
  std::string path(entry_name);
  path.append(".").append(std::to_string(index + 1)).append(".").append(member);
  return missing_parameter(path);
}

BatchResultErrorEntry failed_entry(std::string id, const Error& error) {
  const Fault& fault = fault_of(error.code);
  BatchResultErrorEntry entry;
  entry.id = std::move(id);
  entry.sender_fault = fault.sender;
  entry.code = fault.batch_code();
  entry.message = error.message.empty() ? fault.message : std::string_view(error.message);
  return entry;
}

}  // namespace penstock::protocol::sqs
