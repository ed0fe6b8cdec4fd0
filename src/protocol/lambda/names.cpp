#include "protocol/lambda/names.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/text.hpp"

namespace penstock::protocol::lambda {
namespace {

constexpr std::string_view mapping_part = "event-source-mapping:";

/// Letters, digits, `-`, `_` and those of `more`.
bool is_word(std::string_view text, std::string_view more = {}) {
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return is_alphanumeric(c) || c == '-' || c == '_' || more.find(c) != std::string_view::npos;
  });
}

/// Any that a credential scope may say, such as "local": more than the service has.
bool is_region_label(std::string_view text) {
  constexpr std::size_t region_chars_max = 32;
  return !text.empty() && text.size() <= region_chars_max &&
         std::ranges::all_of(text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-'; });
}

bool is_partition(std::string_view text) {
  return text.starts_with("aws") &&
         std::ranges::all_of(text, [](char c) { return (is_alphanumeric(c) && !is_digit(c)) || c == '-'; });
}

/// Splits off what stands before the first colon.
std::string_view take_part(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(':'), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

/// Takes `arn:<partition>:lambda:` off, if it is there. False if what is there only begins like it.
bool take_arn_prefix(std::string_view& rest) {
  if (!rest.starts_with("arn:")) return true;
  rest.remove_prefix(4);
  const std::string_view partition = take_part(rest);
  return (partition.empty() || is_partition(partition)) && take_part(rest) == "lambda";
}

/// Takes what stands before a colon off, if it is of that kind.
template <class Is>
std::string take_if(std::string_view& rest, Is&& is) {
  std::string_view after = rest;
  const std::string_view part = take_part(after);
  if (part.size() == rest.size() || !is(part)) return {};
  rest = after;
  return std::string(part);
}

/// `csc-` and 17 digits or small letters.
bool is_signing_config_id(std::string_view text) {
  constexpr std::string_view prefix = "csc-";
  constexpr std::size_t chars = 17;
  return text.size() == prefix.size() + chars && text.starts_with(prefix) &&
         std::ranges::all_of(text.substr(prefix.size()), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); });
}

Error not_found(const FunctionReference& function) {
  return {ErrorCode::LambdaResourceNotFound, "Function not found: " + function.arn()};
}

}  // namespace

std::string FunctionReference::arn() const {
  std::string arn = arn_of(function);
  return qualifier.empty() ? arn : arn.append(":").append(qualifier);
}

std::optional<FunctionReference> split_function(std::string_view text) {
  FunctionReference named;
  const bool whole = text.starts_with("arn:");
  if (!take_arn_prefix(text)) return std::nullopt;
  // A region has a dash; so may a name, which no more than a qualifier follows.
  const bool has_region = whole || std::ranges::count(text, ':') >= 2;
  if (has_region)
    named.function.region = take_if(
        text, [](std::string_view part) { return is_region_label(part) && !is_account(part) && part != "function"; });
  named.function.account = take_if(text, is_account);
  take_if(text, [](std::string_view part) { return part == "function"; });
  named.function.name = take_part(text);
  named.qualifier = take_part(text);
  if (!is_word(named.function.name, ".") || !text.empty()) return std::nullopt;
  const bool latest = named.qualifier == latest_version || named.qualifier == latest_published_version;
  if (!named.qualifier.empty() && !latest && !is_word(named.qualifier)) return std::nullopt;
  return named;
}

std::variant<FunctionReference, Error> invoked_function_of(std::string_view text,
                                                           const std::optional<std::string>& qualifier,
                                                           const Caller& caller) {
  FunctionReference named = split_function(text).value_or(FunctionReference{});
  if (named.function.region.empty()) named.function.region = caller.region;
  if (named.function.account.empty()) named.function.account = caller.account;
  if (qualifier && !named.qualifier.empty() && named.qualifier != *qualifier) {
    return Error{ErrorCode::LambdaInvalidParameterValue,
                 "The derived qualifier from the function name does not match the specified qualifier."};
  }
  if (qualifier) named.qualifier = *qualifier;
  // Those with dots and dollars are well-formed, and nobody has them.
  const bool has_words = is_word(named.function.name) &&
                         (named.qualifier.empty() || is_word(named.qualifier) || named.qualifier == latest_version);
  if (!has_words) return not_found(named);
  return named;
}

