#include "protocol/lambda/tag_operations.hpp"

#include <utility>

namespace penstock::protocol::lambda {
namespace {

template <class C>
AskedTriggers ask_about_tags(const std::string& arn, C command) {
  auto resource = tagged_resource_of(arn);
  if (Error* error = std::get_if<Error>(&resource)) return std::move(*error);
  command.resource = std::get<0>(std::move(resource));
  return TriggerCommand(std::move(command));
}

}  // namespace

AskedTriggers TagResourceOperation::to_command(Input& input, const Caller&, Kept&) {
  TagLambda command;
  command.tags = to_map(std::move(*input.tags));
  return ask_about_tags(*input.resource, std::move(command));
}

Told<Nothing> TagResourceOperation::to_output(TriggerResult&& result, Kept&) { return nothing_if_done(result); }

AskedTriggers UntagResourceOperation::to_command(Input& input, const Caller&, Kept&) {
  UntagLambda command;
  command.keys = std::move(*input.tag_keys);
  return ask_about_tags(*input.resource, std::move(command));
}

Told<Nothing> UntagResourceOperation::to_output(TriggerResult&& result, Kept&) { return nothing_if_done(result); }

AskedTriggers ListTagsOperation::to_command(Input& input, const Caller&, Kept&) {
  return ask_about_tags(*input.resource, ListLambdaTags{});
}

Told<ListTagsResponse> ListTagsOperation::to_output(TriggerResult&& result, Kept&) {
  const auto* tags = std::get_if<LambdaTags>(&result);
  if (tags == nullptr) return unexpected_result();
  return Output{to_entries(tags->tags)};
}

}  // namespace penstock::protocol::lambda
