// The way from a declaration to an answer, for a made-up operation of a service that speaks JSON and CBOR.
#include "protocol/operation.hpp"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "protocol/kinesis/constraints.hpp"
#include "protocol/kinesis/operations.hpp"
#include "protocol/support.hpp"
#include "protocol/validate.hpp"

namespace penstock::protocol::testing {
namespace {

struct PaintRequest {
  std::optional<std::string> stream_name;

  static constexpr auto shape() {
    return Shape("PaintRequest", required("StreamName", &PaintRequest::stream_name, kinesis::stream_name));
  }
};

struct PaintResult {
  std::optional<std::string> name;
  std::optional<Timestamp> at;

  static constexpr auto shape() {
    return Shape("PaintResult", required("Name", &PaintResult::name), required("At", &PaintResult::at));
  }
};

struct PaintOperation {
  static constexpr std::string_view name = "Paint";
  static constexpr std::array errors{ErrorCode::KinesisLimitExceeded};
  using Input = PaintRequest;
  using Output = PaintResult;
  struct Kept {
    std::string name;
    Instant now{};
  };
  static Asked to_command(Input& input, const Caller& caller, Kept& kept) {
    if (*input.stream_name == "dry") return Error{ErrorCode::KinesisLimitExceeded, "No paint."};
    kept = {*input.stream_name, caller.now};
    return LookupQueue{};
  }
  static Told<Output> to_output(Result&& result, Kept& kept) {
    if (!std::holds_alternative<Done>(result)) return unexpected_result();
    return Output{std::move(kept.name), Timestamp{to_epoch_ms(kept.now)}};
  }
};

struct RinseOperation {
  static constexpr std::string_view name = "Rinse";
  static constexpr std::array<ErrorCode, 0> errors{};
  using Input = Nothing;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input&, const Caller&, Kept&) { return LookupQueue{}; }
  static Told<Output> to_output(Result&& result, Kept&) { return nothing_if_done(result); }
};

struct ReadsInput {
  template <class Input>
  static Refusal read(const kinesis::Call& call, Input& input) {
    Refusal refusal = std::visit([&](const auto& source) { return read_members(source, input); }, call.source);
    return refusal ? refusal : validate(input);
  }
};

constexpr std::array table{operation_of<PaintOperation, kinesis::Call, ReadsInput>(),
                           operation_of<RinseOperation, kinesis::Call, ReadsInput>()};

WireResponse answer(std::string_view operation, Wire wire, const std::string& body, Result result = Done{}) {
  Caller caller;
  caller.now = from_epoch_ms(1'500);
  Reply reply{wire, std::string(request_id), Service::kinesis};
  Prepared prepared;
  {
    const std::string copy = body;
    kinesis::Call call{{}, caller, reply};
    if (wire == Wire::cbor) {
      call.source = std::get<CborSource>(parse_cbor(copy));
    } else {
      call.source = std::get<JsonSource>(parse_json(copy));
    }
    prepared = find_by_name(std::span<const kinesis::Operation>(table), operation)->prepare(call);
  }
  if (auto* refused = std::get_if<WireResponse>(&prepared)) return *refused;
  EXPECT_EQ(std::get<PreparedCall>(prepared).operation, operation);
  return std::get<PreparedCall>(prepared).respond(std::move(result));
}

std::string cbor_error(std::string_view type, std::string_view message) {
  CborSink sink;
  sink.open_map(2);
  sink.string({}, "__type");
  sink.string({}, type);
  sink.string({}, "message");
  sink.string({}, message);
  return sink.take();
}

const std::string paint_in_cbor = "\xA1\x6AStreamName\x64wall";

TEST(Operation, AnswersInTheWireOfTheRequest) {
  const WireResponse json = answer("Paint", Wire::json, R"({"StreamName":"wall"})");
  EXPECT_EQ(status_and_body(json), R"(200 {"Name":"wall","At":1.500})");
  EXPECT_EQ(json.content_type, "application/x-amz-json-1.1");
  const WireResponse cbor = answer("Paint", Wire::cbor, paint_in_cbor);
  EXPECT_EQ(status_and_body(cbor),
            "200 \xA2\x64Name\x64wall\x62"
            "At\xC1\x19\x05\xDC");
  EXPECT_EQ(cbor.content_type, "application/x-amz-cbor-1.1");
  EXPECT_EQ(header_of(cbor, "x-amzn-RequestId"), request_id);
}

TEST(Operation, WithoutOutputTheBodyIsEmpty) {
  EXPECT_EQ(status_and_body(answer("Rinse", Wire::json, "{}")), "200 ");
  EXPECT_EQ(status_and_body(answer("Rinse", Wire::cbor, "")), "200 ");
}

TEST(Operation, ErrorsHaveNoNamespace) {
  const std::string invalid =
      "1 validation error detected: Value null at 'streamName' failed to satisfy constraint: Member must not be null";
  EXPECT_EQ(status_and_body(answer("Paint", Wire::json, "{}")), json_error(400, "ValidationException", invalid));
  EXPECT_EQ(answer("Paint", Wire::cbor, "\xA0").body, cbor_error("ValidationException", invalid));
  EXPECT_EQ(answer("Paint", Wire::cbor, "\xA1\x6AStreamName\x01").body,
            cbor_error("SerializationException", "NUMBER_VALUE can not be converted to a String"));
  EXPECT_EQ(status_and_body(answer("Paint", Wire::json, R"({"StreamName":"dry"})")),
            json_error(400, "LimitExceededException", "No paint."));
  EXPECT_EQ(status_and_body(
                answer("Paint", Wire::json, R"({"StreamName":"wall"})", Error{ErrorCode::KinesisInternalFailure, {}})),
            json_error(500, "InternalFailureException", "Internal Service Failure"));
}

TEST(Operation, IsFoundByItsName) {
  const std::span<const kinesis::Operation> all(table);
  EXPECT_EQ(find_by_name(all, "Rinse"), &table[1]);
  EXPECT_EQ(find_by_name(all, "Scrub"), nullptr);
  EXPECT_EQ(find_by_name(all, ""), nullptr);
  EXPECT_EQ(table[0].input->members.size(), 1U);
  EXPECT_EQ(table[1].output->members.size(), 0U);
}

}  // namespace
}  // namespace penstock::protocol::testing
