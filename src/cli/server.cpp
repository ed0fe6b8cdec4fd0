#include "cli/server.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <utility>

#include "cli/token.hpp"
#include "client/caller.hpp"
#include "protocol/native/server_operations.hpp"
#include "protocol/sqs/queue_operations.hpp"

namespace penstock::cli {

namespace native = protocol::native;
namespace wire = client::wire;

namespace {

constexpr std::string_view queue_arn_name = "QueueArn";

}  // namespace

void add_credentials(client::Request& request, const Home& home, std::string_view service) {
  if (home.region.empty() && home.account.empty()) return;
  std::string credentials = "AWS4-HMAC-SHA256 Credential=";
  credentials.append(home.account.empty() ? "penstock" : home.account).append("/20300101/").append(home.region);
  credentials.append("/").append(service).append("/aws4_request, SignedHeaders=host, Signature=0");
  request.headers.emplace_back("Authorization", std::move(credentials));
}

std::unique_ptr<client::Line> open_line(client::World& world, const std::string& endpoint) {
  try {
    return world.open(endpoint);
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
}

Server::Server(const Arguments& arguments)
    : address_{arguments.word(0), {}, arguments.region, arguments.account},
      world_(world_with_token(client::real_world(), find_token(arguments))),
      line_(open_line(*world_, arguments.endpoint)),
      on_interrupt_([](void* line) noexcept { static_cast<client::Line*>(line)->interrupt(); }, line_.get()) {}

client::Address Server::address(const std::string& consumer) const {
  client::Address address = address_;
  address.consumer = consumer;
  return address;
}

client::Answer Server::answer(client::Request request, const Patience& patience) {
  if (patience.interruptible) check_interrupted();
  request.timeout = patience.answer_max;
  request.interruptible = patience.interruptible;
  std::optional<client::Answer> answer = line_->exchange(request);
  if (!answer) throw Interrupted();
  client::check(*answer);
  return std::move(*answer);
}

client::Answer Server::lambda(client::Request request, const Patience& patience) {
  add_credentials(request, home(), "lambda");
  return answer(std::move(request), patience);
}

client::Answer Server::call(std::string_view target, std::string body, const Home& home, const Patience& patience) {
  return call("/", target, std::move(body), home, patience);
}

client::Answer Server::call(std::string path, std::string_view target, std::string body, const Home& home,
                            const Patience& patience) {
  const bool sqs = target.starts_with("AmazonSQS.");
  client::Request request{"POST", std::move(path), std::move(body)};
  request.headers.emplace_back("X-Amz-Target", target);
  request.headers.emplace_back("Content-Type", sqs ? "application/x-amz-json-1.0" : "application/x-amz-json-1.1");
  add_credentials(request, home, sqs ? "sqs" : "kinesis");
  return answer(std::move(request), patience);
}

bool Server::clock_stands_still() {
  using Operation = native::ReadClockOperation;
  const auto clock = client::from_json<native::ClockDescription>(
      lambda({std::string(Operation::method), std::string(Operation::path), {}}));
  return clock.frozen.value_or(false);
}

std::string Server::queue_url(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const auto found = sqs<protocol::sqs::GetQueueUrlOperation>({name, {}});
  return found.queue_url.value_or("");
}

std::string Server::queue_arn(const std::string& url) { return queue_attribute(url, queue_arn_name); }

std::string Server::queue_attribute(const std::string& url, std::string_view attribute) {
  const auto queue = sqs<protocol::sqs::GetQueueAttributesOperation>({url, std::vector{std::string(attribute)}});
  for (const auto& [name, value] : queue.attributes.value_or(protocol::Map<std::string>{}).entries) {
    if (name == attribute) return value;
  }
  return {};
}

std::string queue_name_of(const std::string& url_or_arn) {
  const std::size_t at = url_or_arn.find_last_of("/:");
  return at == std::string::npos ? url_or_arn : url_or_arn.substr(at + 1);
}

void Server::check_stream() {
  native::ListConsumersInput input;
  input.limit = 1;
  ask<native::ListConsumersOperation, wire::ListOutput>({}, input);
}

std::vector<std::string> Server::consumers_of(const std::string& stream) {
  client::Address all = address_;
  all.stream = stream;
  std::vector<std::string> names;
  bool more = true;
  while (more) {
    native::ListConsumersInput input;
    if (!names.empty()) input.exclusive_start_consumer = names.back();
    const auto page =
        client::from_json<wire::ListOutput>(answer(client::request_of<native::ListConsumersOperation>(all, input)));
    const std::size_t before = names.size();
    if (page.consumers) {
      for (const auto& consumer : *page.consumers) names.push_back(consumer.consumer_name.value_or(""));
    }
    more = page.has_more_consumers.value_or(false) && names.size() > before;
  }
  return names;
}

wire::LagOutput Server::lag(const std::string& consumer) {
  wire::LagOutput whole;
  native::DescribeLagOperation::Input input;
  bool more = true;
  while (more) {
    auto page = ask<native::DescribeLagOperation, wire::LagOutput>(consumer, input);
    auto shards = page.shards ? std::move(*page.shards) : std::vector<wire::ShardLag>();
    more = page.has_more_shards.value_or(false) && !shards.empty();
    if (!input.exclusive_start_shard_id) {
      whole = std::move(page);
      whole.shards.emplace();
      whole.has_more_shards = false;
    } else {
      whole.records_behind = whole.records_behind.value_or(0) + page.records_behind.value_or(0);
      whole.millis_behind = std::max(whole.millis_behind.value_or(0), page.millis_behind.value_or(0));
      // Those of shards that are gone are in each page's sum.
      for (const auto& shard : shards) {
        whole.lost_records = whole.lost_records.value_or(0) + shard.lost_records.value_or(0);
      }
    }
    if (!shards.empty()) input.exclusive_start_shard_id = shards.back().shard_id;
    std::move(shards.begin(), shards.end(), std::back_inserter(*whole.shards));
  }
  return whole;
}

}  // namespace penstock::cli
