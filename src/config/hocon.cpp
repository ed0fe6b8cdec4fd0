#include "config/hocon.hpp"

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include "protocol/text.hpp"

namespace penstock::config {

namespace {

/// What ends a text without quotes.
constexpr std::string_view reserved = "$\"{}[]:=,+#`^?!@*&\\";

struct Stopped {
  Position at;
  std::string what;
};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

void append_utf8(std::string& out, std::uint32_t character) {
  constexpr std::uint32_t six_bits = 0x3f;
  const auto rest = [&](int shift) { out.push_back(static_cast<char>(0x80U | (character >> shift & six_bits))); };
  if (character < 0x80) {
    out.push_back(static_cast<char>(character));
  } else if (character < 0x800) {
    out.push_back(static_cast<char>(0xc0U | character >> 6U));
    rest(0);
  } else {
    out.push_back(static_cast<char>(0xe0U | character >> 12U));
    rest(6);
    rest(0);
  }
}

void put(Value& map, const std::string& name, Position at, Value value) {
  const auto found = std::ranges::find(map.members, name, &Member::name);
  if (found == map.members.end()) return map.members.push_back({name, at, std::move(value)});
  if (found->value.kind == Value::Kind::map && value.kind == Value::Kind::map) {
    for (Member& member : value.members) put(found->value, member.name, member.at, std::move(member.value));
  } else {
    *found = {name, at, std::move(value)};
  }
}

class Reader {
 public:
  Reader(std::string_view text, Problems& problems) : text_(text), problems_(problems) {}

  Value read() {
    skip_lines();
    Value root = map_value();
    root.at = {1, 1};
    if (take('{')) {
      read_members(root, '}');
      expect('}');
    } else {
      read_members(root, '\0');
    }
    skip_lines();
    if (!done()) stop("nothing can follow here");
    return root;
  }

 private:
  bool done() const { return at_ == text_.size(); }
  char next() const { return done() ? '\0' : text_[at_]; }
  bool follows(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  Position here() const { return {line_, static_cast<int>(at_ - line_begin_) + 1}; }
  [[noreturn]] void stop(const std::string& what) const { throw Stopped{here(), what}; }

  void step() {
    if (text_[at_++] != '\n') return;
    ++line_;
    line_begin_ = at_;
  }
  bool take(char c) {
    if (next() != c || done()) return false;
    step();
    return true;
  }
  void expect(char c) {
    skip_lines();
    if (!take(c)) stop(std::string("a '") + c + "' is missing");
  }

  bool at_comment() const { return next() == '#' || follows("//"); }
  void skip_comment() {
    while (!done() && next() != '\n') step();
  }
  void skip_blanks() {
    while (!done() && is_blank(next())) step();
  }
  /// Also over ends of lines and what is said to people; true if there was an end of a line.
  bool skip_lines() {
    const int line = line_;
    while (!done() && (is_blank(next()) || next() == '\n' || at_comment())) {
      if (at_comment()) skip_comment();
      if (!done()) step();
    }
    return line_ > line;
  }

  void count() {
    if (++values_ > hocon_values_max) stop("there are more than " + std::to_string(hocon_values_max) + " values");
  }

  void read_members(Value& map, char end) {
    while (true) {
      skip_lines();
      if (done() || next() == end) return;
      read_member(map);
      const bool is_new_line = skip_lines();
      const bool is_separated = take(',') || is_new_line;
      if (!is_separated && !done() && next() != end) stop("a comma or a new line is missing");
    }
  }

  void read_member(Value& map) {
    const Position at = here();
    if (is_include()) return include(at);
    const std::vector<std::string> path = read_path();
    skip_blanks();
    if (follows("+=")) stop("'+=' is not understood here");
    const bool is_assigned = take('=') || take(':');
    if (!is_assigned && next() != '{') stop("a '=' is missing");
    if (is_assigned) skip_lines();
    Value value = read_value();
    for (std::size_t i = path.size(); i-- > 1;) {
      Value outer = map_value();
      outer.at = value.at;
      outer.members.push_back({path[i], at, std::move(value)});
      value = std::move(outer);
    }
    put(map, path.front(), at, std::move(value));
  }

  bool is_include() const {
    constexpr std::string_view word = "include";
    if (!follows(word)) return false;
    std::size_t at = at_ + word.size();
    if (at >= text_.size() || !is_blank(text_[at])) return false;
    while (at < text_.size() && is_blank(text_[at])) ++at;
    return at < text_.size() && text_[at] != '=' && text_[at] != ':' && text_[at] != '{';
  }
  /// ElasticMQ's own defaults have nothing that is not known; any other file may say anything.
  void include(Position at) {
    const std::size_t begin = at_;
    skip_comment();
    const std::string_view line = text_.substr(begin, at_ - begin);
    if (line.find("classpath(\"application.conf\")") != std::string_view::npos) {
      return problems_.note(at, "ElasticMQ's own application.conf is left out");
    }
    throw Stopped{at, "'include' is not understood: only this file is read"};
  }

  std::vector<std::string> read_path() {
    std::vector<std::string> path;
    while (true) {
      skip_blanks();
      std::string part;
      if (next() == '"') {
        part = read_quoted();
        skip_blanks();
      } else {
        part = read_plain(".");
      }
      if (part.empty()) stop("the name of a member is missing");
      path.push_back(std::move(part));
      if (path.size() > hocon_depth_max) stop("the path is too long");
      if (!take('.')) return path;
    }
  }

  /// Up to what ends it, without the blanks around it.
  std::string read_plain(std::string_view ends) {
    std::string text;
    while (!done() && next() != '\n' && !at_comment() && reserved.find(next()) == std::string_view::npos &&
           ends.find(next()) == std::string_view::npos) {
      text.push_back(next());
      step();
    }
    while (!text.empty() && is_blank(text.back())) text.pop_back();
    return text;
  }

  std::string read_quoted() {
    constexpr std::string_view triple = "\"\"\"";
    if (follows(triple)) return read_triple();
    std::string text;
    step();
    while (next() != '"') {
      if (done() || next() == '\n') stop("the text has no end");
      if (take('\\')) {
        read_escape(text);
      } else {
        text.push_back(next());
        step();
      }
    }
    step();
    return text;
  }

  std::string read_triple() {
    constexpr std::size_t quotes = 3;
    std::string text;
    for (std::size_t i = 0; i < quotes; ++i) step();
    const std::size_t end = text_.find("\"\"\"", at_);
    if (end == std::string_view::npos) stop("the text has no end");
    text = text_.substr(at_, end - at_);
    while (at_ < end + quotes) step();
    return text;
  }

  void read_escape(std::string& text) {
    constexpr std::string_view escapes = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const char escape = next();
    if (const std::size_t found = escapes.find(escape); !done() && found != std::string_view::npos) {
      text.push_back(meanings[found]);
      return step();
    }
    constexpr std::size_t digits = 4;
    if (escape != 'u' || at_ + digits >= text_.size()) stop("this escape is not known");
    step();
    std::uint32_t unit = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const char digit = protocol::to_lower(next());
      if (std::isxdigit(static_cast<unsigned char>(digit)) == 0) stop("this escape is not known");
      unit = unit * 16 + static_cast<std::uint32_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
      step();
    }
    if (unit >= 0xd800 && unit < 0xe000) stop("this escape is not known");
    append_utf8(text, unit);
  }

