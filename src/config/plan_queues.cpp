// Of a plan: the queues.
#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "config/planner.hpp"
#include "config/shapes.hpp"

namespace penstock::config {

namespace {

/// How far the walk along dead-letter queues has come with one.
enum Visit : int { unseen, under_way, planned };

/// As the service answers them, and as a setup may write them: a policy's text is another with the same meaning.
Value attribute_content(const Member& member) {
  if (!is_json_text(member.name)) return member.value;
  return from_json(member.value.text).value_or(member.value);
}

Value contents_of(const Value& attributes) {
  Value contents = map_value();
  for (const Member& member : attributes.members) contents.set(member.name, attribute_content(member));
  return contents;
}

}  // namespace

void Planner::plan_queues() {
  std::vector<int> states(setup_.queues.size(), unseen);
  for (std::size_t index = 0; index < setup_.queues.size(); ++index) visit_queue(index, states);
}

/// A queue's dead-letter queue comes before it; of queues that are each other's, one is made without, and then changed.
void Planner::visit_queue(std::size_t index, std::vector<int>& states) {
  std::vector<std::size_t> chain;
  for (std::size_t at = index; states[at] == unseen;) {
    states[at] = under_way;
    chain.push_back(at);
    const std::string target = dead_letter_target_of(setup_.queues[at]);
    if (target.empty()) break;
    const std::string arn = place_.queue_arn_of(target);
    const auto found =
        std::ranges::find_if(setup_.queues, [&](const Resource& queue) { return place_.queue_arn(queue.name) == arn; });
    if (found == setup_.queues.end()) break;
    at = static_cast<std::size_t>(std::distance(setup_.queues.begin(), found));
  }
  if (chain.empty()) return;
  const auto name_of_target = [&](std::size_t at) {
    return place_.queue_arn_of(dead_letter_target_of(setup_.queues[at]));
  };
  for (auto it = chain.rbegin(); it != chain.rend(); ++it) {
    const Resource& queue = setup_.queues[*it];
    const std::string target = name_of_target(*it);
    const bool is_to_come = !dead_letter_target_of(queue).empty() && std::ranges::any_of(chain, [&](std::size_t other) {
      return states[other] == under_way && place_.queue_arn(setup_.queues[other].name) == target;
    });
    plan_queue(queue, !is_to_come);
    states[*it] = planned;
  }
}

void Planner::plan_queue(const Resource& queue, bool with_redrive) {
  if (const Value* policy = queue.members.find("RedrivePolicy")) {
    need_queue(dead_letter_target_of(queue), policy->at);
  }
  Step& step = add_step("queue", queue.name, queue.at, queue.members);
  Value input = map_value();
  input.set("QueueUrl", text_value(place_.queue_url(queue.name)));
  Value names;
  names.kind = Value::Kind::list;
  names.items.push_back(text_value("All"));
  Value question = input;
  question.set("AttributeNames", names);
  const auto actual = look(sqs_request("GetQueueAttributes", question), queue.at);
  if (actual) return change_queue(queue, *actual, step);

  step.action = Action::create;
  if (with_redrive) return step.calls.push_back({create_queue(queue, place_)});
  Resource without = queue;
  std::erase_if(without.members.members, [](const Member& member) { return member.name == "RedrivePolicy"; });
  step.calls.push_back({create_queue(without, place_)});
  Value attributes = map_value();
  attributes.set("RedrivePolicy", *attributes_of(queue, place_).find("RedrivePolicy"));
  input.set("Attributes", attributes);
  step.later.push_back({sqs_request("SetQueueAttributes", input)});
}

void Planner::change_queue(const Resource& queue, const Value& actual, Step& step) {
  const Value wanted = attributes_of(queue, place_);
  const Value* const there = actual.find("Attributes");
  const Value differences = differing(contents_of(wanted), there == nullptr ? map_value() : contents_of(*there), step);
  Value input = map_value();
  input.set("QueueUrl", text_value(place_.queue_url(queue.name)));
  if (const Value* fifo = differences.find("FifoQueue")) {
    problems_.add(fifo->at, "the queue '" + queue.name + "' is there, and its FifoQueue cannot be changed");
  }
  if (!differences.members.empty()) {
    Value attributes = map_value();
    for (const Member& member : differences.members) attributes.set(member.name, *wanted.find(member.name));
    Value change = input;
    change.set("Attributes", attributes);
    step.later.push_back({sqs_request("SetQueueAttributes", change)});
  }
  if (const Value* tags = queue.members.find("Tags")) {
    const auto known = look(sqs_request("ListQueueTags", input), queue.at);
    const Value* const tags_there = known ? known->find("Tags") : nullptr;
    if (!agrees(*tags, tags_there == nullptr ? map_value() : *tags_there)) {
      step.changes.emplace_back("Tags");
      Value change = input;
      Value texts = *tags;
      for (Member& member : texts.members) member.value = text_value(member.value.text);
      change.set("Tags", texts);
      step.later.push_back({sqs_request("TagQueue", change)});
    }
  }
  if (!step.later.empty()) step.action = Action::update;
}

}  // namespace penstock::config
