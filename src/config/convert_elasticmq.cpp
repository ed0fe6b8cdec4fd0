// A file of ElasticMQ. Its names and defaults are those of its reference.conf.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/convert.hpp"
#include "protocol/text.hpp"

namespace penstock::config {

namespace {

constexpr std::string_view fifo_suffix = ".fifo";

struct Unit {
  std::string_view name;
  double seconds;
};
/// As HOCON has them; without one a number is of milliseconds.
constexpr std::array units{
    Unit{"", 1e-3},
    Unit{"ns", 1e-9},
    Unit{"nano", 1e-9},
    Unit{"nanos", 1e-9},
    Unit{"nanosecond", 1e-9},
    Unit{"us", 1e-6},
    Unit{"micro", 1e-6},
    Unit{"micros", 1e-6},
    Unit{"ms", 1e-3},
    Unit{"milli", 1e-3},
    Unit{"millis", 1e-3},
    Unit{"s", 1},
    Unit{"second", 1},
    Unit{"m", 60},
    Unit{"minute", 60},
    Unit{"h", 3600},
    Unit{"hour", 3600},
    Unit{"d", 86'400},
    Unit{"day", 86'400},
    Unit{"nanoseconds", 1e-9},
    Unit{"seconds", 1},
    Unit{"minutes", 60},
    Unit{"hours", 3600},
    Unit{"days", 86'400},
    Unit{"microsecond", 1e-6},
    Unit{"millisecond", 1e-3},
    Unit{"microseconds", 1e-6},
    Unit{"milliseconds", 1e-3},
};

constexpr double seconds_max = 1e12;

std::optional<double> duration_of(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number < 0) return std::nullopt;
  std::string_view unit(stop, static_cast<std::size_t>(end - stop));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  const auto* const known = std::ranges::find(units, unit, &Unit::name);
  if (known == units.end() || number * known->seconds > seconds_max) return std::nullopt;
  return number * known->seconds;
}

class Converter {
 public:
  explicit Converter(Problems& problems) : problems_(problems) {}

  Value convert(const Value& document) {
    for (const Member& section : document.members) convert_section(section);
    Value whole = map_value();
    if (!settings_.members.empty()) whole.set("settings", std::move(settings_));
    whole.set("queues", std::move(queues_));
    return whole;
  }

 private:
  void convert_section(const Member& section) {
    const Value& value = section.value;
    if (section.name == "queues") {
      // Whether a queue is FIFO is known before another names it.
      for (const Member& queue : value.members) note_fifo(queue);
      for (const Member& queue : value.members) convert_queue(queue);
    } else if (section.name == "rest-sqs") {
      each(section, [this](const Member& member) { return convert_rest(member); });
    } else if (section.name == "aws") {
      each(section, [this](const Member& member) { return convert_aws(member); });
    } else if (section.name == "node-address") {
      for (const Member& member : value.members) convert_address(member);
    } else if (section.name == "storage" && value.text_of("type") == "in-memory") {
      problems_.note(section.at, "'storage' in memory is not taken over: queues are kept, unless 'ephemeral' is set");
    } else if (section.name != "generate-node-address") {
      pass_over(section, {});
    }
  }

  void each(const Member& section, const auto& convert_member) {
    for (const Member& member : section.value.members) {
      if (!convert_member(member)) pass_over(member, section.name + ".");
    }
  }

  void pass_over(const Member& member, const std::string& prefix) {
    problems_.note(member.at, in_quotes(prefix + member.name) + " has no counterpart, and is left out");
  }

  // ---- Settings

  bool convert_rest(const Member& member) {
    const std::string& text = member.value.text;
    if (member.name == "bind-port") {
      settings_.set("port", member.value);
    } else if (member.name == "bind-hostname") {
      settings_.set("host", text_value(text == "localhost" ? "127.0.0.1" : text));
    } else if (member.name == "sqs-limits") {
      // The limits of messages and queues are kept in any case.
      if (text != "strict") pass_over(member, "rest-sqs.");
    } else if (member.name == "enabled") {
      if (text == "false") pass_over(member, "rest-sqs.");
    } else {
      return false;
    }
    return true;
  }

  bool convert_aws(const Member& member) {
    if (member.name == "region" && protocol::is_region(member.value.text)) {
      settings_.set("region", text_value(member.value.text));
    } else if (member.name == "accountId" && protocol::is_account(member.value.text)) {
      settings_.set("account", text_value(member.value.text));
    } else {
      return false;
    }
    return true;
  }

  /// Queues' URLs are made of what a request calls the server.
  void convert_address(const Member& member) {
    const std::string& text = member.value.text;
    const bool is_plain = (member.name == "protocol" && text == "http") ||
                          (member.name == "context-path" && text.empty()) || member.name == "host" ||
                          member.name == "port";
    if (!is_plain) pass_over(member, "node-address.");
  }

  // ---- Queues

  static bool is_true(const Value* value) {
    constexpr std::array<std::string_view, 3> words{"true", "yes", "on"};
    return value != nullptr && std::ranges::find(words, value->text) != words.end();
  }

  void note_fifo(const Member& queue) {
    if (is_true(queue.value.find("fifo")) && !queue.name.ends_with(fifo_suffix)) renamed_.push_back(queue.name);
  }
  std::string name_of(const std::string& queue) const {
    const bool is_renamed = std::ranges::find(renamed_, queue) != renamed_.end();
    return is_renamed ? queue + std::string(fifo_suffix) : queue;
  }

  void convert_queue(const Member& queue) {
    if (queue.value.kind != Value::Kind::map) {
      return problems_.add(queue.value.at, "the queue " + in_quotes(queue.name) + " has to be an object");
    }
    Value members = map_value();
    for (const Member& member : queue.value.members) convert_member(queue.name, member, members);
    put_queue(queues_, name_of(queue.name), queue.at, std::move(members));
  }

  void convert_member(const std::string& queue, const Member& member, Value& members) {
    struct Duration {
      std::string_view name;
      std::string_view attribute;
    };
    constexpr std::array durations{
        Duration{"defaultVisibilityTimeout", "VisibilityTimeout"},
        Duration{"delay", "DelaySeconds"},
        Duration{"receiveMessageWait", "ReceiveMessageWaitTimeSeconds"},
    };
    const auto* const duration = std::ranges::find(durations, member.name, &Duration::name);
    if (duration != durations.end()) {
      members.set(duration->attribute, seconds_of(member));
    } else if (member.name == "deadLettersQueue") {
      convert_dead_letters(member, members);
    } else if (member.name == "contentBasedDeduplication") {
      Value flag = member.value;
      flag.kind = Value::Kind::boolean;
      flag.text = is_true(&member.value) ? "true" : "false";
      // Only a FIFO queue may say so at all.
      if (is_true(&member.value) || name_of(queue).ends_with(fifo_suffix))
        members.set("ContentBasedDeduplication", std::move(flag));
    } else if (member.name == "tags") {
      convert_tags(member, members);
    } else if (member.name != "fifo") {
      pass_over(member, "queues." + queue + ".");
    }
  }

  Value seconds_of(const Member& member) {
    const auto seconds = member.value.is_scalar() ? duration_of(member.value.text) : std::nullopt;
    if (!seconds) {
      problems_.add(member.value.at, in_quotes(member.name) + " has to be a time such as 10 seconds");
      return {};
    }
    const auto whole = static_cast<std::int64_t>(*seconds);
    const bool is_whole = static_cast<double>(whole) == *seconds;
    if (!is_whole) {
      problems_.note(member.value.at, in_quotes(member.name) + " is rounded up to whole seconds");
    }
    return number_value(is_whole ? whole : whole + 1);
  }

  void convert_dead_letters(const Member& member, Value& members) {
    const std::string name = member.value.text_of("name");
    const Value* const count = member.value.find("maxReceiveCount");
    if (name.empty() || count == nullptr || !count->is_scalar() || !is_number(count->text)) {
      return problems_.add(member.value.at, "'deadLettersQueue' has to have a name and a maxReceiveCount");
    }
    Value number = *count;
    number.kind = Value::Kind::number;
    members.set("RedrivePolicy", redrive_policy(name_of(name), number));
    for (const Member& other : member.value.members) {
      if (other.name != "name" && other.name != "maxReceiveCount") pass_over(other, "deadLettersQueue.");
    }
  }

  void convert_tags(const Member& member, Value& members) {
    Value tags = map_value();
    for (const Member& tag : member.value.members) {
      if (!tag.value.is_scalar()) problems_.add(tag.value.at, "a tag has to be a text");
      tags.set(tag.name, text_value(tag.value.text));
    }
    if (!tags.members.empty()) members.set("Tags", std::move(tags));
  }

  Problems& problems_;
  Value settings_ = map_value();
  Value queues_ = map_value();
  std::vector<std::string> renamed_;  ///< FIFO queues whose names do not say so
};

}  // namespace

Value from_elasticmq(const Value& document, Problems& problems) { return Converter(problems).convert(document); }

}  // namespace penstock::config
