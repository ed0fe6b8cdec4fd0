#include "config/yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <sstream>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "protocol/text.hpp"

namespace penstock::config {

namespace {

constexpr std::string_view merge_key = "<<";

/// Ends the reading: what follows could not be understood, or would be too much.
struct Stopped {
  Position at;
  std::string what;
};

Position position_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

/// Of the line that the parser stumbled over: a tab looks like the spaces that it is not.
std::string word_of_tabs(std::string_view text, const YAML::Mark& mark) {
  if (mark.is_null()) return "";
  int number = 0;
  for (std::size_t begin = 0; begin < text.size() && number <= mark.line; ++number) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    const std::string_view indentation = line.substr(0, std::min(line.find_first_not_of(" \t"), line.size()));
    if (number == mark.line && indentation.find('\t') != std::string_view::npos) {
      return "; line " + std::to_string(number + 1) + " is indented by a tab, for which YAML has spaces alone";
    }
    begin = end + 1;
  }
  return "";
}

std::size_t count_of(const Value& value) {
  std::size_t count = 1;
  for (const Value& item : value.items) count += count_of(item);
  for (const Member& member : value.members) count += count_of(member.value);
  return count;
}

std::size_t depth_of(const Value& value) {
  std::size_t depth = 0;
  for (const Value& item : value.items) depth = std::max(depth, depth_of(item));
  for (const Member& member : value.members) depth = std::max(depth, depth_of(member.value));
  return depth + 1;
}

bool is_one_of(const std::string& text, std::initializer_list<const char*> words) {
  return std::ranges::find(words, text) != words.end();
}

/// What a word means that stands there without quotes.
Value plain_word(const std::string& text, Words words) {
  Value value = text_value(text);
  const bool is_old = words == Words::yaml_1_1;
  if (is_one_of(text, {"true", "True", "TRUE"}) ||
      (is_old && is_one_of(text, {"yes", "Yes", "YES", "on", "On", "ON"}))) {
    value.kind = Value::Kind::boolean;
    value.text = "true";
  } else if (is_one_of(text, {"false", "False", "FALSE"}) ||
             (is_old && is_one_of(text, {"no", "No", "NO", "off", "Off", "OFF"}))) {
    value.kind = Value::Kind::boolean;
    value.text = "false";
  } else if (is_number(text)) {
    value.kind = Value::Kind::number;
  }
  return value;
}

/// Builds the value from the events of the parser.
class Builder final : public YAML::EventHandler {
 public:
  Builder(Problems& problems, Words words) : problems_(problems), words_(words) {}

