// What clients may call functions, mappings and what they are about.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "penstock/errors.hpp"
#include "penstock/functions.hpp"
#include "penstock/mappings.hpp"
#include "penstock/trigger_commands.hpp"
#include "protocol/caller.hpp"

namespace penstock::protocol::lambda {

inline constexpr std::string_view latest_version = "$LATEST";
/// Of functions that capacity providers run, which the API model knows and there are none of.
inline constexpr std::string_view latest_published_version = "$LATEST.PUBLISHED";
inline constexpr std::size_t function_name_chars_max = 64;

/// A function's name, whole ARN, or what is between them: what is left out is the caller's.
struct FunctionReference {
  FunctionName function;
  std::string qualifier;  ///< empty if there is none
  /// Its ARN, with the qualifier if there is one.
  std::string arn() const;
};

/// The parts of `[arn:aws:lambda:][<region>:][<account>:][function:]<name>[:<qualifier>]`; those that are left out are
/// empty. Nothing for what has another form. Names may have dots, as those of the API model's NamespacedFunctionName.
std::optional<FunctionReference> split_function(std::string_view text);

/// The function that a request means by a name and, if there is one, a Qualifier. Errors: LambdaInvalidParameterValue
/// where the two contradict each other, LambdaResourceNotFound for any version but $LATEST, since there are no others,
/// and for a name with dots, which no function can be made with. REQUIRES: is_namespaced_reference(text).
std::variant<FunctionReference, Error> function_of(std::string_view text, const std::optional<std::string>& qualifier,
                                                   const Caller& caller);

/// The same with whatever version or alias, for what another emulator may run: the engine knows whether it does.
std::variant<FunctionReference, Error> invoked_function_of(std::string_view text,
                                                           const std::optional<std::string>& qualifier,
                                                           const Caller& caller);

/// `arn:aws:lambda:<region>:<account>:event-source-mapping:<uuid>`
std::string mapping_arn_of(const MappingRecord& mapping);

/// `uuid` as a mapping of the caller's account and region.
MappingName mapping_of(std::string uuid, const Caller& caller);

/// What tags are put on, of the account and region that the ARN says. Errors: LambdaInvalidParameterValue,
/// LambdaResourceNotFound. REQUIRES: is_taggable(arn).
std::variant<TaggedResource, Error> tagged_resource_of(std::string_view arn);

/// Five groups of hexadecimal digits.
bool is_uuid(std::string_view text);

// For the patterns of the API's model, which know more than Pattern compiles.

bool is_function_reference(std::string_view text);
bool is_namespaced_reference(std::string_view text);
bool is_qualifier(std::string_view text);
bool is_arn(std::string_view text);
bool is_destination(std::string_view text);
bool is_taggable(std::string_view text);

}  // namespace penstock::protocol::lambda