  Value read_value() {
    count();
    if (++depth_ > hocon_depth_max) {
      stop("more than " + std::to_string(hocon_depth_max) + " values stand within each other");
    }
    Value value;
    if (next() == '{') {
      value = read_object();
    } else if (next() == '[') {
      value = read_list();
    } else {
      value = read_scalar();
    }
    --depth_;
    return value;
  }

  Value read_object() {
    Value map = map_value();
    map.at = here();
    step();
    read_members(map, '}');
    expect('}');
    return map;
  }

  Value read_list() {
    Value list;
    list.kind = Value::Kind::list;
    list.at = here();
    step();
    while (true) {
      skip_lines();
      if (take(']')) return list;
      list.items.push_back(read_value());
      const bool is_new_line = skip_lines();
      const bool is_separated = take(',') || is_new_line;
      if (!is_separated && next() != ']') stop("a comma or a new line is missing");
    }
  }

  /// Texts that stand beside each other are one.
  Value read_scalar() {
    Value value = text_value({});
    value.at = here();
    bool is_plain = true;
    std::size_t quoted = 0;  // up to where blanks are the text's own
    while (!done() && next() != '\n' && !at_comment() &&
           std::string_view(",}]").find(next()) == std::string_view::npos) {
      if (follows("${")) stop("what ${...} stands for is not known here");
      if (next() == '"') {
        is_plain = false;
        value.text += read_quoted();
        quoted = value.text.size();
      } else if (reserved.find(next()) != std::string_view::npos) {
        stop(std::string("a '") + next() + "' cannot stand here");
      } else {
        value.text.push_back(next());
        step();
      }
    }
    while (value.text.size() > quoted && is_blank(value.text.back())) value.text.pop_back();
    if (!is_plain) return value;
    if (value.text.empty()) stop("a value is missing");
    if (value.text == "true" || value.text == "false") value.kind = Value::Kind::boolean;
    if (is_number(value.text)) value.kind = Value::Kind::number;
    if (value.text == "null") {
      value.kind = Value::Kind::null;
      value.text.clear();
    }
    return value;
  }

  std::string_view text_;
  Problems& problems_;
  std::size_t at_ = 0;
  std::size_t line_begin_ = 0;
  int line_ = 1;
  std::size_t depth_ = 0;
  std::size_t values_ = 0;
};

}  // namespace

std::optional<Value> read_hocon(std::string_view text, Problems& problems) {
  if (text.size() > hocon_bytes_max) {
    problems.add({}, "it is larger than " + std::to_string(hocon_bytes_max) + " bytes");
    return std::nullopt;
  }
  if (!protocol::is_utf8(text) || text.find('\0') != std::string_view::npos) {
    problems.add({}, "it is no text in UTF-8");
    return std::nullopt;
  }
  try {
    return Reader(text, problems).read();
  } catch (const Stopped& stopped) {
    problems.add(stopped.at, stopped.what);
    return std::nullopt;
  }
}

}  // namespace penstock::config
