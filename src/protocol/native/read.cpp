#include "protocol/native/read.hpp"

#include <utility>

#include "protocol/nearest.hpp"
#include "protocol/text.hpp"

namespace penstock::protocol::native {
namespace {

/// What a signed URL has besides.
constexpr std::string_view signature_prefix = "X-Amz-";

/// Of a value that is quoted in a message.
constexpr std::size_t quoted_bytes_max = 64;

std::string quoted(std::string_view value) {
  std::size_t end = std::min(value.size(), quoted_bytes_max);
  // Not within a character.
  while (end < value.size() && end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0U) == 0x80U) --end;
  std::string text = "'";
  return text.append(value.substr(0, end)).append(end < value.size() ? "...'" : "'");
}

std::string joined(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

/// "1 to 128", "at least 1"
std::string bounds(std::size_t min, std::size_t max, bool bounded) {
  if (!bounded) return "at least " + std::to_string(min);
  return std::to_string(min) + " to " + std::to_string(max);
}

void write(const Path& path, std::string& out) {
  if (path.parent != nullptr) write(*path.parent, out);
  if (path.index != 0) {
    out.append("[").append(std::to_string(path.index - 1)).append("]");
  } else {
    out.append(out.empty() ? "" : ".").append(path.name);
  }
}

}  // namespace

std::string spelled(const Path& path) {
  std::string text;
  write(path, text);
  return text;
}

Error wrong_type(const Path& path, std::string_view wanted) {
  return invalid_request(spelled(path).append(" has to be ").append(wanted).append("."));
}

Error missing(const Path& path) { return invalid_request(spelled(path).append(" is missing.")); }

Error unknown(const Path& path, std::span<const std::string_view> known) {
  std::string message = quoted(path.name);
  if (path.parent != nullptr) message.append(" of ").append(spelled(*path.parent));
  message.append(" is not known");
  if (known.empty()) return invalid_request(message + ": nothing is taken there.");
  message.append(known.size() == 1 ? "; there is only " : "; there are ");
  message.append(joined(known)).append(".");
  if (const auto meant = nearest_of(path.name, known)) message.append(" Is ").append(*meant).append(" meant?");
  return invalid_request(std::move(message));
}

// Without an exponent, which no length of time has.
std::optional<std::string> number_text(const JsonSource& source) {
  if (!source.element().is_number()) return std::nullopt;
  double number = 0;
  if (source.element().get_double().get(number) != simdjson::SUCCESS) return std::nullopt;
  constexpr std::size_t digits_max = 400;  // of any double: 309 of the largest
  std::array<char, digits_max> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (end.ec != std::errc()) return std::nullopt;
  return std::string(text.data(), end.ptr);
}

Refusal check_string(const Path& path, std::string_view value, const Constraints& constraints) {
  if (satisfies(value, constraints)) return std::nullopt;
  if (!constraints.allowed.empty()) {
    return wrong_type(path, "one of " + joined(constraints.allowed) + ", and is " + quoted(value));
  }
  if (!satisfies(value, {.length = constraints.length})) {
    const Length length = constraints.length.value_or(Length{});
    return invalid_request(spelled(path) + " has to have " +
                           bounds(length.min, length.max, length.max != Length::unbounded) + " characters.");
  }
  return invalid_request(spelled(path).append(" has to match ").append(constraints.pattern->text()) + ", and is " +
                         quoted(value) + ".");
}

Refusal check_number(const Path& path, std::int64_t value, const Constraints& constraints) {
  const auto& range = constraints.range;
  if (!range || (value >= range->min && value <= range->max)) return std::nullopt;
  const std::string wanted = range->max == Range::unbounded
                                 ? "at least " + std::to_string(range->min)
                                 : std::to_string(range->min) + " to " + std::to_string(range->max);
  return wrong_type(path, wanted + ", and is " + std::to_string(value));
}

Refusal check_size(const Path& path, std::size_t size, std::string_view of_what, const Constraints& constraints) {
  const auto& length = constraints.length;
  if (!length || (size >= length->min && size <= length->max)) return std::nullopt;
  return invalid_request(spelled(path) + " has to have " +
                         bounds(length->min, length->max, length->max != Length::unbounded) + " " +
                         std::string(of_what) + ".");
}

std::optional<std::string_view> path_value(const Call& call, std::string_view name) {
  const auto found = std::ranges::find(call.path, name, &PathValue::name);
  if (found == call.path.end()) return std::nullopt;
  return found->value;
}

Refusal refuse_other_parameters(const Form& query, std::span<const std::string_view> known) {
  for (const FormParameter& parameter : query.parameters()) {
    if (parameter.name.starts_with(signature_prefix)) continue;
    if (std::ranges::find(known, parameter.name) == known.end()) return unknown({nullptr, parameter.name}, known);
    // No member is a list here, and which of two is meant nobody knows.
    if (std::ranges::count(query.parameters(), parameter.name, &FormParameter::name) > 1) {
      return invalid_request(spelled({nullptr, parameter.name}) + " is there more than once.");
    }
  }
  return std::nullopt;
}

std::variant<JsonSource, Error> read_body(std::string_view body) {
  auto parsed = parse_json(body);
  if (Error* error = std::get_if<Error>(&parsed); error != nullptr && error->code == ErrorCode::Serialization) {
    error->code = ErrorCode::InvalidRequest;
  }
  return parsed;
}

}  // namespace penstock::protocol::native
