// A part of a text that was made as one with others, such as the events of all messages of a receive: what keeps any
// part keeps the whole.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace penstock {

/// Is used like a pointer to its text, and may be null.
class SharedText {
 public:
  SharedText() = default;
  /// All of it.
  SharedText(std::shared_ptr<const std::string> whole)  // NOLINT(google-explicit-constructor): it is one
      : whole_(std::move(whole)), part_(whole_ == nullptr ? std::string_view() : std::string_view(*whole_)) {}
  /// REQUIRES: the part lies in the whole.
  SharedText(std::shared_ptr<const std::string> whole, std::string_view part) : whole_(std::move(whole)), part_(part) {}

  const std::string_view& operator*() const { return part_; }
  const std::string_view* operator->() const { return &part_; }
  /// Where the text is, which no other text has while this one is kept.
  const char* get() const { return part_.data(); }
  void reset() { *this = {}; }
  friend bool operator==(const SharedText& text, std::nullptr_t) { return text.whole_ == nullptr; }

 private:
  std::shared_ptr<const std::string> whole_;
  std::string_view part_;
};

}  // namespace penstock
