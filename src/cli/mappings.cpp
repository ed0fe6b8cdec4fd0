#include <string>
#include <utility>
#include <vector>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/function_names.hpp"
#include "cli/function_shapes.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"
#include "client/api.hpp"

namespace penstock::cli {

namespace {

constexpr std::string_view queue_prefix = "queue:";
constexpr std::string_view stream_prefix = "stream:";

/// Those of the function's ARN, if it is one, or else of the flags.
Home home_of(const Server& server, const std::string& arn) {
  if (!arn.starts_with("arn:")) return server.home();
  // arn:aws:lambda:<region>:<account>:function:<name>
  std::vector<std::string> parts{{}};
  for (const char c : arn) {
    if (c == ':') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  if (parts.size() < 7) throw UsageError("'" + arn + "' is no function's ARN");
  return {parts[3], parts[4]};
}

/// What a queue or a stream is called that the server has, whoever runs the function.
std::string queue_arn_of(Server& server, const std::string& name, const Home& home) {
  wire::QueueQuestion question;
  question.name = name;
  const client::Answer found = server.call("AmazonSQS.GetQueueUrl", client::to_json(question), home);
  question = {};
  question.url = client::from_json<wire::QueueAnswer>(found).url;
  question.attributes = {"QueueArn"};
  const auto queue = client::from_json<wire::QueueAnswer>(
      server.call("AmazonSQS.GetQueueAttributes", client::to_json(question), home));
  for (const auto& [attribute, value] : queue.attributes.value_or(protocol::Map<std::string>{}).entries) {
    if (attribute == "QueueArn") return value;
  }
  throw client::Error(found.status, "UnreadableAnswer", "it names no queue");
}

std::string stream_arn_of(Server& server, const std::string& name, const Home& home) {
  wire::StreamQuestion question;
  question.name = name;
  const client::Answer found = server.call("Kinesis_20131202.DescribeStreamSummary", client::to_json(question), home);
  const auto stream = client::from_json<wire::StreamAnswer>(found);
  if (stream.summary && stream.summary->arn) return *stream.summary->arn;
  throw client::Error(found.status, "UnreadableAnswer", "it names no stream");
}

/// An ARN as it stands, or that of queue:NAME or stream:NAME beside the function.
std::string arn_of(Server& server, const std::string& text, const std::string& function) {
  if (text.starts_with("arn:")) return text;
  const bool queue = text.starts_with(queue_prefix);
  const std::string_view prefix = queue ? queue_prefix : stream_prefix;
  if (!text.starts_with(prefix) || text.size() == prefix.size()) {
    throw UsageError("a source is an ARN, queue:NAME or stream:NAME, not '" + text + "'");
  }
  const Home home = home_of(server, function);
  const std::string name = text.substr(prefix.size());
  return queue ? queue_arn_of(server, name, home) : stream_arn_of(server, name, home);
}

void read_start(const Arguments& arguments, wire::Mapping& mapping) {
  const auto start = parse_start(arguments.has("from") ? arguments.text("from") : "horizon");
  if (!start) throw UsageError("--from is horizon, latest or a time, not '" + arguments.text("from") + "'");
  switch (start->at) {
    case client::Start::At::trim_horizon:
      mapping.start = "TRIM_HORIZON";
      break;
    case client::Start::At::latest:
      mapping.start = "LATEST";
      break;
    case client::Start::At::timestamp:
      mapping.start = "AT_TIMESTAMP";
      mapping.start_timestamp = protocol::Timestamp{start->timestamp.time_since_epoch().count()};
      break;
  }
}

/// What the flags say; what goes with which source is the server's to judge.
wire::Mapping described(Server& server, const Arguments& arguments) {
  const std::string function = arguments.word(2);
  wire::Mapping mapping;
  mapping.source_arn = arn_of(server, arguments.word(1), function);
  mapping.function_name = function;
  mapping.batch_size = read_number(arguments, "batch-size", 1);
  mapping.window = read_number(arguments, "window", 0);
  mapping.parallelization = read_number(arguments, "parallelization", 1);
  mapping.retries = read_number(arguments, "retries", -1);
  mapping.age = read_number(arguments, "max-age", -1);
  mapping.tumbling = read_number(arguments, "tumbling", 0);
  if (const auto concurrency = read_number(arguments, "concurrency", 1)) {
    mapping.scaling = wire::ScalingConfig{*concurrency};
  }
  if (arguments.has("report-failures")) mapping.response_types = {"ReportBatchItemFailures"};
  if (arguments.has("bisect")) mapping.bisect = true;
  if (arguments.has("disabled")) mapping.enabled = false;
  if (arguments.has("filter")) {
    std::vector<wire::Filter> filters;
    for (std::string& pattern : arguments.texts("filter")) filters.push_back({std::move(pattern)});
    mapping.filters = wire::FilterCriteria{std::move(filters)};
  }
  if (arguments.has("on-failure")) {
    mapping.destinations =
        wire::DestinationConfig{wire::Destination{arn_of(server, arguments.text("on-failure"), function)}};
  }
  if (mapping.source_arn->find(":kinesis:") != std::string::npos || arguments.has("from")) {
    read_start(arguments, mapping);
  }
  return mapping;
}

int add(Server& server, const Arguments& arguments) {
  const std::string body = client::to_json(described(server, arguments));
  const auto made =
      client::from_json<wire::Mapping>(server.lambda({"POST", wire::mappings_path, body}, until_answered));
  if (arguments.json) {
    print_json(made);
  } else {
    Output output;
    output.write(made.uuid.value_or("") + "\n");
    output.flush();
  }
  return success_status;
}

int list(Server& server, const Arguments& arguments) {
  wire::MappingList all;
  all.mappings = all_mappings(server);
  if (arguments.json) {
    print_json(all);
    return success_status;
  }
  Table table({"UUID", "SOURCE", "FUNCTION", "STATE", "BATCH", "LAST RESULT"});
  for (const wire::Mapping& mapping : *all.mappings) {
    table.add({or_dash(mapping.uuid), or_dash(mapping.source_arn), or_dash(mapping.function_arn),
               or_dash(mapping.state), std::to_string(mapping.batch_size.value_or(0)), or_dash(mapping.last_result)});
  }
  table.print();
  return success_status;
}

int remove(Server& server, const Arguments& arguments, const std::string& uuid) {
  const client::Answer answer =
      server.lambda({"DELETE", wire::mappings_path + client::percent_encode(uuid), {}}, until_answered);
  if (arguments.json) print_json(client::from_json<wire::Mapping>(answer));
  return success_status;
}

}  // namespace

void describe_mapping(cxxopts::Options& flags) {
  const auto text = [] { return cxxopts::value<std::string>(); };
  const auto given = [] { return cxxopts::value<bool>(); };
  // clang-format off
  flags.add_options()
      ("batch-size", "messages or records that one event has at most (default: 10, of a stream 100)", text(), "N")
      ("window", "seconds that a batch waits to be full (default: 0)", text(), "S")
      ("filter", "a pattern of what the function is to see; may be given more than once",
       cxxopts::value<std::vector<std::string>>(), "PATTERN")
      ("report-failures", "the function says which of a batch failed, in batchItemFailures", given())
      ("concurrency", "of a queue: batches at a time, 2 and more", text(), "N")
      ("from", "of a stream: where to begin: horizon, latest or a time (default: horizon)", text(), "PLACE")
      ("parallelization", "of a stream: batches of one shard at a time (default: 1)", text(), "N")
      ("bisect", "of a stream: a batch that fails is halved", given())
      ("retries", "of a stream: how often a batch that fails is tried again; -1 is without end (default: -1)", text(), "N")
      ("max-age", "of a stream: seconds after which a record is given up; -1 is never (default: -1)", text(), "S")
      ("tumbling", "of a stream: seconds of a window over which the function aggregates", text(), "S")
      ("on-failure", "of a stream: the ARN of a queue, or queue:NAME, that is told what was given up", text(), "QUEUE")
      ("disabled", "do not begin yet", given());
  // clang-format on
}

int run_mapping(const Arguments& arguments) {
  const std::string action = arguments.word(0);
  const std::size_t words = arguments.words.size();
  const auto check = [&](std::size_t count, const char* question) {
    if (words < count) throw UsageError(question);
    if (words > count) throw UsageError("'" + arguments.words[count] + "' is one argument too many");
  };
  if (action == "add") {
    check(3, "which source (an ARN, queue:NAME or stream:NAME), and which function?");
    Server server(arguments);
    return add(server, arguments);
  }
  if (action == "list") {
    check(1, "");
    Server server(arguments);
    return list(server, arguments);
  }
  if (action != "remove") throw UsageError("add, list or remove, not '" + action + "'");
  check(2, "which mapping, by its UUID?");
  Server server(arguments);
  return remove(server, arguments, arguments.word(1));
}

}  // namespace penstock::cli
