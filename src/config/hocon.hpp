// HOCON, as far as files of ElasticMQ need it: objects, lists, paths as keys, texts with and without quotes, comments.
// What refers to something outside the file, or to another place in it, is refused.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "config/problems.hpp"
#include "config/value.hpp"

namespace penstock::config {

inline constexpr std::size_t hocon_bytes_max = 1U << 20U;
inline constexpr std::size_t hocon_depth_max = 32;
inline constexpr std::size_t hocon_values_max = 50'000;

/// The object that a text is; or nothing, and what is wrong. Of a key that is there twice objects are merged, and of
/// all else the last one counts. A text with a unit, such as `10 seconds`, is a text.
std::optional<Value> read_hocon(std::string_view text, Problems& problems);

}  // namespace penstock::config
