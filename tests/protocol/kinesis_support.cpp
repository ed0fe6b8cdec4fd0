#include "protocol/kinesis_support.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cmath>
#include <memory>

#include "protocol/base64.hpp"

namespace penstock::protocol::testing {
namespace {

// ---- CBOR from JSON, in the forms that the SDKs send.

void append_head(std::string& out, unsigned major, std::uint64_t number) {
  if (number < 24) {
    out.push_back(static_cast<char>(major << 5U | number));
    return;
  }
  unsigned bytes = 1;
  unsigned info = 24;
  for (; bytes < 8 && (number >> (8 * bytes)) != 0; bytes *= 2) ++info;
  out.push_back(static_cast<char>(major << 5U | info));
  while (bytes-- > 0) out.push_back(static_cast<char>(number >> (8 * bytes)));
}

void append_text(std::string& out, unsigned major, std::string_view text) {
  append_head(out, major, text.size());
  out.append(text);
}

void append_value(std::string& out, std::string_view member, simdjson::dom::element value) {
  using simdjson::dom::element_type;
  switch (value.type()) {
    case element_type::OBJECT: {
      const simdjson::dom::object object(value);
      append_head(out, 5, object.size());
      for (const auto [key, inner] : object) {
        append_text(out, 3, key);
        append_value(out, key, inner);
      }
      return;
    }
    case element_type::ARRAY: {
      const simdjson::dom::array array(value);
      append_head(out, 4, array.size());
      for (const auto inner : array) append_value(out, member, inner);
      return;
    }
    case element_type::STRING: {
      const std::string_view text(value);
      const auto bytes = member == "Data" ? base64_decode(text) : std::nullopt;
      if (bytes) return append_text(out, 2, *bytes);
      return append_text(out, 3, text);
    }
    case element_type::BOOL:
      out.push_back(bool(value) ? '\xf5' : '\xf4');
      return;
    case element_type::NULL_VALUE:
      out.push_back('\xf6');
      return;
    default: {
      double number = 0;
      if (value.get_double().get(number) != simdjson::SUCCESS) number = 0;
      if (member.ends_with("Timestamp")) {
        append_head(out, 6, 1);
        number *= 1000;
      }
      const auto whole = static_cast<std::int64_t>(std::llround(number));
      append_head(out, whole < 0 ? 1 : 0, static_cast<std::uint64_t>(whole < 0 ? -1 - whole : whole));
    }
  }
}

// ---- JSON from CBOR of definite lengths.

class CborReader {
 public:
  explicit CborReader(std::string_view bytes) : rest_(bytes) {}

  std::string value() {
    const auto first = static_cast<std::uint8_t>(take(1).front());
    const std::uint64_t number = argument(first & 31U);
    switch (first >> 5U) {
      case 0:
        return std::to_string(number);
      case 1:
        return "-" + std::to_string(number + 1);
      case 2:
        return '"' + base64_encode(take(number)) + '"';
      case 3:
        return quoted(take(number));
      case 4:
        return items('[', ']', number, false);
      case 5:
        return items('{', '}', number, true);
      case 6:
        return moment(value());
      default:
        return first == 0xf5 ? "true" : first == 0xf4 ? "false" : "null";
    }
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view take(std::size_t size) {
    EXPECT_LE(size, rest_.size());
    const std::string_view part = rest_.substr(0, size);
    rest_.remove_prefix(part.size());
    return part.size() == size && size > 0 ? part : std::string_view("\0", 1).substr(0, size > 0 ? 1 : 0);
  }
  std::uint64_t argument(unsigned info) {
    if (info < 24) return info;
    std::uint64_t number = 0;
    for (const char c : take(std::size_t{1} << (info - 24))) number = number << 8U | static_cast<std::uint8_t>(c);
    return number;
  }
  static std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
    return out + '"';
  }
  std::string items(char open, char close, std::uint64_t count, bool keyed) {
    std::string out(1, open);
    for (std::uint64_t i = 0; i < count; ++i) {
      if (i > 0) out.push_back(',');
      if (keyed) out += value() + ':';
      out += value();
    }
    return out + close;
  }
  /// Milliseconds, as JSON has them: seconds with a fraction.
  static std::string moment(std::string ms) {
    EXPECT_GT(ms.size(), 3U) << "no test has a moment so early";
    const std::string fraction = ms.substr(ms.size() - 3);
    ms.resize(ms.size() - 3);
    return fraction == "000" ? ms : ms + "." + fraction;
  }

