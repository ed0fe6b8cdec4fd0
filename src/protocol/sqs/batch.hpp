// What the three batch operations share: the rules for a batch as a whole, and how entries that were refused here and
// entries that the engine answered come together in one answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "penstock/errors.hpp"
#include "protocol/decode.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::sqs {

struct BatchResultErrorEntry {
  std::optional<std::string> id;
  std::optional<bool> sender_fault;
  std::optional<std::string> code;
  std::optional<std::string> message;

  static constexpr auto shape() {
    using Self = BatchResultErrorEntry;
    return Shape("BatchResultErrorEntry", required("Id", &Self::id), required("SenderFault", &Self::sender_fault),
                 required("Code", &Self::code), optional("Message", &Self::message));
  }
};

/// A batch's answer. Both lists are there even if empty, as the model has them required.
template <class Entry>
struct BatchResult {
  std::optional<std::vector<Entry>> successful = std::vector<Entry>();
  std::optional<std::vector<BatchResultErrorEntry>> failed = std::vector<BatchResultErrorEntry>();

 protected:
  static constexpr auto shape_named(std::string_view name) {
    using Self = BatchResult;
    return Shape(name, required("Successful", &Self::successful, {.query = shape_of<Entry>.name}),
                 required("Failed", &Self::failed, {.query = shape_of<BatchResultErrorEntry>.name}));
  }
};

/// An entry between the question and the answer. One that was refused is not part of the command.
struct BatchEntry {
  std::string id;
  Refusal refused;
};

/// "There should be at least one ... in the request.", and the other errors of a batch's size.
Refusal check_batch_size(std::string_view entry_name, std::size_t count);
Refusal check_batch_id(std::string_view id);
Refusal check_distinct(const std::vector<std::string_view>& ids);
/// "The request must contain the parameter SendMessageBatchRequestEntry.1.Id."
Error missing_in_entry(std::string_view entry_name, std::size_t index, std::string_view member);
BatchResultErrorEntry failed_entry(std::string id, const Error& error);

/// The rules whose breach fails the whole request.
template <Structure Entry>
Refusal check_batch(const std::vector<Entry>& entries) {
  constexpr std::string_view entry_name = shape_of<Entry>.name;
  if (Refusal refusal = check_batch_size(entry_name, entries.size())) return refusal;
  std::vector<std::string_view> ids;
  ids.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (const auto missing = missing_member(entries[i])) return missing_in_entry(entry_name, i, *missing);
    if (Refusal refusal = check_batch_id(*entries[i].id)) return refusal;
    ids.push_back(*entries[i].id);
  }
  return check_distinct(ids);
}

/// Tells each entry's fate in the request's order. `answered` are the engine's results for those not refused;
/// tell(entry, result) answers nothing where the entry succeeded, having added it to the successful ones.
/// REQUIRES: as many results as entries that were not refused.
template <class Output, class Entry, class EntryResult, class Tell>
void merge_batch(std::vector<Entry>& entries, std::vector<EntryResult>& answered, Output& output, Tell&& tell) {
  auto next = answered.begin();
  for (Entry& entry : entries) {
    const Refusal refused = entry.refused ? std::move(entry.refused) : tell(entry, *next++);
    if (refused) output.failed->push_back(failed_entry(std::move(entry.id), *refused));
  }
}

/// How many entries the command has.
template <class Entry>
std::size_t count_asked(const std::vector<Entry>& entries) {
  std::size_t count = 0;
  for (const Entry& entry : entries) count += entry.refused ? 0U : 1U;
  return count;
}

}  // namespace penstock::protocol::sqs