std::variant<FunctionReference, Error> function_of(std::string_view text, const std::optional<std::string>& qualifier,
                                                   const Caller& caller) {
  auto named = invoked_function_of(text, qualifier, caller);
  const auto* function = std::get_if<FunctionReference>(&named);
  const bool other_version =
      function != nullptr && !function->qualifier.empty() && function->qualifier != latest_version;
  if (other_version) return not_found(*function);
  return named;
}

std::string mapping_arn_of(const MappingRecord& mapping) {
  std::string arn(lambda_arn_prefix);
  arn.append(mapping.function.region).append(":").append(mapping.function.account).append(":");
  return arn.append(mapping_part).append(mapping.uuid);
}

MappingName mapping_of(std::string uuid, const Caller& caller) {
  return {std::string(caller.account), std::string(caller.region), std::move(uuid)};
}

std::variant<TaggedResource, Error> tagged_resource_of(std::string_view arn) {
  if (const std::size_t at = arn.find(mapping_part); at != std::string_view::npos) {
    std::string_view place = arn;
    take_arn_prefix(place);
    MappingName mapping;
    mapping.region = take_part(place);
    mapping.account = take_part(place);
    mapping.uuid = arn.substr(at + mapping_part.size());
    return TaggedResource(std::move(mapping));
  }
  // Of what the API model knows besides there is none.
  for (const std::string_view other : {":code-signing-config:", ":capacity-provider:"}) {
    if (arn.find(other) == std::string_view::npos) continue;
    return Error{ErrorCode::LambdaResourceNotFound, "The resource you requested does not exist."};
  }
  const auto named = split_function(arn);
  if (!named || !named->qualifier.empty() || named->function.account.empty() || named->function.region.empty()) {
    return Error{ErrorCode::LambdaInvalidParameterValue,
                 "Tags on function aliases and versions are not supported. Please specify either a function ARN or an "
                 "event source mapping ARN."};
  }
  return TaggedResource(named->function);
}

bool is_uuid(std::string_view text) {
  constexpr std::size_t size = 36;
  constexpr std::array<std::size_t, 4> dashes{8, 13, 18, 23};
  if (text.size() != size) return false;
  for (std::size_t i = 0; i < size; ++i) {
    const bool dash = std::ranges::find(dashes, i) != dashes.end();
    const char c = to_lower(text[i]);
    if (dash ? c != '-' : !(is_digit(c) || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

bool is_function_reference(std::string_view text) {
  const auto named = split_function(text);
  return named && is_word(named->function.name) && named->qualifier != latest_published_version;
}

bool is_namespaced_reference(std::string_view text) { return split_function(text).has_value(); }

bool is_qualifier(std::string_view text) { return text == latest_published_version || is_word(text, "$"); }

bool is_arn(std::string_view text) {
  constexpr std::ptrdiff_t colons_min = 5;
  if (std::ranges::count(text, ':') < colons_min || take_part(text) != "arn") return false;
  const std::string_view partition = take_part(text);
  if (!partition.starts_with("aws") || !is_word(partition) || partition.find('_') != std::string_view::npos)
    return false;
  const std::string_view service = take_part(text);
  const std::string_view region = take_part(text);
  const bool named =
      !service.empty() && std::ranges::all_of(service, [](char c) { return is_alphanumeric(c) || c == '-'; });
  const bool placed = region.empty() || is_region_label(region);
  const std::string_view account = take_part(text);
  return named && placed && (account.empty() || is_account(account));
}

bool is_destination(std::string_view text) {
  if (text.empty() || is_arn(text)) return true;
  constexpr std::string_view scheme = "kafka://";
  constexpr std::size_t topic_bytes_max = 249;
  if (!text.starts_with(scheme)) return false;
  const std::string_view topic = text.substr(scheme.size());
  if (topic.empty() || topic.size() > topic_bytes_max || topic.front() == '.') return false;
  return topic.size() == 1 || is_word(topic.substr(1), ".");
}

bool is_taggable(std::string_view text) {
  if (!text.starts_with("arn:aws") || !take_arn_prefix(text)) return false;
  if (!is_region_label(take_part(text)) || !is_account(take_part(text))) return false;
  const std::string_view kind = take_part(text);
  if (kind == "event-source-mapping") return is_uuid(text);
  if (kind == "capacity-provider") return is_word(text);
  if (kind == "code-signing-config") return is_signing_config_id(text);
  const bool ends = text.ends_with(':');
  if (kind != "function" || ends || !is_word(take_part(text))) return false;
  return text.empty() || text == latest_version || is_word(text);
}

}  // namespace penstock::protocol::lambda