  std::string_view rest_;
};

// ---- Commands as text.

std::string to_text(const StreamName& stream) { return stream.account + "/" + stream.region + "/" + stream.name; }

std::string to_text(const std::map<std::string, std::string>& map) {
  std::string text = "{";
  for (const auto& [key, value] : map) text.append(text.size() > 1 ? ", " : "").append(key).append("=").append(value);
  return text + "}";
}

std::string to_text(Instant at) { return std::to_string(to_epoch_ms(at)); }

template <class Value>
std::string to_text(std::string_view name, const std::optional<Value>& value) {
  if (!value) return {};
  std::string text = " ";
  text.append(name).append("=");
  if constexpr (std::is_same_v<Value, Instant>) {
    return text + to_text(*value);
  } else if constexpr (std::is_same_v<Value, std::string>) {
    return text + *value;
  } else if constexpr (std::is_same_v<Value, StreamId>) {
    return text + format_stream_id(*value);
  } else {
    return text + std::to_string(*value);
  }
}

std::string to_text(const StartingPosition& start) {
  return " type=" + std::to_string(static_cast<int>(start.type)) + to_text("number", start.sequence_number) +
         to_text("at", start.timestamp);
}

std::string limited(std::string_view after, std::size_t limit) {
  return (after.empty() ? "" : " after=" + std::string(after)) + " limit=" + std::to_string(limit);
}

std::string to_text(const std::vector<std::string>& list) {
  std::string text = "[";
  for (const std::string& element : list) text += (text.size() > 1 ? ", " : "") + element;
  return text + "]";
}

std::string to_text(const std::optional<ConsumerRef>& consumer) {
  return consumer ? " consumer=" + consumer->name + ":" + std::to_string(consumer->created_s) : "";
}

std::string to_text(const GroupHold& hold) {
  return " hold=" + hold.group + ":" + std::to_string(hold.epoch) + (hold.commits ? " commits at " : " at ") +
         std::to_string(hold.at_s);
}

struct StreamCommandText {
  std::string operator()(const CreateStream& c) const {
    return std::string("CreateStream") + (c.on_demand ? " on demand" : "") + to_text("shards", c.shard_count) + " " +
           to_text(c.tags) + to_text("warm", c.warm_mibps) + to_text("kib", c.record_kib_max);
  }
  std::string operator()(const DeleteStream& c) const {
    return std::string("DeleteStream") + (c.with_consumers ? " with consumers" : "");
  }
  std::string operator()(const DescribeAccount&) const { return "DescribeAccount"; }
  std::string operator()(const UpdateAccount& c) const {
    return std::string("UpdateAccount ") + (c.commitment_enabled ? "enabled" : "disabled");
  }
  std::string operator()(const TagStream& c) const { return "TagStream" + to_text(c.consumer) + " " + to_text(c.tags); }
  std::string operator()(const UntagStream& c) const {
    return "UntagStream" + to_text(c.consumer) + " " + to_text(c.keys);
  }
  std::string operator()(const ListStreamTags& c) const {
    return "ListStreamTags" + to_text(c.consumer) + limited(c.after, c.limit);
  }
  std::string operator()(const PutStreamPolicy& c) const {
    return "PutStreamPolicy" + to_text(c.consumer) + " " + c.policy;
  }
  std::string operator()(const GetStreamPolicy& c) const { return "GetStreamPolicy" + to_text(c.consumer); }
  std::string operator()(const DeleteStreamPolicy& c) const { return "DeleteStreamPolicy" + to_text(c.consumer); }
  std::string operator()(const UpdateRetention& c) const {
    return std::string(c.increase ? "Increase" : "Decrease") + "Retention " + std::to_string(c.hours);
  }
  std::string operator()(const UpdateEncryption& c) const {
    return std::string(c.start ? "Start" : "Stop") + "Encryption " + c.key_id;
  }
  std::string operator()(const UpdateMonitoring& c) const {
    return std::string(c.enable ? "Enable" : "Disable") + "Monitoring " + to_text(c.metrics);
  }
  std::string operator()(const UpdateStreamMode& c) const {
    return std::string("UpdateStreamMode") + (c.on_demand ? " on demand" : " provisioned") +
           to_text("warm", c.warm_mibps);
  }
  std::string operator()(const UpdateWarmThroughput& c) const {
    return "UpdateWarmThroughput " + std::to_string(c.mibps);
  }
  std::string operator()(const UpdateMaxRecordSize& c) const {
    return "UpdateMaxRecordSize " + std::to_string(c.record_kib_max);
  }
  std::string operator()(const SplitShard& c) const {
    return "SplitShard " + c.shard_id + " at " + c.new_starting_hash_key;
  }
  std::string operator()(const MergeShards& c) const {
    return "MergeShards " + c.shard_id + " and " + c.adjacent_shard_id;
  }
  std::string operator()(const UpdateShardCount& c) const { return "UpdateShardCount " + std::to_string(c.target); }
  std::string operator()(const PutRecords& c) const {
    std::string text = c.single ? "PutRecord" : "PutRecords";
    for (const PutEntry& entry : c.entries) {
      text += " (" + entry.partition_key + "=" + entry.data + " to " + format_hash_key(entry.hash) + ")";
    }
    return text + (c.ordering.empty() ? "" : " ordering=" + c.ordering);
  }
  std::string operator()(const GetShardIterator& c) const {
    const std::string reader = c.reader ? " reader=" + c.reader->group + "/" + c.reader->member : "";
    return "GetShardIterator " + c.shard_id + to_text(c.start) + reader;
  }
  std::string operator()(const GetRecords& c) const {
    return "GetRecords id=" + format_stream_id(c.id) + " shard=" + std::to_string(c.shard.value) +
           " from=" + std::to_string(c.from.value) + " not_before=" + to_text(c.not_before) +
           " max=" + std::to_string(c.count_max) + (c.hold ? to_text(*c.hold) : "");
  }
  std::string operator()(const DescribeStream& c) const {
    return "DescribeStream" + limited(c.after_shard_id, c.limit);
  }
  std::string operator()(const DescribeStreamSummary&) const { return "DescribeStreamSummary"; }
  std::string operator()(const DescribeLimits&) const { return "DescribeLimits"; }
  std::string operator()(const FindStream& c) const { return "FindStream " + format_stream_id(c.id); }
  std::string operator()(const ListStreams& c) const { return "ListStreams" + limited(c.after, c.limit); }
  std::string operator()(const ListShards& c) const {
    std::string text = "ListShards" + to_text("id", c.id);
    if (c.filter) {
      text += " filter=" + std::to_string(static_cast<int>(c.filter->type)) + " " + c.filter->shard_id +
              to_text("at", c.filter->timestamp);
    }
    return text + limited(c.after_shard_id, c.limit) + to_text("created", c.created);
  }
  std::string operator()(const RegisterConsumer& c) const {
    return "RegisterConsumer " + c.name + " " + to_text(c.tags);
  }
  std::string operator()(const DeregisterConsumer& c) const {
    return "DeregisterConsumer " + c.name + to_text("created", c.created_s);
  }
  std::string operator()(const DescribeConsumer& c) const {
    return "DescribeConsumer " + c.name + to_text("created", c.created_s);
  }
  std::string operator()(const ListConsumers& c) const {
    return "ListConsumers" + to_text("id", c.id) + limited(c.after, c.limit) + to_text("created", c.created);
  }
  std::string operator()(const SubscribeToShard& c) const {
    return "SubscribeToShard " + c.consumer.name + ":" + std::to_string(c.consumer.created_s) + " " + c.shard_id +
           to_text(c.start);
  }
  template <class Other>
  std::string operator()(const Other&) const {
    return "a command that no request should become";
  }
};

std::string readable(const Request& request, WireResponse response) {
  const bool cbor = response.content_type == "application/x-amz-cbor-1.1";
  EXPECT_EQ(response.content_type, cbor ? "application/x-amz-cbor-1.1" : "application/x-amz-json-1.1");
  bool asked_cbor = false;
  for (const auto& [name, value] : request.headers) asked_cbor = asked_cbor || value == "application/x-amz-cbor-1.1";
  EXPECT_EQ(cbor, asked_cbor);
  EXPECT_EQ(header_of(response, "x-amzn-query-error"), "") << "which only SQS has";
  EXPECT_EQ(header_of(response, "x-amzn-RequestId"), request_id);
  if (cbor && !response.body.empty()) response.body = json_of(response.body);
  return status_and_body(response);
}

}  // namespace

const StreamName& stream_name() {
  static const StreamName name{"000000000000", "us-east-1", "s"};
  return name;
}

std::string with_names(std::string text) {
  const std::pair<std::string, std::string> names[] = {{"$ARN", std::string(stream_arn)},
                                                       {"$CONSUMER", std::string(consumer_arn)},
                                                       {"$ID", format_stream_id(stream_id)}};
  for (const auto& [name, value] : names) {
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + value.size())) {
      text.replace(at, name.size(), value);
    }
  }
  return text;
}

