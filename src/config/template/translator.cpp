#include "config/template/translator.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace penstock::config {

namespace {

constexpr std::array queue_properties{
    Property{"ContentBasedDeduplication"},
    Property{"DeduplicationScope"},
    Property{"DelaySeconds"},
    Property{"FifoQueue", Use::special},
    Property{"FifoThroughputLimit"},
    Property{"KmsDataKeyReusePeriodSeconds"},
    Property{"KmsMasterKeyId"},
    Property{"MaximumMessageSize"},
    Property{"MessageRetentionPeriod"},
    Property{"QueueName", Use::harmless},
    Property{"ReceiveMessageWaitTimeSeconds"},
    Property{"RedriveAllowPolicy"},
    Property{"RedrivePolicy"},
    Property{"SqsManagedSseEnabled"},
    Property{"Tags", Use::special},
    Property{"VisibilityTimeout"},
};

constexpr std::array policy_properties{
    Property{"PolicyDocument", Use::special},
    Property{"Queues", Use::special},
};

constexpr std::array stream_properties{
    Property{"DesiredShardLevelMetrics", Use::member, "ShardLevelMetrics"},
    Property{"MaxRecordSizeInKiB"},
    Property{"Name", Use::harmless},
    Property{"RetentionPeriodHours"},
    Property{"ShardCount"},
    Property{"StreamEncryption"},
    Property{"StreamModeDetails"},
    Property{"Tags", Use::special},
    Property{"WarmThroughputMiBps"},
};

constexpr std::array consumer_properties{
    Property{"ConsumerName", Use::harmless},
    Property{"StreamARN", Use::special},
    Property{"Tags", Use::passed_over},
};

const AllowedMembers no_members;

Value list_of(std::vector<Value> items, Position at) {
  Value list;
  list.kind = Value::Kind::list;
  list.at = at;
  list.items = std::move(items);
  return list;
}

}  // namespace

Setup Translator::translate() {
  // Policies and consumers belong to queues and streams.
  for (const bool of_others : {false, true}) {
    for (const Declared& resource : resources_.all()) {
      const bool belongs = resource.kind == ResourceKind::queue_policy || resource.kind == ResourceKind::consumer;
      if (belongs == of_others && resources_.exists(resource)) translate(resource);
    }
  }
  return std::move(setup_);
}

void Translator::translate(const Declared& resource) {
  switch (resource.kind) {
    case ResourceKind::other:
      return problems_.note(resource.at,
                            resource.type + " is not offered here: " + in_quotes(resource.id) + " is skipped");
    case ResourceKind::queue:
      return translate_queue(resource);
    case ResourceKind::queue_policy:
      return translate_policy(resource);
    case ResourceKind::stream:
      return translate_stream(resource);
    case ResourceKind::consumer:
      return translate_consumer(resource);
    case ResourceKind::function:
      return translate_function(resource);
    case ResourceKind::serverless_function:
      return translate_serverless(resource);
    case ResourceKind::mapping:
      return translate_mapping(resource);
  }
}

Properties Translator::sort(const Declared& resource, std::span<const Property> table, const AllowedMembers& allowed) {
  return sort_properties(resource.properties, table, allowed, in_quotes(resource.id), resources_.evaluator(),
                         problems_);
}

std::string Translator::name_of(const Declared& resource) {
  const Value name = resources_.name_of(resource);
  return name.tag.empty() ? name.text : std::string();
}

void Translator::add(std::vector<Resource>& list, const std::string& kind, Resource resource) {
  if (resource.name.empty()) return;
  if (std::ranges::find(list, resource.name, &Resource::name) != list.end()) {
    problems_.add(resource.at, "there is a " + kind + " " + in_quotes(resource.name) + " before");
  }
  list.push_back(std::move(resource));
}

void Translator::translate_queue(const Declared& queue) {
  const std::size_t before = problems_.count();
  Properties sorted = sort(queue, queue_properties, queue_members());
  if (const Value* fifo = sorted.special.find("FifoQueue")) {
    if (fifo->text != "true" && fifo->text != "false") problems_.add(fifo->at, "'FifoQueue' has to be true or false");
    // That a queue is not one is not to be said to the service.
    if (fifo->text == "true") sorted.members.set("FifoQueue", *fifo);
  }
  if (const Value* tags = sorted.special.find("Tags")) sorted.members.set("Tags", tags_of(*tags, problems_));
  const std::string name = name_of(queue);
  add(setup_.queues, "queue", {name, queue.at, std::move(sorted.members), problems_.count() == before});
}

void Translator::translate_policy(const Declared& policy) {
  const Properties sorted = sort(policy, policy_properties, no_members);
  const Value* const document = sorted.special.find("PolicyDocument");
  const Value* const queues = sorted.special.find("Queues");
  if (policy.properties.find("PolicyDocument") == nullptr || policy.properties.find("Queues") == nullptr) {
    return problems_.add(policy.at, "the policy " + in_quotes(policy.id) + " needs PolicyDocument and Queues");
  }
  if (document == nullptr || queues == nullptr) return;
  if (queues->kind != Value::Kind::list) return problems_.add(queues->at, "'Queues' has to be a list");
  for (const Value& url : queues->items) {
    const std::string name = url.text.substr(url.text.rfind('/') + 1);
    const auto queue = std::ranges::find(setup_.queues, name, &Resource::name);
    if (queue == setup_.queues.end()) {
      problems_.add(url.at, in_quotes(url.text) + " is the URL of none of the template's queues");
    } else if (queue->members.find("Policy") != nullptr) {
      problems_.add(url.at, "the queue " + in_quotes(name) + " has a policy before");
    } else {
      queue->members.set("Policy", *document);
    }
  }
}

void Translator::translate_stream(const Declared& stream) {
  const std::size_t before = problems_.count();
  Properties sorted = sort(stream, stream_properties, stream_members());
  if (const Value* tags = sorted.special.find("Tags")) sorted.members.set("Tags", tags_of(*tags, problems_));
  const std::string name = name_of(stream);
  add(setup_.streams, "stream", {name, stream.at, std::move(sorted.members), problems_.count() == before});
}

void Translator::translate_consumer(const Declared& consumer) {
  const Properties sorted = sort(consumer, consumer_properties, no_members);
  const Value* const arn = sorted.special.find("StreamARN");
  Value name = resources_.name_of(consumer);
  if (consumer.properties.find("StreamARN") == nullptr) {
    return problems_.add(consumer.at, "the consumer " + in_quotes(consumer.id) + " has no StreamARN");
  }
  if (arn == nullptr || !name.tag.empty()) return;
  const auto stream = std::ranges::find_if(
      setup_.streams, [&](const Resource& one) { return resources_.place().stream_arn(one.name) == arn->text; });
  if (stream == setup_.streams.end()) {
    return problems_.add(arn->at, in_quotes(arn->text) + " is the ARN of none of the template's streams");
  }
  const auto found = std::ranges::find(stream->members.members, "Consumers", &Member::name);
  if (found == stream->members.members.end()) {
    stream->members.members.push_back({"Consumers", consumer.at, list_of({name}, consumer.at)});
  } else if (std::ranges::find(found->value.items, name.text, &Value::text) != found->value.items.end()) {
    problems_.add(name.at,
                  "the stream " + in_quotes(stream->name) + " has a consumer " + in_quotes(name.text) + " before");
  } else {
    found->value.items.push_back(std::move(name));
  }
}

}  // namespace penstock::config
