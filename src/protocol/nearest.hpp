// What somebody meant who wrote a name that there is not.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace penstock::protocol {

/// The one of `names` that `text` is nearly: in other case, one that it begins, or one a letter or two away, fewer in
/// short names. A letter that is missing, one too many, another one, and two that changed places count as one each.
std::optional<std::string_view> nearest_of(std::string_view text, std::span<const std::string_view> names);
/// What it answers is of `names`.
std::optional<std::string_view> nearest_of(std::string_view text, std::span<const std::string> names);

}  // namespace penstock::protocol
