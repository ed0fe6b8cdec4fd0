// What the API model says of the members that occur in many operations: one constant for each shape of the model that
// has constraints, under its name there, to be given to optional() and required().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/pattern.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::kinesis {

namespace patterns {

inline constexpr Pattern name{"[a-zA-Z0-9_.-]+"};
inline constexpr Pattern hash_key{R"(0|([1-9]\d{0,38}))"};
inline constexpr Pattern sequence_number{R"(0|([1-9]\d{0,128}))"};
inline constexpr Pattern stream_arn{R"(arn:aws.*:kinesis:.*:\d{12}:stream/\S+)"};
inline constexpr Pattern resource_arn{R"(arn:aws.*:kinesis:.*:\d{12}:.*stream/\S+)"};
inline constexpr Pattern consumer_arn{
    R"(^(arn):aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+)"};
inline constexpr Pattern stream_id{"[a-z0-9]{20}-[a-z0-9]{3}"};

}  // namespace patterns

namespace values {

inline constexpr std::array<std::string_view, 2> encryption_type{"NONE", "KMS"};
inline constexpr std::array<std::string_view, 8> metrics_name{"IncomingBytes",
                                                              "IncomingRecords",
                                                              "OutgoingBytes",
                                                              "OutgoingRecords",
                                                              "WriteProvisionedThroughputExceeded",
                                                              "ReadProvisionedThroughputExceeded",
                                                              "IteratorAgeMilliseconds",
                                                              "ALL"};
inline constexpr std::array<std::string_view, 2> commitment_status{"ENABLED", "DISABLED"};
inline constexpr std::array<std::string_view, 1> scaling_type{"UNIFORM_SCALING"};
inline constexpr std::array<std::string_view, 6> shard_filter_type{
    "AFTER_SHARD_ID", "AT_TRIM_HORIZON", "FROM_TRIM_HORIZON", "AT_LATEST", "AT_TIMESTAMP", "FROM_TIMESTAMP"};
inline constexpr std::array<std::string_view, 5> shard_iterator_type{"AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER",
                                                                     "TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"};
inline constexpr std::array<std::string_view, 2> stream_mode{"PROVISIONED", "ON_DEMAND"};

}  // namespace values

namespace detail {

inline constexpr std::size_t arn_chars_max = 2048;
inline constexpr Constraints metrics_name{.allowed = values::metrics_name};
inline constexpr Constraints shard_id{.length = Length{1, 128}, .pattern = &patterns::name};
inline constexpr Constraints tag_key{.length = Length{1, 128}};
inline constexpr Constraints tag_value{.length = Length{0, 256}};

constexpr MemberOptions chars(std::size_t min, std::size_t max, const Pattern* pattern = nullptr) {
  return {.constraints = {.length = Length{min, max}, .pattern = pattern}};
}
constexpr MemberOptions from_to(std::int64_t min, std::int64_t max) {
  return {.constraints = {.range = Range{min, max}}};
}
constexpr MemberOptions one_of(std::span<const std::string_view> allowed) {
  return {.constraints = {.allowed = allowed}};
}

}  // namespace detail

// Strings.
inline constexpr MemberOptions stream_name = detail::chars(1, 128, &patterns::name);
inline constexpr MemberOptions stream_arn = detail::chars(1, detail::arn_chars_max, &patterns::stream_arn);
inline constexpr MemberOptions stream_id = detail::chars(1, 24, &patterns::stream_id);
inline constexpr MemberOptions resource_arn = detail::chars(1, detail::arn_chars_max, &patterns::resource_arn);
inline constexpr MemberOptions consumer_arn = detail::chars(1, detail::arn_chars_max, &patterns::consumer_arn);
inline constexpr MemberOptions consumer_name = detail::chars(1, 128, &patterns::name);
inline constexpr MemberOptions shard_id{.constraints = detail::shard_id};
inline constexpr MemberOptions shard_iterator = detail::chars(1, 512);
inline constexpr MemberOptions next_token = detail::chars(1, 1'048'576);
inline constexpr MemberOptions partition_key = detail::chars(1, 256);
inline constexpr MemberOptions hash_key{.constraints = {.pattern = &patterns::hash_key}};
inline constexpr MemberOptions sequence_number{.constraints = {.pattern = &patterns::sequence_number}};
inline constexpr MemberOptions key_id = detail::chars(1, 2048);
inline constexpr MemberOptions tag_key{.constraints = detail::tag_key};
inline constexpr MemberOptions tag_value{.constraints = detail::tag_value};

// Strings with the values that they may have.
inline constexpr MemberOptions encryption_type = detail::one_of(values::encryption_type);
inline constexpr MemberOptions commitment_status = detail::one_of(values::commitment_status);
inline constexpr MemberOptions scaling_type = detail::one_of(values::scaling_type);
inline constexpr MemberOptions shard_filter_type = detail::one_of(values::shard_filter_type);
inline constexpr MemberOptions shard_iterator_type = detail::one_of(values::shard_iterator_type);
inline constexpr MemberOptions stream_mode = detail::one_of(values::stream_mode);

// Numbers.
inline constexpr MemberOptions page_limit = detail::from_to(1, 10'000);
inline constexpr MemberOptions tags_limit = detail::from_to(1, 50);
inline constexpr MemberOptions positive_integer = detail::from_to(1, Range::unbounded);
inline constexpr MemberOptions natural_integer = detail::from_to(0, Range::unbounded);
inline constexpr MemberOptions max_record_size_kib = detail::from_to(1'024, 10'240);

// Blobs, lists and maps.
inline constexpr MemberOptions data{.constraints = {.length = Length{0, 10'485'760}}};
inline constexpr MemberOptions put_records_entries{.constraints = {.length = Length{1, 500}}};
inline constexpr MemberOptions metrics_names{.constraints = {.length = Length{1, 7}, .element = &detail::metrics_name}};
inline constexpr MemberOptions shard_ids{.constraints = {.element = &detail::shard_id}};
inline constexpr MemberOptions tag_keys{.constraints = {.length = Length{1, 50}, .element = &detail::tag_key}};
inline constexpr MemberOptions tag_list{.constraints = {.length = Length{0, 200}}};
inline constexpr MemberOptions tag_map{
    .constraints = {.length = Length{1, 200}, .element = &detail::tag_value, .key = &detail::tag_key}};

}  // namespace penstock::protocol::kinesis
