// A file of goaws: environments, each with queues and topics, of which the first that is called Local counts.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "config/convert.hpp"
#include "protocol/text.hpp"

namespace penstock::config {

namespace {

constexpr std::string_view usual_environment = "Local";

/// Attributes of queues that are called as the service calls them.
constexpr std::array<std::string_view, 5> attributes{"DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod",
                                                     "ReceiveMessageWaitTimeSeconds", "VisibilityTimeout"};

bool is_attribute(std::string_view name) { return std::ranges::find(attributes, name) != attributes.end(); }

class Converter {
 public:
  explicit Converter(Problems& problems) : problems_(problems) {}

  Value convert(const Value& document) {
    const Member* const environment = choose(document);
    if (environment != nullptr) convert_environment(environment->value);
    Value whole = map_value();
    if (!settings_.members.empty()) whole.set("settings", std::move(settings_));
    whole.set("queues", std::move(queues_));
    return whole;
  }

 private:
  const Member* choose(const Value& document) {
    if (document.kind != Value::Kind::map || document.members.empty()) {
      problems_.add(document.at, "the file has no environment, such as Local");
      return nullptr;
    }
    auto chosen = std::ranges::find(document.members, usual_environment, &Member::name);
    if (chosen == document.members.end()) chosen = document.members.begin();
    for (const Member& member : document.members) {
      if (&member != &*chosen) {
        problems_.note(member.at, "the environment " + in_quotes(member.name) +
                                      " is left out: " + in_quotes(chosen->name) + " is taken");
      }
    }
    if (chosen->value.kind == Value::Kind::map) return &*chosen;
    problems_.add(chosen->value.at, "the environment " + in_quotes(chosen->name) + " has to be a map");
    return nullptr;
  }

  void pass_over(const Member& member, const std::string& prefix = {}) {
    problems_.note(member.at, in_quotes(prefix + member.name) + " has no counterpart, and is left out");
  }

  void convert_environment(const Value& environment) {
    if (const Value* defaults = environment.find("QueueAttributeDefaults")) read_defaults(*defaults);
    for (const Member& member : environment.members) {
      const Value& value = member.value;
      if (member.name == "Queues") {
        for (const Value& queue : value.items) convert_queue(queue);
      } else if (member.name == "Topics") {
        for (const Value& topic : value.items) convert_topic(topic);
      } else if (member.name == "Port" || (member.name == "SqsPort" && environment.find("Port") == nullptr)) {
        settings_.set("port", value);
      } else if (member.name == "Region" && protocol::is_region(value.text)) {
        settings_.set("region", text_value(value.text));
      } else if (protocol::equal_ignoring_case(member.name, "AccountId") && protocol::is_account(value.text)) {
        settings_.set("account", text_value(value.text));
      } else if (member.name != "QueueAttributeDefaults" && member.name != "Host") {
        // A queue's URL is made of what a request calls the server, so that nothing depends on Host.
        pass_over(member);
      }
    }
  }

  void read_defaults(const Value& defaults) {
    for (const Member& member : defaults.members) {
      if (is_attribute(member.name)) {
        defaults_.set(member.name, member.value);
      } else {
        pass_over(member, "QueueAttributeDefaults.");
      }
    }
  }

  void convert_queue(const Value& queue) {
    const std::string name = queue.text_of("Name");
    if (name.empty()) return problems_.add(queue.at, "the queue has no Name");
    Value members = defaults_;
    for (const Member& member : queue.members) {
      if (is_attribute(member.name)) {
        members.set(member.name, member.value);
      } else if (member.name == "RedrivePolicy") {
        convert_redrive(member, members);
      } else if (member.name != "Name") {
        pass_over(member, name + ".");
      }
    }
    put_queue(queues_, name, queue.at, std::move(members));
  }

  /// The dead-letter queue is one of this server's, whatever account the file has it in.
  void convert_redrive(const Member& member, Value& members) {
    const Value policy = member.value.is_scalar() ? from_json(member.value.text).value_or(Value{}) : member.value;
    const std::string arn = policy.text_of("deadLetterTargetArn");
    const Value* const count = policy.find("maxReceiveCount");
    if (arn.empty() || count == nullptr || !count->is_scalar() || !is_number(count->text)) {
      return problems_.add(member.value.at, "'RedrivePolicy' has to have a deadLetterTargetArn and a maxReceiveCount");
    }
    Value number = *count;
    number.kind = Value::Kind::number;
    members.set("RedrivePolicy", redrive_policy(arn.substr(arn.rfind(':') + 1), number));
  }

  void convert_topic(const Value& topic) {
    const std::string name = topic.text_of("Name");
    problems_.note(topic.at, "the topic " + in_quotes(name) + " has no counterpart, and is left out");
    const Value* const subscriptions = topic.find("Subscriptions");
    if (subscriptions == nullptr) return;
    for (const Value& subscription : subscriptions->items) {
      // A subscription makes its queue where there is none.
      const std::string queue = subscription.text_of("QueueName");
      problems_.note(subscription.at, "the subscription of the topic " + in_quotes(name) + " is left out" +
                                          (queue.empty() ? "" : "; its queue " + in_quotes(queue) + " is kept"));
      if (!queue.empty()) put_queue(queues_, queue, subscription.at, defaults_);
    }
  }

  Problems& problems_;
  Value settings_ = map_value();
  Value queues_ = map_value();
  Value defaults_ = map_value();
};

}  // namespace

Value from_goaws(const Value& document, Problems& problems) { return Converter(problems).convert(document); }

}  // namespace penstock::config
