// What the API model says of the members of Lambda's operations: one constant for each shape of the model that has
// constraints, under its name there, to be given to optional() and required().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/lambda/filters.hpp"
#include "protocol/lambda/names.hpp"
#include "protocol/pattern.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::lambda {

namespace patterns {

inline constexpr Pattern function_name{
    R"((arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?)",
    &is_function_reference};
inline constexpr Pattern namespaced_function_name{
    R"((arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?)",
    &is_namespaced_reference};
inline constexpr Pattern qualifier{R"(\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+)", &is_qualifier};
inline constexpr Pattern role{R"(arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+)",
                              [](std::string_view text) {
                                constexpr Pattern simple{R"(arn:aws[a-zA-Z-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@/-]+)"};
                                return simple.matches(text);
                              }};
inline constexpr Pattern handler{R"([^\s]+)", [](std::string_view text) {
                                   constexpr Pattern simple{R"(\S+)"};
                                   return simple.matches(text);
                                 }};
inline constexpr Pattern key_or_resource{R"((arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|())", [](std::string_view text) {
                                           constexpr Pattern simple{R"(arn:aws[a-zA-Z-]*:[a-z0-9.-]+:.*)"};
                                           return text.empty() || simple.matches(text);
                                         }};
inline constexpr Pattern variable_name{R"([a-zA-Z]([a-zA-Z0-9_])+)", [](std::string_view text) {
                                         constexpr Pattern simple{R"([a-zA-Z][a-zA-Z0-9_]+)"};
                                         return simple.matches(text);
                                       }};
inline constexpr Pattern log_group{R"([\.\-_/#A-Za-z0-9]+)", [](std::string_view text) {
                                     constexpr Pattern simple{R"([._/#A-Za-z0-9-]+)"};
                                     return simple.matches(text);
                                   }};
inline constexpr Pattern arn{
    R"(arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:([a-z]{2}(-gov)?-[a-z]+-\d{1})?:(\d{12})?:(.*))", &is_arn};
inline constexpr Pattern destination{
    R"($|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*))",
    &is_destination};
inline constexpr Pattern taggable{
    R"(arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+))",
    &is_taggable};
inline constexpr Pattern filter{".*"};

}  // namespace patterns

namespace values {

inline constexpr std::array<std::string_view, 2> architecture{"x86_64", "arm64"};
inline constexpr std::array<std::string_view, 2> package_type{"Zip", "Image"};
inline constexpr std::array<std::string_view, 2> tracing_mode{"Active", "PassThrough"};
inline constexpr std::array<std::string_view, 2> snap_start{"PublishedVersions", "None"};
inline constexpr std::array<std::string_view, 2> log_format{"JSON", "Text"};
inline constexpr std::array<std::string_view, 3> invocation_type{"Event", "RequestResponse", "DryRun"};
inline constexpr std::array<std::string_view, 2> log_type{"None", "Tail"};
inline constexpr std::array<std::string_view, 1> function_version{"ALL"};
inline constexpr std::array<std::string_view, 3> starting_position{"TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"};
inline constexpr std::array<std::string_view, 1> response_type{"ReportBatchItemFailures"};
inline constexpr std::array<std::string_view, 3> metric{"EventCount", "ErrorCount", "KafkaMetrics"};

}  // namespace values

namespace detail {

inline constexpr Constraints variable_name{.pattern = &patterns::variable_name};
inline constexpr Constraints one_architecture{.allowed = values::architecture};
inline constexpr Constraints one_response_type{.allowed = values::response_type};
inline constexpr Constraints one_metric{.allowed = values::metric};

constexpr MemberOptions chars(std::size_t min, std::size_t max, const Pattern* pattern = nullptr) {
  return {.constraints = {.length = Length{min, max}, .pattern = pattern}};
}
constexpr MemberOptions like(const Pattern& pattern) { return {.constraints = {.pattern = &pattern}}; }
constexpr MemberOptions from_to(std::int64_t min, std::int64_t max) {
  return {.constraints = {.range = Range{min, max}}};
}
constexpr MemberOptions one_of(std::span<const std::string_view> allowed) {
  return {.constraints = {.allowed = allowed}};
}

}  // namespace detail

