#include "protocol/kinesis/consumer_operations.hpp"

#include <utility>

#include "penstock/limits.hpp"
#include "penstock/stream_names.hpp"
#include "protocol/kinesis/tag_rules.hpp"

namespace penstock::protocol::kinesis {
namespace {

/// What a consumer says of itself wherever it occurs.
template <class Described>
void describe_consumer(const StreamName& stream, const StreamConsumer& consumer, Described& described) {
  described.consumer_name = consumer.name;
  described.consumer_arn = arn_of(stream, consumer);
  described.consumer_status = name_of(consumer.status);
  described.consumer_creation_timestamp = to_creation_timestamp(consumer.created);
}

/// A command about one consumer, by whatever its request names it.
template <class C, class Input>
Asked ask_of_consumer(const Input& input, const Caller& caller) {
  auto found = consumer_address_of(input.stream_arn, input.consumer_name, input.consumer_arn, input.stream_id, caller);
  if (Error* error = std::get_if<Error>(&found)) return std::move(*error);
  auto& address = std::get<ConsumerAddress>(found);
  C command;
  command.name = std::move(address.name);
  command.created_s = address.created_s;
  return ask(std::move(address.stream), std::move(command));
}

}  // namespace

Asked RegisterStreamConsumerOperation::to_command(Input& input, const Caller& caller, Kept&) {
  RegisterConsumer command;
  command.name = std::move(*input.consumer_name);
  command.tags = to_map(std::move(input.tags));
  if (auto error = check_tags(command.tags)) return std::move(*error);
  return ask(address_of({}, input.stream_arn, input.stream_id, caller), std::move(command));
}

Told<RegisterStreamConsumerOutput> RegisterStreamConsumerOperation::to_output(Result&& result, Kept&) {
  const auto* found = std::get_if<ConsumerDescription>(&result);
  if (found == nullptr) return unexpected_result();
  Output output;
  describe_consumer(found->stream, found->consumer, output.consumer.emplace());
  return output;
}

Asked DeregisterStreamConsumerOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return ask_of_consumer<DeregisterConsumer>(input, caller);
}

Told<Nothing> DeregisterStreamConsumerOperation::to_output(Result&& result, Kept&) { return nothing_if_done(result); }

Asked DescribeStreamConsumerOperation::to_command(Input& input, const Caller& caller, Kept&) {
  return ask_of_consumer<DescribeConsumer>(input, caller);
}

Told<DescribeStreamConsumerOutput> DescribeStreamConsumerOperation::to_output(Result&& result, Kept&) {
  const auto* found = std::get_if<ConsumerDescription>(&result);
  if (found == nullptr) return unexpected_result();
  Output output;
  DescribedConsumer& described = output.consumer_description.emplace();
  describe_consumer(found->stream, found->consumer, described);
  described.stream_arn = arn_of(found->stream);
  return output;
}

Asked ListStreamConsumersOperation::to_command(Input& input, const Caller& caller, Kept& kept) {
  kept.issued = caller.now;
  ListConsumers command;
  command.limit = page_of(input.max_results, kinesis_limits::list_consumers_max);
  command.created = to_instant(input.stream_creation_timestamp);
  if (!input.next_token) {
    return ask(address_of({}, input.stream_arn, input.stream_id, caller), std::move(command));
  }
  if (command.created) return excluded_by_token("StreamCreationTimestamp");
  auto read = read_next_token(*input.next_token, NextToken::List::consumers, caller.now);
  if (Error* error = std::get_if<Error>(&read)) return std::move(*error);
  auto& token = std::get<NextToken>(read);
  if (auto error = check_agrees(token.stream, token.id, input.stream_arn, input.stream_id, caller)) {
    return std::move(*error);
  }
  command.id = token.id;
  command.after = std::move(token.after);
  return ask_by_id(token.stream, token.id, std::move(command));
}

Told<ListStreamConsumersOutput> ListStreamConsumersOperation::to_output(Result&& result, Kept& kept) {
  const auto* list = std::get_if<ConsumerList>(&result);
  if (list == nullptr) return unexpected_result();
  Output output;
  auto& consumers = output.consumers.emplace();
  consumers.reserve(list->consumers.size());
  for (const StreamConsumer& consumer : list->consumers) {
    describe_consumer(list->stream, consumer, consumers.emplace_back());
  }
  if (list->more && !list->consumers.empty()) {
    output.next_token = to_string(
        NextToken{NextToken::List::consumers, list->stream, list->id, list->consumers.back().name, {}, kept.issued});
  }
  return output;
}

}  // namespace penstock::protocol::kinesis
