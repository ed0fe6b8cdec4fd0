// FilterCriteria: which messages and records a mapping's function is to see. Patterns are compiled once, when a mapping
// begins, and matched for each message or record.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "penstock/errors.hpp"

namespace penstock::protocol::lambda {

/// Filters of a mapping, and characters of a pattern, in UTF-8.
inline constexpr std::size_t filters_max = 10;
inline constexpr std::size_t pattern_chars_max = 4'096;

/// What all filters of a mapping let through: that which any of them matches, and everything where there is none.
/// Immutable, and cheap to copy.
class Filters {
 public:
  /// Nothing is filtered.
  Filters() = default;

  /// Error: LambdaInvalidParameterValue, in the service's words.
  static std::variant<Filters, Error> compile(std::span<const std::string> patterns);

  bool empty() const { return patterns_ == nullptr; }

  /// `body` is a message's, byte for byte. `record` answers the message as it stands in an event; it is called only if
  /// a pattern looks at more than the body.
  bool match_message(std::string_view body, const std::function<std::string_view()>& record) const;
  /// The same of a stream's record, whose `data` is what was put.
  bool match_record(std::string_view data, const std::function<std::string_view()>& record) const;

  struct Patterns;

 private:
  std::shared_ptr<const Patterns> patterns_;
};

}  // namespace penstock::protocol::lambda
