#include "protocol/kinesis/tag_operations.hpp"

#include <utility>

#include "protocol/kinesis/tag_rules.hpp"

namespace penstock::protocol::kinesis {
namespace {

std::vector<Tag> to_tags(std::map<std::string, std::string>&& tags) {
  std::vector<Tag> all;
  all.reserve(tags.size());
  for (auto& [key, value] : tags) all.push_back({key, std::move(value)});
  return all;
}

}  // namespace

Asked AddTagsToStreamOperation::to_command(Input& input, const Caller& caller, Kept&) {
  TagStream command;
  command.tags = to_map(std::move(input.tags));
  if (auto error = check_tags(command.tags)) return std::move(*error);
  return ask(address_of(input.stream_name, input.stream_arn, input.stream_id, caller), std::move(command));
}

Told<Nothing> AddTagsToStreamOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

Asked RemoveTagsFromStreamOperation::to_command(Input& input, const Caller& caller, Kept&) {
  UntagStream command;
  command.keys = std::move(*input.tag_keys);
  return ask(address_of(input.stream_name, input.stream_arn, input.stream_id, caller), std::move(command));
}

Told<Nothing> RemoveTagsFromStreamOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

Asked ListTagsForStreamOperation::to_command(Input& input, const Caller& caller, Kept&) {
  ListStreamTags command;
  command.after = std::move(input.exclusive_start_tag_key).value_or(std::string());
  if (input.limit) command.limit = static_cast<std::size_t>(*input.limit);
  return ask(address_of(input.stream_name, input.stream_arn, input.stream_id, caller), std::move(command));
}

Told<ListTagsForStreamOutput> ListTagsForStreamOperation::to_output(Result&& result, Kept&) {
  auto* found = std::get_if<StreamTags>(&result);
  if (found == nullptr) return unexpected_result();
  return Output{to_tags(std::move(found->tags)), found->more};
}

Asked TagResourceOperation::to_command(Input& input, const Caller&, Kept&) {
  TagStream command;
  command.tags = to_map(std::move(input.tags));
  if (auto error = check_tags(command.tags)) return std::move(*error);
  return ask_of_resource(input, std::move(command));
}

Told<Nothing> TagResourceOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

Asked UntagResourceOperation::to_command(Input& input, const Caller&, Kept&) {
  UntagStream command;
  command.keys = std::move(*input.tag_keys);
  return ask_of_resource(input, std::move(command));
}

Told<Nothing> UntagResourceOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

Asked ListTagsForResourceOperation::to_command(Input& input, const Caller&, Kept&) {
  return ask_of_resource(input, ListStreamTags{});
}

Told<ListTagsForResourceOutput> ListTagsForResourceOperation::to_output(Result&& result, Kept&) {
  auto* found = std::get_if<StreamTags>(&result);
  if (found == nullptr) return unexpected_result();
  return Output{to_tags(std::move(found->tags))};
}

}  // namespace penstock::protocol::kinesis
