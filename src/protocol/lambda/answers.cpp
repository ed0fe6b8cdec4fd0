// What functions' answers to batches say. simdjson's On-Demand reads them, because a state goes back to the function
// byte for byte, of which a document would have kept only the values.
#include <simdjson.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/json.hpp"
#include "protocol/lambda/events.hpp"

namespace penstock::protocol::lambda {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::string_view white_space = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(white_space);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(white_space) + 1 - from);
}

BatchAnswer all_failed() {
  BatchAnswer answer;
  answer.well_formed = false;
  return answer;
}

/// Reads one entry of batchItemFailures. False where it does not name an item.
bool read_failure(simdjson::simdjson_result<ondemand::value> entry, std::vector<std::string>& failed) {
  ondemand::object object;
  std::string_view id;
  if (entry.get_object().get(object) != simdjson::SUCCESS) return false;
  if (object.find_field_unordered("itemIdentifier").get_string().get(id) != simdjson::SUCCESS) return false;
  if (id.empty()) return false;
  failed.emplace_back(id);
  return true;
}

/// False where what stands there is no list of failures. There need not be any.
bool read_failures(ondemand::object& object, std::vector<std::string>& failed) {
  ondemand::value list;
  const auto missing = object.find_field_unordered("batchItemFailures").get(list);
  if (missing == simdjson::NO_SUCH_FIELD) return true;
  bool null = false;
  if (missing != simdjson::SUCCESS || list.is_null().get(null) != simdjson::SUCCESS) return false;
  if (null) return true;
  ondemand::array entries;
  if (list.get_array().get(entries) != simdjson::SUCCESS) return false;
  for (auto entry : entries) {
    if (!read_failure(entry, failed)) return false;
  }
  return true;
}

/// Of any size: one that is too large ends its window, which is not the answer's failure.
std::optional<std::string> read_state(ondemand::object& object) {
  ondemand::value state;
  if (object.find_field_unordered("state").get(state) != simdjson::SUCCESS) return std::nullopt;
  std::string_view text;
  if (simdjson::to_json_string(state).get(text) != simdjson::SUCCESS) return std::nullopt;
  text = trimmed(text);
  if (text == "null") return std::nullopt;
  return std::string(text);
}

}  // namespace

BatchAnswer read_answer(std::string_view payload, const MappingRecord& mapping, bool has_window) {
  const bool reports = mapping.config.report_batch_item_failures;
  if (!reports && !has_window) return {};
  payload = trimmed(payload);
  const bool nothing = payload.empty() || payload == "null" || (payload == R"("")" && mapping.of_stream());
  if (nothing) return has_window ? all_failed() : BatchAnswer();
  // It is looked at as a whole first: On-Demand sees only what it is asked for.
  if (payload.front() != '{' || !is_json(payload)) return all_failed();

  const simdjson::padded_string padded(payload);
  ondemand::parser parser;
  ondemand::document document;
  ondemand::object object;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return all_failed();
  if (document.get_object().get(object) != simdjson::SUCCESS) return all_failed();
  BatchAnswer answer;
  if (reports && !read_failures(object, answer.failed)) return all_failed();
  if (has_window) {
    if (object.reset().error() != simdjson::SUCCESS) return all_failed();
    answer.state = read_state(object);
    if (!answer.state) return all_failed();
  }
  return answer;
}

}  // namespace penstock::protocol::lambda