  Value take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (std::exchange(begun_, true)) throw Stopped{position_of(mark), "there is more than one document"};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Value value;
    value.at = position_of(mark);
    add(std::move(value), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Stopped{position_of(mark), "the alias is part of what it stands for"};
    count(count_of(found->second), position_of(mark));
    if (open_.size() + depth_of(found->second) > yaml_depth_max) throw too_deep(position_of(mark));
    place(found->second, position_of(mark));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    Value value = tag == "?" ? plain_word(text, expects_key() ? Words::yaml_1_2 : words_) : text_value(text);
    value.at = position_of(mark);
    if (tag.starts_with('!') && tag.size() > 1) value.tag = tag;
    add(std::move(value), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Value::Kind::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Value::Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override {
    merge(open_.back().value);
    close();
  }

 private:
  struct Open {
    Value value;
    YAML::anchor_t anchor = 0;
    bool has_key = false;  ///< of a map: the last member's name is there, and its value is to come
    std::unordered_set<std::string> keys{};
  };

  static Stopped too_deep(Position at) {
    return {at, "more than " + std::to_string(yaml_depth_max) + " values stand within each other"};
  }

  void count(std::size_t values, Position at) {
    values_ += values;
    if (values_ <= yaml_values_max) return;
    throw Stopped{at,
                  "there are more than " + std::to_string(yaml_values_max) + " values, counting what aliases repeat"};
  }

  void open(Value::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    const Position at = position_of(mark);
    if (expects_key()) throw Stopped{at, "a key has to be a text"};
    if (open_.size() + 1 > yaml_depth_max) throw too_deep(at);
    count(1, at);
    Open one;
    one.value.kind = kind;
    one.value.at = at;
    if (tag.starts_with('!') && tag.size() > 1) one.value.tag = tag;
    one.anchor = anchor;
    open_.push_back(std::move(one));
  }

  void close() {
    Open closed = std::move(open_.back());
    open_.pop_back();
    if (closed.anchor != 0) anchors_[closed.anchor] = closed.value;
    const Position at = closed.value.at;
    place(std::move(closed.value), at);
  }

  void add(Value value, YAML::anchor_t anchor) {
    count(1, value.at);
    if (anchor != 0) anchors_[anchor] = value;
    const Position at = value.at;
    place(std::move(value), at);
  }

  bool expects_key() const {
    return !open_.empty() && open_.back().value.kind == Value::Kind::map && !open_.back().has_key;
  }

  void place(Value value, Position at) {
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Open& parent = open_.back();
    if (parent.value.kind == Value::Kind::list) {
      parent.value.items.push_back(std::move(value));
    } else if (std::exchange(parent.has_key, !parent.has_key)) {
      parent.value.members.back().value = std::move(value);
    } else {
      if (!value.is_scalar()) throw Stopped{at, "a key has to be a text"};
      if (!parent.keys.insert(value.text).second) problems_.add(at, "'" + value.text + "' is there twice");
      parent.value.members.push_back({std::move(value.text), at, {}});
    }
  }

  /// What `<<` names stands behind the members that are there, and yields to them.
  void merge(Value& map) {
    const auto found = std::ranges::find(map.members, merge_key, &Member::name);
    if (found == map.members.end()) return;
    const Value sources = std::move(found->value);
    map.members.erase(found);
    std::vector<const Value*> maps;
    if (sources.kind == Value::Kind::map) maps.push_back(&sources);
    for (const Value& item : sources.items) maps.push_back(&item);
    for (const Value* source : maps) {
      if (source->kind != Value::Kind::map) throw Stopped{source->at, "only maps can be merged"};
      for (const Member& member : source->members) {
        if (open_.back().keys.insert(member.name).second) map.members.push_back(member);
      }
    }
    if (maps.empty()) throw Stopped{sources.at, "only maps can be merged"};
  }

  Problems& problems_;
  const Words words_;
  Value root_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, Value> anchors_;
  std::size_t values_ = 0;
  bool begun_ = false;
};

/// Four hexadecimal digits behind `\u`, or nothing.
std::optional<std::uint32_t> code_unit_at(std::string_view text, std::size_t at) {
  constexpr std::size_t length = 6;
  if (at + length > text.size() || text.substr(at, 2) != "\\u") return std::nullopt;
  std::uint32_t unit = 0;
  const char* const end = text.data() + at + length;
  const auto [stop, error] = std::from_chars(text.data() + at + 2, end, unit, 16);
  if (error != std::errc() || stop != end) return std::nullopt;
  return unit;
}

/// JSON writes a character beyond the first 65,536 as two units of UTF-16, which YAML has no such way for.
std::string with_whole_characters(std::string_view json) {
  constexpr std::size_t length = 6;
  constexpr std::uint32_t high = 0xd800;
  constexpr std::uint32_t low = 0xdc00;
  constexpr std::uint32_t units = 0x400;
  std::string text;
  for (std::size_t at = 0; at < json.size();) {
    if (json[at] != '\\') {
      text.push_back(json[at++]);
      continue;
    }
    const auto first = code_unit_at(json, at);
    const auto second = first ? code_unit_at(json, at + length) : std::nullopt;
    if (second && *first >= high && *first < low && *second >= low && *second < low + units) {
      constexpr std::size_t digits = 8;
      std::array<char, digits> hexadecimal{};
      const std::uint32_t character = 0x10000 + (*first - high) * units + (*second - low);
      const auto [stop, error] = std::to_chars(hexadecimal.data(), hexadecimal.data() + digits, character, 16);
      const auto count = static_cast<std::size_t>(stop - hexadecimal.data());
      text.append("\\U").append(digits - count, '0').append(hexadecimal.data(), count);
      at += 2 * length;
    } else {
      // What is escaped begins no escape.
      text += json.substr(at, 2);
      at += 2;
    }
  }
  return text;
}

}  // namespace

std::optional<Value> read_yaml(std::string_view text, Problems& problems, Words words) {
  if (text.size() > yaml_bytes_max) {
    problems.add({}, "it is larger than " + std::to_string(yaml_bytes_max) + " bytes");
    return std::nullopt;
  }
  if (!protocol::is_utf8(text) || text.find('\0') != std::string_view::npos) {
    problems.add({}, "it is no text in UTF-8");
    return std::nullopt;
  }
  const std::size_t before = problems.count();
  try {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    const bool may_be_json = begin != std::string_view::npos && text[begin] == '{';
    std::istringstream stream{may_be_json ? with_whole_characters(text) : std::string(text)};
    YAML::Parser parser(stream);
    Builder builder(problems, words);
    while (parser.HandleNextDocument(builder)) {
    }
    if (problems.count() > before) return std::nullopt;
    return builder.take();
  } catch (const Stopped& stopped) {
    problems.add(stopped.at, stopped.what);
  } catch (const YAML::Exception& error) {
    problems.add(position_of(error.mark), error.msg + word_of_tabs(text, error.mark));
  }
  return std::nullopt;
}

}  // namespace penstock::config
