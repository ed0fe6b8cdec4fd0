// The regular expressions of the API models, which are few and simple: compiled while the program is, and matched in
// one pass over the text, whatever it is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::protocol {

/// A pattern as the services mean it: it has to match the whole text. It may hold characters, `.`, classes such as
/// [a-z_.-], \d, \S and other escaped characters, each followed by +, *, ?, {n} or {n,m} if by anything; alternatives
/// at the top; and parentheses that are there for reading only. Anything else does not compile. As in Java, \d and \S
/// know only ASCII, and `.` is no line end (of which only the two in ASCII are known here).
class Pattern {
 public:
  consteval explicit Pattern(std::string_view text) : text_(text) { compile(); }

  /// A pattern whose text says more than that, and which a function matches in its place.
  using Matches = bool (*)(std::string_view text);
  consteval Pattern(std::string_view text, Matches by) : text_(text), matches_(by) {}

  std::string_view text() const { return text_; }

  /// Takes time in proportion to the text, and no memory.
  bool matches(std::string_view text) const;

 private:
  /// Enough for the longest one of the models, which counts to 128 digits.
  static constexpr std::size_t steps_max = 192;

  /// A set of bytes. UTF-8's above ASCII are all in it, or none.
  class Bytes {
   public:
    constexpr void add(unsigned char first, unsigned char last) {
      for (unsigned byte = first; byte <= last; ++byte) words_[byte / 64] |= std::uint64_t{1} << (byte % 64);
    }
    constexpr void remove(unsigned char byte) { words_[byte / 64] &= ~(std::uint64_t{1} << (byte % 64)); }
    constexpr bool has(unsigned char byte) const { return ((words_[byte / 64] >> (byte % 64)) & 1U) != 0; }

   private:
    std::array<std::uint64_t, 4> words_{};
  };

  /// One character of the text, or several where it repeats. The end of an alternative is one too, that no character
  /// satisfies.
  struct Step {
    Bytes bytes;
    bool optional = false;
    bool repeats = false;
    bool ends = false;
  };

  struct Times {
    std::size_t min = 1;
    std::size_t max = 1;
    bool unbounded = false;
  };

  /// A set of steps: those that the next character may satisfy.
  using Steps = std::array<std::uint64_t, (steps_max + 63) / 64>;

  consteval void compile();
  consteval Bytes read_bytes(std::size_t& at) const;
  consteval Bytes read_class(std::size_t& at) const;
  consteval Bytes read_escape(char escaped) const;
  consteval Times read_times(std::size_t& at) const;
  consteval std::size_t read_number(std::size_t& at) const;
  consteval void append(const Step& step);

  /// Adds a step and those that come next if it is left out.
  void enter(Steps& steps, std::size_t step) const;

  std::string_view text_;
  Matches matches_ = nullptr;
  std::array<Step, steps_max> steps_{};
  std::size_t count_ = 0;
};

// ---- What happens while compiling. A throw there is the compiler's error.

consteval void Pattern::append(const Step& step) {
  if (count_ == steps_max) throw "the pattern needs more than steps_max steps";
  steps_[count_++] = step;
}

consteval std::size_t Pattern::read_number(std::size_t& at) const {
  if (at == text_.size() || text_[at] < '0' || text_[at] > '9') throw "a number of times is missing";
  std::size_t number = 0;
  for (; at < text_.size() && text_[at] >= '0' && text_[at] <= '9'; ++at) {
    number = 10 * number + static_cast<std::size_t>(text_[at] - '0');
  }
  return number;
}

consteval Pattern::Times Pattern::read_times(std::size_t& at) const {
  if (at == text_.size()) return {};
  switch (text_[at]) {
    case '+':
      ++at;
      return {1, 1, true};
    case '*':
      ++at;
      return {0, 1, true};
    case '?':
      ++at;
      return {0, 1, false};
    case '{': {
      const std::size_t min = read_number(++at);
      std::size_t max = min;
      if (text_[at] == ',') max = read_number(++at);
      if (text_[at] != '}' || max < min) throw "the number of times is not closed";
      ++at;
      return {min, max, false};
    }
    default:
      return {};
  }
}

consteval Pattern::Bytes Pattern::read_escape(char escaped) const {
  Bytes bytes;
  if (escaped == 'd') {
    bytes.add('0', '9');
  } else if (escaped == 'S') {
    bytes.add(0, 255);
    for (const unsigned char space : {' ', '\t', '\n', '\v', '\f', '\r'}) bytes.remove(space);
  } else if ((escaped >= 'a' && escaped <= 'z') || (escaped >= 'A' && escaped <= 'Z')) {
    throw "the escape is not known";
  } else {
    bytes.add(static_cast<unsigned char>(escaped), static_cast<unsigned char>(escaped));
  }
  return bytes;
}

consteval Pattern::Bytes Pattern::read_class(std::size_t& at) const {
  Bytes bytes;
  if (text_[at] == '^') throw "classes of what is not in them are not known";
  while (text_[at] != ']') {
    const auto first = static_cast<unsigned char>(text_[at++]);
    if (first == '\\' || first == '[' || first >= 0x80) throw "the class holds what is not known";
    if (text_[at] == '-' && text_[at + 1] != ']') {
      bytes.add(first, static_cast<unsigned char>(text_[at + 1]));
      at += 2;
    } else {
      bytes.add(first, first);
    }
  }
  ++at;
  return bytes;
}

consteval Pattern::Bytes Pattern::read_bytes(std::size_t& at) const {
  const char c = text_[at++];
  Bytes bytes;
  switch (c) {
    case '[':
      return read_class(at);
    case '\\':
      return read_escape(text_[at++]);
    case '.':
      bytes.add(0, 255);
      bytes.remove('\n');
      bytes.remove('\r');
      return bytes;
    case '+':
    case '*':
    case '?':
    case '{':
    case '$':
      throw "the pattern is not understood";
    default:
      if (static_cast<unsigned char>(c) >= 0x80) throw "a character that is no ASCII would be several steps";
      bytes.add(static_cast<unsigned char>(c), static_cast<unsigned char>(c));
      return bytes;
  }
}

consteval void Pattern::compile() {
  std::size_t at = text_.starts_with('^') ? 1 : 0;
  std::size_t open = 0;
  while (at < text_.size()) {
    const char c = text_[at];
    if (c == '(') {
      ++open;
      ++at;
    } else if (c == ')') {
      if (open == 0) throw "a parenthesis closes what was not opened";
      --open;
      ++at;
      if (at < text_.size() && std::string_view("+*?{").find(text_[at]) != std::string_view::npos) {
        throw "what stands in parentheses can not be repeated";
      }
    } else if (c == '|') {
      if (open != 0) throw "alternatives are known at the top only";
      append({.ends = true});
      ++at;
    } else {
      const Bytes bytes = read_bytes(at);
      const Times times = read_times(at);
      for (std::size_t i = 0; i < times.max; ++i) append({bytes, i >= times.min, times.unbounded});
    }
  }
  if (open != 0) throw "a parenthesis is not closed";
  append({.ends = true});
}

}  // namespace penstock::protocol
