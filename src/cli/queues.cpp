#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/names.hpp"
#include "cli/output.hpp"
#include "cli/queue_shapes.hpp"
#include "cli/server.hpp"
#include "protocol/sqs/queue_operations.hpp"
#include "protocol/sqs/tag_operations.hpp"

namespace penstock::cli {

namespace sqs = protocol::sqs;

namespace {

std::string attribute(const wire::Queue& queue, std::string_view name) {
  for (const auto& [key, value] : queue.attributes->entries) {
    if (key == name) return value;
  }
  return {};
}

wire::Queue look_at(Server& server, const std::string& url) {
  wire::Queue queue{queue_name_of(url), url, {}, {}};
  queue.attributes = server.sqs<sqs::GetQueueAttributesOperation>({url, std::vector<std::string>{"All"}}).attributes;
  if (!queue.attributes) queue.attributes.emplace();
  return queue;
}

std::string dead_letter_queue(const wire::Queue& queue) {
  const std::string policy = attribute(queue, "RedrivePolicy");
  if (policy.empty()) return "-";
  return queue_name_of(client::from_json<wire::RedrivePolicy>({200, policy}).target_arn.value_or("-"));
}

Table table_of(const std::vector<wire::Queue>& queues) {
  Table table({"QUEUE", "VISIBLE", "IN FLIGHT", "DELAYED", "TIMEOUT", "RETENTION", "DEAD LETTERS"});
  const auto seconds = [](const std::string& text) {
    constexpr std::int64_t second = 1'000;
    return text.empty() ? "-" : duration_text(std::stoll(text) * second);
  };
  for (const wire::Queue& queue : queues) {
    table.add({queue.name.value_or(""), attribute(queue, "ApproximateNumberOfMessages"),
               attribute(queue, "ApproximateNumberOfMessagesNotVisible"),
               attribute(queue, "ApproximateNumberOfMessagesDelayed"), seconds(attribute(queue, "VisibilityTimeout")),
               seconds(attribute(queue, "MessageRetentionPeriod")), dead_letter_queue(queue)});
  }
  return table;
}

int list(Server& server, const Arguments& arguments) {
  wire::Queues all;
  all.queues.emplace();
  for (const std::string& url : queue_urls(server, arguments.text("prefix"))) {
    try {
      all.queues->push_back(look_at(server, url));
    } catch (const client::Error& error) {
      // It was deleted meanwhile.
      if (error.code() != "QueueDoesNotExist") throw;
    }
  }
  if (arguments.json) {
    print_json(all);
  } else {
    table_of(*all.queues).print();
  }
  return success_status;
}

int show(Server& server, const Arguments& arguments) {
  wire::Queue queue = look_at(server, server.queue_url(arguments.word(0)));
  queue.tags = server.sqs<sqs::ListQueueTagsOperation>({*queue.url}).tags;
  if (arguments.json) {
    print_json(queue);
    return success_status;
  }
  Table table({"SETTING", "VALUE"});
  table.add({"QueueName", *queue.name});
  table.add({"QueueUrl", *queue.url});
  for (const auto& [name, value] : queue.attributes->entries) table.add({name, value});
  if (queue.tags) {
    for (const auto& [key, value] : queue.tags->entries) table.add({"tag " + key, value});
  }
  table.print();
  return success_status;
}

}  // namespace

void describe_queues(cxxopts::Options& flags) {
  flags.add_options()("prefix", "only queues whose names begin so", cxxopts::value<std::string>(), "TEXT");
}

int run_queues(const Arguments& arguments) {
  if (!arguments.words.empty() && arguments.has("prefix")) throw UsageError("--prefix does not go with a queue");
  Server server(arguments);
  return arguments.words.empty() ? list(server, arguments) : show(server, arguments);
}

}  // namespace penstock::cli