Request kinesis_request(std::string_view operation, std::string_view json, Codec codec) {
  Request request;
  request.body = with_names(std::string(json));
  if (codec == Codec::cbor) request.body = cbor_of(request.body);
  return request
      .with("Content-Type", codec == Codec::cbor ? "application/x-amz-cbor-1.1" : "application/x-amz-json-1.1")
      .with("X-Amz-Target", "Kinesis_20131202." + std::string(operation));
}

std::string cbor_of(std::string_view json) {
  simdjson::dom::parser parser;
  std::string out;
  simdjson::dom::element root;
  const simdjson::padded_string padded(json);
  if (parser.parse(padded).get(root) != simdjson::SUCCESS) {
    ADD_FAILURE() << "no JSON: " << json;
    return out;
  }
  append_value(out, {}, root);
  return out;
}

std::string json_of(std::string_view cbor) {
  CborReader reader(cbor);
  std::string json = reader.value();
  EXPECT_TRUE(reader.at_end());
  return json;
}

Prepared prepare_at(const Request& request, Instant now) {
  const auto copy = std::make_unique<Request>(request);
  std::vector<Header> headers;
  for (const auto& [name, value] : copy->headers) headers.push_back({name, value});
  const std::string id(request_id);
  WireRequest wire{copy->method, copy->target, headers, copy->body, id};
  wire.now = now;
  return prepare(wire, {});
}

