// What the tests of Kinesis share: each request in JSON and, made from that, in CBOR; streams and pages to answer with.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/commands.hpp"
#include "penstock/stream_names.hpp"
#include "protocol/support.hpp"

namespace penstock::protocol::testing {

/// When every request of these tests arrives: Thu Jan 22 01:22:02.345 UTC 2015.
inline constexpr Instant kinesis_now = from_epoch_ms(1'421'889'722'345);

inline constexpr std::string_view stream_arn = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
inline constexpr std::string_view consumer_arn =
    "arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/c:1421889700";
inline constexpr StreamId stream_id{0x0123'4567'89ab'cdefULL};

const StreamName& stream_name();

/// "$ARN", "$CONSUMER" and "$ID" in a text stand for those above.
std::string with_names(std::string text);

enum class Codec : std::uint8_t { json, cbor };

/// In CBOR the body is cbor_of(json).
Request kinesis_request(std::string_view operation, std::string_view json, Codec codec = Codec::json);

/// CBOR that says the same as a text in JSON: members called Data are bytes, those whose names end with Timestamp are
/// moments. Written for the tests alone, so that nothing is compared with itself.
std::string cbor_of(std::string_view json);
/// The reverse, without white space.
std::string json_of(std::string_view cbor);

/// The same as support.hpp's, at `now`.
Prepared prepare_at(const Request& request, Instant now = kinesis_now);
/// What is asked before a command, the command, and how its stream is named, as text.
std::string kinesis_asked(const Request& request, Instant now = kinesis_now);
std::string kinesis_text(const Command& command);
/// Status and body of an answer, the body in JSON whatever the codec.
std::string kinesis_answer(const Request& request, Result result, Instant now = kinesis_now);
/// The same where the request is refused.
std::string kinesis_refusal(const Request& request, Instant now = kinesis_now);
/// "400 {"__type":"InvalidArgumentException","message":"..."}"
std::string kinesis_error(std::string_view type, std::string_view message, int status = 400);
std::string invalid_argument_error(std::string_view message);

/// One request, and what becomes of it in both codecs.
struct KinesisCase {
  std::string name;  ///< the operation's, with what is special about the case behind a slash
  std::string json;
  std::string asked;
  std::function<Result()> result;
  std::string answer;  ///< in JSON; "" for no body

  std::string operation() const { return name.substr(0, name.find('/')); }
  friend void PrintTo(const KinesisCase& golden, std::ostream* out) { *out << golden.name; }
};

/// Of the operations that create, set, tag and reshape streams: kinesis_settings_test.cpp has them.
std::vector<KinesisCase> kinesis_settings_cases();

StreamInfo stream_info();
/// Two shards, of which the first was split into the second and a third.
std::vector<ShardRecord> shard_records();
StreamConsumer stream_consumer();
/// Two records of shard 0, from its start on.
RecordsPage records_page();

}  // namespace penstock::protocol::testing
