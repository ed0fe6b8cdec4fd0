// What values of Penstock's own API have to be like, to be given to optional() and required().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "penstock/functions.hpp"
#include "penstock/limits.hpp"
#include "penstock/time.hpp"
#include "protocol/kinesis/constraints.hpp"
#include "protocol/pattern.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::native {

constexpr std::string_view name_of(FunctionKind kind) {
  switch (kind) {
    case FunctionKind::handler:
      return "handler";
    case FunctionKind::exec:
      return "exec";
    case FunctionKind::url:
      return "url";
    case FunctionKind::runtime:
      break;
  }
  return "runtime";
}

/// What stands for the end of a closed shard in place of a sequence number.
inline constexpr std::string_view shard_end = "SHARD_END";

/// Longer than any token: of a poll that has batches of as many shards as it can.
inline constexpr std::size_t token_chars_max = 8'192;

namespace patterns {

inline constexpr Pattern region{"[a-z0-9-]{1,32}"};
inline constexpr Pattern account{R"(\d{12})"};
inline constexpr Pattern function_name{"[a-zA-Z0-9_-]+"};
inline constexpr Pattern position{R"(SHARD_END|0|[1-9]\d{0,128})"};

}  // namespace patterns

namespace values {

inline constexpr std::array<std::string_view, 3> start_type{"TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"};
inline constexpr std::array<std::string_view, 2> commit_mode{"ON_POLL", "ON_COMMIT"};
inline constexpr std::array<std::string_view, 4> function_kind{name_of(FunctionKind::runtime),
                                                               name_of(FunctionKind::handler),
                                                               name_of(FunctionKind::exec), name_of(FunctionKind::url)};
inline constexpr std::array<std::string_view, 5> shard_state{"BLOCKED", "FREE", "LEASED", "REVOKING", "FINISHED"};

}  // namespace values

/// Options with a description.
constexpr MemberOptions about(std::string_view description, MemberOptions options = {}) {
  options.description = description;
  return options;
}
constexpr MemberOptions in_path(std::string_view description, MemberOptions options) {
  options.place = Place::path;
  return about(description, options);
}
constexpr MemberOptions in_query(std::string_view description, MemberOptions options) {
  options.place = Place::query;
  return about(description, options);
}

namespace detail {

constexpr MemberOptions from_to(std::int64_t min, std::int64_t max) {
  return {.constraints = {.range = Range{min, max}}};
}
constexpr MemberOptions from_to(Millis min, Millis max) { return from_to(min.count(), max.count()); }
constexpr MemberOptions from_to(std::size_t min, std::size_t max) {
  return from_to(static_cast<std::int64_t>(min), static_cast<std::int64_t>(max));
}
constexpr MemberOptions one_of(std::span<const std::string_view> allowed) {
  return {.constraints = {.allowed = allowed}};
}
constexpr MemberOptions sized(std::size_t min, std::size_t max, const Pattern* pattern = nullptr) {
  return {.constraints = {.length = Length{min, max}, .pattern = pattern}};
}

}  // namespace detail

/// Under these names because those of the members stand beside them.
namespace rules {

// Strings.
inline constexpr MemberOptions name = detail::sized(1, group_limits::name_chars_max, &kinesis::patterns::name);
inline constexpr MemberOptions key = detail::sized(1, group_limits::name_chars_max);
inline constexpr MemberOptions metadata = detail::sized(0, group_limits::metadata_bytes_max);
inline constexpr MemberOptions token = detail::sized(0, token_chars_max);
inline constexpr MemberOptions token_of_member = detail::sized(1, token_chars_max);
inline constexpr MemberOptions region{.constraints = {.pattern = &patterns::region}};
inline constexpr MemberOptions account{.constraints = {.pattern = &patterns::account}};
inline constexpr MemberOptions position{.constraints = {.pattern = &patterns::position}};
inline constexpr MemberOptions start_type = detail::one_of(values::start_type);
inline constexpr MemberOptions commit_mode = detail::one_of(values::commit_mode);
inline constexpr MemberOptions shard_state = detail::one_of(values::shard_state);
inline constexpr MemberOptions iterator_type = detail::one_of(kinesis::values::shard_iterator_type);

// Of functions.
inline constexpr MemberOptions function_name = detail::sized(1, 64, &patterns::function_name);
inline constexpr MemberOptions function_kind = detail::one_of(values::function_kind);
inline constexpr MemberOptions directory = detail::sized(1, 4'096);
inline constexpr MemberOptions handler = detail::sized(1, 128);
inline constexpr MemberOptions runtime = detail::sized(1, 64);
inline constexpr MemberOptions url = detail::sized(1, 2'048);
inline constexpr MemberOptions command = detail::sized(1, 256);
inline constexpr MemberOptions environment = detail::sized(0, 1'000);
inline constexpr MemberOptions timeout = detail::from_to(std::int64_t{1}, std::int64_t{900});
inline constexpr MemberOptions memory_size = detail::from_to(std::int64_t{128}, std::int64_t{10'240});
inline constexpr MemberOptions log_limit = detail::from_to(std::size_t{1}, std::size_t{10'000});
inline constexpr MemberOptions log_wait = detail::from_to(std::int64_t{0}, std::int64_t{20});

// Numbers.
inline constexpr MemberOptions lease_millis = detail::from_to(group_limits::lease_min, group_limits::lease_max);
inline constexpr MemberOptions wait_millis = detail::from_to(Millis{0}, group_limits::wait_max);
inline constexpr MemberOptions max_records = detail::from_to(std::size_t{1}, group_limits::poll_records_max);
inline constexpr MemberOptions max_bytes = detail::from_to(std::size_t{1}, group_limits::poll_bytes_max);
inline constexpr MemberOptions list_limit = detail::from_to(std::size_t{1}, group_limits::list_max);
inline constexpr MemberOptions natural = detail::from_to(std::int64_t{0}, Range::unbounded);

// Lists.
inline constexpr MemberOptions positions = detail::sized(1, group_limits::positions_max);
inline constexpr MemberOptions new_records = detail::sized(1, group_limits::transact_records_max);

}  // namespace rules

}  // namespace penstock::protocol::native