std::string kinesis_text(const Command& command) {
  const auto* of_stream = std::get_if<StreamCommand>(&command);
  if (of_stream == nullptr) return "no command of a stream";
  const StreamName& stream = stream_of(*of_stream);
  return to_text(stream) + " " + std::visit(StreamCommandText{}, *of_stream);
}

std::string kinesis_asked(const Request& request, Instant now) {
  Prepared prepared = prepare_at(request, now);
  if (auto* response = std::get_if<WireResponse>(&prepared)) return "refused: " + readable(request, *response);
  const auto& call = std::get<PreparedCall>(prepared);
  std::string text;
  for (const Precondition& precondition : call.before) text += kinesis_text(precondition.command) + "; ";
  text += kinesis_text(call.command);
  if (call.stream_id) text += " of " + format_stream_id(*call.stream_id);
  return text;
}

std::string kinesis_answer(const Request& request, Result result, Instant now) {
  Prepared prepared = prepare_at(request, now);
  if (const auto* response = std::get_if<WireResponse>(&prepared)) return "refused: " + readable(request, *response);
  return readable(request, std::get<PreparedCall>(prepared).respond(std::move(result)));
}

std::string kinesis_refusal(const Request& request, Instant now) {
  Prepared prepared = prepare_at(request, now);
  if (const auto* call = std::get_if<PreparedCall>(&prepared)) return "accepted: " + kinesis_text(call->command);
  return readable(request, std::get<WireResponse>(std::move(prepared)));
}

std::string kinesis_error(std::string_view type, std::string_view message, int status) {
  return json_error(status, type, message);
}

std::string invalid_argument_error(std::string_view message) {
  return kinesis_error("InvalidArgumentException", message);
}

StreamInfo stream_info() {
  StreamInfo info;
  info.id = stream_id;
  info.name = stream_name();
  info.status = StreamStatus::active;
  info.created = from_epoch_ms(1'421'889'600'789);
  info.retention_hours = 48;
  return info;
}

std::vector<ShardRecord> shard_records() {
  const HashKey half{UINT64_MAX >> 1U, UINT64_MAX};
  ShardRecord first{ShardIndex{0}, {}, hash_key_max, {}, {}, {}, 1'421'889'600, from_epoch_ms(1'421'889'650'000),
                    1'421'889'650};
  ShardRecord second{ShardIndex{1}, {}, half, ShardIndex{0}, {}, {}, 1'421'889'651, {}, 0};
  return {first, second};
}

StreamConsumer stream_consumer() {
  StreamConsumer consumer;
  consumer.name = "c";
  consumer.created = from_epoch_ms(1'421'889'700'456);
  consumer.status = StreamStatus::creating;
  return consumer;
}

RecordsPage records_page() {
  RecordsPage page;
  page.stream = stream_name();
  page.id = stream_id;
  page.created_s = 1'421'889'600;
  page.from = RecordIndex{1};
  page.until = RecordIndex{3};
  page.now = kinesis_now;
  page.records = {{RecordIndex{1}, {"k1", "one", from_epoch_ms(1'421'889'610'500), false}},
                  {RecordIndex{2}, {"k2", std::string("\0\xff", 2), from_epoch_ms(1'421'889'611'000), true}}};
  page.next = RecordIndex{3};
  return page;
}

}  // namespace penstock::protocol::testing