constexpr MemberOptions in_path(MemberOptions options = {}) {
  options.place = Place::path;
  return options;
}
constexpr MemberOptions in_query(MemberOptions options = {}) {
  options.place = Place::query;
  return options;
}
/// `name` is the member's, where the service says what is wrong with it.
constexpr MemberOptions in_header(std::string_view name, MemberOptions options = {}) {
  options.place = Place::header;
  options.query = name;
  return options;
}
inline constexpr MemberOptions in_payload{.place = Place::payload};
inline constexpr MemberOptions in_status{.place = Place::status};

/// Under these names because those of the members stand beside them.
namespace rules {

// Strings.
inline constexpr MemberOptions function_name = detail::chars(1, 140, &patterns::function_name);
inline constexpr MemberOptions any_function_name = detail::chars(1, 256, &patterns::namespaced_function_name);
inline constexpr MemberOptions qualifier = detail::chars(1, 128, &patterns::qualifier);
inline constexpr MemberOptions role = detail::like(patterns::role);
inline constexpr MemberOptions handler = detail::chars(0, 128, &patterns::handler);
inline constexpr MemberOptions description = detail::chars(0, 256);
inline constexpr MemberOptions key_arn = detail::like(patterns::key_or_resource);
inline constexpr MemberOptions resource_arn = detail::like(patterns::key_or_resource);
inline constexpr MemberOptions log_group = detail::chars(1, 512, &patterns::log_group);
inline constexpr MemberOptions arn = detail::like(patterns::arn);
inline constexpr MemberOptions destination = detail::chars(0, 350, &patterns::destination);
inline constexpr MemberOptions taggable = detail::chars(1, 256, &patterns::taggable);
inline constexpr MemberOptions filter_pattern = detail::chars(0, pattern_chars_max, &patterns::filter);

// Strings with the values that they may have.
inline constexpr MemberOptions package_type = detail::one_of(values::package_type);
inline constexpr MemberOptions tracing_mode = detail::one_of(values::tracing_mode);
inline constexpr MemberOptions snap_start = detail::one_of(values::snap_start);
inline constexpr MemberOptions log_format = detail::one_of(values::log_format);
inline constexpr MemberOptions invocation_type = detail::one_of(values::invocation_type);
inline constexpr MemberOptions log_type = detail::one_of(values::log_type);
inline constexpr MemberOptions function_version = detail::one_of(values::function_version);
inline constexpr MemberOptions starting_position = detail::one_of(values::starting_position);

// Numbers. The model leaves out that a function ends after 900 seconds, and has memory for functions of another kind.
inline constexpr MemberOptions timeout = detail::from_to(1, 900);
inline constexpr MemberOptions memory_size = detail::from_to(128, 10'240);
inline constexpr MemberOptions ephemeral_storage = detail::from_to(512, 10'240);
inline constexpr MemberOptions max_list_items = detail::from_to(1, 10'000);
inline constexpr MemberOptions max_config_items = detail::from_to(1, 50);
inline constexpr MemberOptions reserved_concurrency = detail::from_to(0, Range::unbounded);
inline constexpr MemberOptions async_retries = detail::from_to(0, 2);
inline constexpr MemberOptions async_age = detail::from_to(60, 21'600);
inline constexpr MemberOptions batch_size = detail::from_to(1, 10'000);
inline constexpr MemberOptions batching_window = detail::from_to(0, 300);
inline constexpr MemberOptions parallelization = detail::from_to(1, 10);
inline constexpr MemberOptions record_age = detail::from_to(-1, 604'800);
inline constexpr MemberOptions mapping_retries = detail::from_to(-1, 10'000);
inline constexpr MemberOptions tumbling_window = detail::from_to(0, 900);
inline constexpr MemberOptions maximum_concurrency = detail::from_to(2, 1'000);

// Lists and maps.
inline constexpr MemberOptions architectures{
    .constraints = {.length = Length{1, 1}, .element = &detail::one_architecture}};
inline constexpr MemberOptions variables{.constraints = {.key = &detail::variable_name}};
inline constexpr MemberOptions response_types{
    .constraints = {.length = Length{0, 1}, .element = &detail::one_response_type}};
inline constexpr MemberOptions metrics{.constraints = {.length = Length{0, 3}, .element = &detail::one_metric}};

}  // namespace rules

}  // namespace penstock::protocol::lambda
