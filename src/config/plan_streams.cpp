// Of a plan: the streams, and the consumers of both kinds.
#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "config/planner.hpp"

namespace penstock::config {

namespace {

constexpr std::int64_t retention_hours_default = 24;

Value of_stream(const std::string& name) {
  Value input = map_value();
  input.set("StreamName", text_value(name));
  return input;
}

/// Of a value that was found to be a whole number.
std::int64_t number_of(const Value* value, std::int64_t fallback) {
  return value == nullptr || value->text.empty() ? fallback : std::stoll(value->text);
}

}  // namespace

void Planner::plan_streams() {
  for (const Resource& stream : setup_.streams) {
    Step& step = add_step("stream", stream.name, stream.at, stream.members);
    const auto actual = look(kinesis_request("DescribeStreamSummary", of_stream(stream.name)), stream.at);
    if (actual) {
      if (const Value* summary = actual->find("StreamDescriptionSummary")) change_stream(stream, *summary, step);
    } else {
      step.action = Action::create;
      step.calls.push_back({create_stream(stream)});
      follow_creation(stream, step);
    }
    add_consumers(stream, actual.has_value(), step);
    // Whoever is told that the server is ready finds it ready.
    if (step.action != Action::keep) step.later.push_back({{}, stream.name});
  }
}

/// What the request that makes a stream cannot say.
void Planner::follow_creation(const Resource& stream, Step& step) {
  if (number_of(stream.members.find("RetentionPeriodHours"), retention_hours_default) != retention_hours_default) {
    Value input = of_stream(stream.name);
    input.set("RetentionPeriodHours", *stream.members.find("RetentionPeriodHours"));
    step.later.push_back({kinesis_request("IncreaseStreamRetentionPeriod", input), stream.name});
  }
  if (auto encryption = start_encryption(stream)) step.later.push_back({std::move(*encryption), stream.name});
  if (const auto metrics = metrics_of(stream); metrics && !metrics->empty()) {
    step.later.push_back({change_metrics("EnableEnhancedMonitoring", stream.name, *metrics), stream.name});
  }
}

void Planner::change_stream(const Resource& stream, const Value& actual, Step& step) {
  const Value& wanted = stream.members;
  const auto change = [&](const char* member, const char* operation, Value input) {
    input.set(member, *wanted.find(member));
    step.changes.emplace_back(member);
    step.later.push_back({kinesis_request(operation, input), stream.name});
  };
  Value by_arn = map_value();
  by_arn.set("StreamARN", text_value(place_.stream_arn(stream.name)));
  const auto differs = [&](const char* member) {
    const Value* const given = wanted.find(member);
    const Value* const there = actual.find(member);
    return given != nullptr && (there == nullptr || !agrees(*given, *there));
  };
  if (differs("StreamModeDetails")) change("StreamModeDetails", "UpdateStreamMode", by_arn);
  change_shards(wanted, actual, step);
  if (differs("RetentionPeriodHours")) {
    const bool more =
        number_of(wanted.find("RetentionPeriodHours"), 0) > number_of(actual.find("RetentionPeriodHours"), 0);
    change("RetentionPeriodHours", more ? "IncreaseStreamRetentionPeriod" : "DecreaseStreamRetentionPeriod",
           of_stream(stream.name));
  }
  if (differs("MaxRecordSizeInKiB")) change("MaxRecordSizeInKiB", "UpdateMaxRecordSize", by_arn);
  const Value* const warm = actual.find("WarmThroughput");
  if (wanted.find("WarmThroughputMiBps") != nullptr &&
      (warm == nullptr || warm->text_of("TargetMiBps") != wanted.text_of("WarmThroughputMiBps"))) {
    change("WarmThroughputMiBps", "UpdateStreamWarmThroughput", by_arn);
  }
  if (const Value* tags = wanted.find("Tags")) {
    const auto known = look(kinesis_request("ListTagsForStream", of_stream(stream.name)), stream.at);
    Value there = map_value();
    if (const Value* list = known ? known->find("Tags") : nullptr) {
      for (const Value& tag : list->items) there.set(tag.text_of("Key"), text_value(tag.text_of("Value")));
    }
    if (!agrees(*tags, there)) {
      Value input = of_stream(stream.name);
      Value texts = *tags;
      for (Member& member : texts.members) member.value = text_value(member.value.text);
      input.set("Tags", texts);
      step.changes.emplace_back("Tags");
      step.later.push_back({kinesis_request("AddTagsToStream", input), stream.name});
    }
  }
  change_encryption(stream, actual, step);
  change_metrics_of(stream, actual, step);
  if (!step.later.empty()) step.action = Action::update;
}

void Planner::change_encryption(const Resource& stream, const Value& actual, Step& step) {
  const Value* const wanted = stream.members.find("StreamEncryption");
  if (wanted == nullptr) return;
  const bool is_encrypted = actual.text_of("EncryptionType") == "KMS";
  auto start = start_encryption(stream);
  if (start ? is_encrypted && actual.text_of("KeyId") == wanted->text_of("KeyId") : !is_encrypted) return;
  step.changes.emplace_back("StreamEncryption");
  if (start) return step.later.push_back({std::move(*start), stream.name});
  Value input = of_stream(stream.name);
  input.set("EncryptionType", text_value("KMS"));
  input.set("KeyId", text_value(actual.text_of("KeyId")));
  step.later.push_back({kinesis_request("StopStreamEncryption", input), stream.name});
}

/// Those that the file names are all that there are to be.
void Planner::change_metrics_of(const Resource& stream, const Value& actual, Step& step) {
  const auto wanted = metrics_of(stream);
  if (!wanted) return;
  std::vector<std::string> there;
  if (const Value* monitoring = actual.find("EnhancedMonitoring")) {
    for (const Value& one : monitoring->items) {
      const Value* const metrics = one.find("ShardLevelMetrics");
      if (metrics == nullptr) continue;
      for (const Value& metric : metrics->items) there.push_back(metric.text);
    }
  }
  const auto without = [](const std::vector<std::string>& some, const std::vector<std::string>& others) {
    std::vector<std::string> rest;
    std::ranges::copy_if(some, std::back_inserter(rest),
                         [&](const std::string& metric) { return std::ranges::find(others, metric) == others.end(); });
    return rest;
  };
  const auto more = without(*wanted, there);
  const auto less = without(there, *wanted);
  if (more.empty() && less.empty()) return;
  step.changes.emplace_back("ShardLevelMetrics");
  if (!more.empty()) {
    step.later.push_back({change_metrics("EnableEnhancedMonitoring", stream.name, more), stream.name});
  }
  if (!less.empty()) {
    step.later.push_back({change_metrics("DisableEnhancedMonitoring", stream.name, less), stream.name});
  }
}

/// To twice as many at most, and to half of them at least, as the service has it.
void Planner::change_shards(const Value& wanted, const Value& actual, Step& step) {
  const Value* const count = wanted.find("ShardCount");
  const std::int64_t target = number_of(count, 0);
  const std::int64_t open = number_of(actual.find("OpenShardCount"), 0);
  if (count == nullptr || target == open) return;
  if (target > open * 2 || target * 2 < open) {
    return problems_.add(count->at, "the stream '" + step.name + "' has " + std::to_string(open) +
                                        " open shards, and can be brought to " + std::to_string((open + 1) / 2) +
                                        " to " + std::to_string(open * 2) + " at once, not to " +
                                        std::to_string(target));
  }
  Value input = of_stream(step.name);
  input.set("TargetShardCount", *count);
  input.set("ScalingType", text_value("UNIFORM_SCALING"));
  step.changes.emplace_back("ShardCount");
  step.later.push_back({kinesis_request("UpdateShardCount", input), step.name});
}

std::optional<std::string> Planner::registered_arn(const std::string& stream, const std::string& consumer) {
  Value input = map_value();
  input.set("StreamARN", text_value(place_.stream_arn(stream)));
  input.set("ConsumerName", text_value(consumer));
  const auto found = look(kinesis_request("DescribeStreamConsumer", input), {});
  const Value* const description = found ? found->find("ConsumerDescription") : nullptr;
  if (description == nullptr) return std::nullopt;
  return description->text_of("ConsumerARN");
}

void Planner::add_consumers(const Resource& stream, bool exists, Step& step) {
  const Value* const consumers = stream.members.find("Consumers");
  if (consumers == nullptr) return;
  bool added = false;
  for (const Value& consumer : consumers->items) {
    if (exists && registered_arn(stream.name, consumer.text)) continue;
    Value input = map_value();
    input.set("StreamARN", text_value(place_.stream_arn(stream.name)));
    input.set("ConsumerName", text_value(consumer.text));
    step.later.push_back({kinesis_request("RegisterStreamConsumer", input), stream.name});
    added = true;
  }
  if (!added || step.action == Action::create) return;
  step.action = Action::update;
  step.changes.emplace_back("Consumers");
}

void Planner::plan_consumers() {
  for (const Consumer& consumer : setup_.consumers) {
    const std::size_t before = problems_.count();
    need_stream(consumer.stream, consumer.at);
    if (problems_.count() > before) continue;
    Step& step = add_step("consumer", consumer.stream + "/" + consumer.name, consumer.at, consumer.members);
    const auto actual = look(rest_request("GET", path_of(consumer)), consumer.at);
    if (!actual) {
      step.action = Action::create;
      step.calls.push_back({create_consumer(consumer)});
      continue;
    }
    // What it was made with stays: all of it is what its positions rest on.
    Value wanted = map_value();
    for (const Member& member : consumer.members.members) {
      if (member.name == "Start") {
        if (const Value* type = member.value.find("Type")) wanted.set("StartType", *type);
      } else {
        wanted.set(member.name, member.value);
      }
    }
    for (const Member& member : differing(wanted, *actual, step).members) {
      const std::string name = member.name == "StartType" ? "Start" : member.name;
      problems_.add(member.value.at, "the consumer '" + consumer.name + "' is there, and its " + name +
                                         " cannot be changed; it would have to be deleted before");
    }
  }
}

}  // namespace penstock::config
