// YAML, read without trust: a file of a person's, and yet bounded in every way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "config/problems.hpp"
#include "config/value.hpp"

namespace penstock::config {

inline constexpr std::size_t yaml_bytes_max = 1U << 20U;
/// Enough for the functions of a template within each other.
inline constexpr std::size_t yaml_depth_max = 48;
/// Values, those that aliases repeat counted as often as they are repeated: what an alias bomb would make thousands of.
inline constexpr std::size_t yaml_values_max = 50'000;

/// Which plain words are truth values.
enum class Words : std::uint8_t {
  yaml_1_2,  ///< `true` and `false`
  yaml_1_1,  ///< those, and `yes`, `no`, `on` and `off`; as keys they are texts all the same
};

/// The one document that a text is, which may be JSON too, a null if it is empty; or nothing, and what is wrong. Plain
/// words are nulls, truth values, and numbers as JSON has them, and all others are texts. Anchors, aliases and
/// merge keys (`<<`) are resolved; a key that is there twice is a problem.
std::optional<Value> read_yaml(std::string_view text, Problems& problems, Words words = Words::yaml_1_2);

}  // namespace penstock::config
