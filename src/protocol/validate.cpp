#include "protocol/validate.hpp"

#include <algorithm>
#include <utility>

namespace penstock::protocol {
namespace {

/// As the services count: UTF-16 code units, two for what stands above U+FFFF.
std::size_t count_chars(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    count += (byte & 0xC0U) != 0x80U ? 1U : 0U;
    count += byte >= 0xF0U ? 1U : 0U;
  }
  return count;
}

bool is_within(std::string_view value, const Length& length) {
  // No text has more characters than bytes, nor fewer than a third of these.
  if (value.size() <= length.max && value.size() / 3 >= length.min) return true;
  const std::size_t count = count_chars(value);
  return count >= length.min && count <= length.max;
}

std::string at_least(std::size_t min) {
  return "Member must have length greater than or equal to " + std::to_string(min);
}

std::string at_most(std::size_t max) { return "Member must have length less than or equal to " + std::to_string(max); }

std::string of_pattern(const Pattern& pattern) {
  return std::string("Member must satisfy regular expression pattern: ").append(pattern.text());
}

std::string joined(std::span<const std::string_view> values) {
  std::string text;
  for (const std::string_view value : values) text.append(text.empty() ? "" : ", ").append(value);
  return text;
}

std::string of_values(std::span<const std::string_view> allowed) {
  return "Member must satisfy enum value set: [" + joined(allowed) + "]";
}

bool is_allowed(std::string_view value, std::span<const std::string_view> allowed) {
  return allowed.empty() || std::ranges::find(allowed, value) != allowed.end();
}

void write(const Path& path, std::string& out) {
  if (path.parent != nullptr) {
    write(*path.parent, out);
    out.push_back('.');
  }
  if (path.index != 0) {
    out.append(std::to_string(path.index)).append(".member");
  } else if (!path.name.empty()) {
    // The framework writes members as its language does, whatever they are called in the model.
    const char first = path.name.front();
    out.push_back(first >= 'A' && first <= 'Z' ? static_cast<char>(first - 'A' + 'a') : first);
    out.append(path.name.substr(1));
  }
}

}  // namespace

std::string to_string(const Path& path) {
  std::string text;
  write(path, text);
  return text;
}

void Violations::add(const Path& path, std::string_view value, std::string_view constraint) {
  if (full()) return;
  std::string text = "Value '";
  text.append(value).append("' at '").append(to_string(path)).append("' failed to satisfy constraint: ");
  texts_.push_back(std::move(text.append(constraint)));
}

void Violations::add_missing(const Path& path) {
  if (full()) return;
  texts_.push_back("Value null at '" + to_string(path) + "' failed to satisfy constraint: Member must not be null");
}

Error Violations::to_error(ErrorCode code) const {
  std::string message = std::to_string(texts_.size());
  message.append(texts_.size() == 1 ? " validation error detected: " : " validation errors detected: ");
  for (std::size_t i = 0; i < texts_.size(); ++i) message.append(i == 0 ? "" : "; ").append(texts_[i]);
  return {code, std::move(message)};
}

bool satisfies(std::string_view value, const Constraints& constraints) {
  return (!constraints.length || is_within(value, *constraints.length)) &&
         (constraints.pattern == nullptr || constraints.pattern->matches(value)) &&
         is_allowed(value, constraints.allowed);
}

std::vector<std::string> broken_by_string(std::string_view value, const Constraints& constraints) {
  std::vector<std::string> broken;
  if (constraints.pattern != nullptr && !constraints.pattern->matches(value)) {
    broken.push_back(of_pattern(*constraints.pattern));
  }
  if (constraints.length) {
    std::vector<std::string> by_size = broken_by_size(count_chars(value), constraints);
    broken.insert(broken.end(), by_size.begin(), by_size.end());
  }
  if (!is_allowed(value, constraints.allowed)) broken.push_back(of_values(constraints.allowed));
  return broken;
}

std::vector<std::string> broken_by_number(std::int64_t value, const Constraints& constraints) {
  const Range range = constraints.range.value_or(Range{value, value});
  if (value < range.min) return {"Member must have value greater than or equal to " + std::to_string(range.min)};
  if (value > range.max) return {"Member must have value less than or equal to " + std::to_string(range.max)};
  return {};
}

std::vector<std::string> broken_by_size(std::size_t size, const Constraints& constraints) {
  const Length length = constraints.length.value_or(Length{});
  if (size < length.min) return {at_least(length.min)};
  if (size > length.max) return {at_most(length.max)};
  return {};
}

std::string all_of_scalar(const Constraints& constraints) {
  std::vector<std::string> all;
  if (constraints.length && constraints.length->max != Length::unbounded)
    all.push_back(at_most(constraints.length->max));
  if (constraints.length) all.push_back(at_least(constraints.length->min));
  if (constraints.pattern != nullptr) all.push_back(of_pattern(*constraints.pattern));
  if (!constraints.allowed.empty()) all.push_back(of_values(constraints.allowed));
  const std::vector<std::string_view> views(all.begin(), all.end());
  return "[" + joined(views) + "]";
}

std::string rendered_blob(std::size_t size) {
  const std::string count = std::to_string(size);
  return "java.nio.HeapByteBuffer[pos=0 lim=" + count + " cap=" + count + "]";
}

std::string rendered_structure(std::string_view name) {
  // The number is a hash of the members in the service, from which nobody can tell anything.
  return std::string("com.amazonaws.kinesis.v20131202.").append(name).append("@c965e310");
}

}  // namespace penstock::protocol
