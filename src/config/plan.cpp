#include "config/plan.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <thread>
#include <utility>

#include "config/check.hpp"
#include "config/planner.hpp"
#include "config/rehearsal.hpp"

namespace penstock::config {

namespace {

constexpr std::array<std::string_view, 3> action_names{"create", "update", "keep"};
constexpr std::chrono::milliseconds ready_pause{10};
constexpr std::string_view clock_path = "/_penstock/clock";
constexpr int not_found = 404;
constexpr int invalid = 400;

/// Whether an answer is that there is no such thing.
bool says_missing(const Answer& answer) {
  if (answer.status == not_found) return true;
  if (answer.status != invalid) return false;
  const std::string type = content_of(answer).text_of("__type");
  return type.ends_with("ResourceNotFoundException") || type.ends_with("QueueDoesNotExist");
}

bool has(const std::vector<Resource>& resources, std::string_view name) {
  return std::ranges::find(resources, name, &Resource::name) != resources.end();
}

/// Carries out the calls of a step, one after the other.
class Carrier {
 public:
  Carrier(const Place& place, const Ask& ask, StandingClock standing, Problems& problems)
      : place_(place), ask_(ask), standing_(standing), problems_(problems) {}

  bool carry_out(const Step& step, const std::vector<Call>& calls) {
    return std::ranges::all_of(calls, [&](const Call& call) { return carry_out(step, call); });
  }

 private:
  bool carry_out(const Step& step, const Call& call) {
    Request request = call.request;
    if (!call.stream.empty() && !await(step, stream_question(call), "StreamDescriptionSummary", "StreamStatus")) {
      return false;
    }
    if (!call.consumer.empty()) {
      const auto found = await(step, consumer_question(call), "ConsumerDescription", "ConsumerStatus");
      if (!found) return false;
      Value input = from_json(request.body).value_or(map_value());
      input.set("EventSourceArn", text_value(found->text_of("ConsumerARN")));
      request.body = to_json(input);
    }
    if (request.method.empty()) return true;
    const Answer answer = ask_(request);
    if (answer.is_success()) return true;
    fail(step, message_of(answer));
    return false;
  }

  Request stream_question(const Call& call) const {
    Value input = map_value();
    input.set("StreamName", text_value(call.stream));
    return kinesis_request("DescribeStreamSummary", input);
  }
  Request consumer_question(const Call& call) const {
    Value input = map_value();
    input.set("StreamARN", text_value(place_.stream_arn(call.stream)));
    input.set("ConsumerName", text_value(call.consumer));
    return kinesis_request("DescribeStreamConsumer", input);
  }

  /// What is described, once it is ACTIVE.
  std::optional<Value> await(const Step& step, const Request& question, const char* name, const char* status) {
    const auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() < begin + ready_time_max) {
      const Answer answer = ask_(question);
      if (!answer.is_success()) {
        fail(step, message_of(answer));
        return std::nullopt;
      }
      const Value content = content_of(answer);
      const Value* const description = content.find(name);
      if (description != nullptr && description->text_of(status) == "ACTIVE") return *description;
      const bool patient =
          standing_ == StandingClock::complain && std::chrono::steady_clock::now() < begin + standing_time_max;
      if (!patient && clock_stands_still() && !advance_clock()) {
        fail(step, "it is not ready, and will not be, since the server's clock stands still: advance or thaw it");
        return std::nullopt;
      }
      std::this_thread::sleep_for(ready_pause);
    }
    fail(step, "it is not ready after " + std::to_string(ready_time_max.count()) + " minutes");
    return std::nullopt;
  }

  bool clock_stands_still() const {
    const Value clock = content_of(ask_(rest_request("GET", std::string(clock_path))));
    return clock.text_of("frozen") == "true";
  }

  /// Whether it may be, and what was due has come to rest.
  bool advance_clock() const {
    if (standing_ != StandingClock::advance) return false;
    Value input = map_value();
    input.set("advance", text_value("next"));
    const Answer answer = ask_(rest_request("POST", std::string(clock_path), input));
    return answer.is_success() && content_of(answer).text_of("settled") == "true";
  }

  void fail(const Step& step, const std::string& message) {
    problems_.add(place_of_message(message, step.members, step.at), message);
  }

  const Place& place_;
  const Ask& ask_;
  const StandingClock standing_;
  Problems& problems_;
};

}  // namespace

std::string_view name_of(Action action) { return action_names.at(static_cast<std::size_t>(action)); }

std::vector<Step> make_plan(const Setup& setup, const Place& place, const Ask& ask, Problems& problems) {
  std::vector<Step> steps = Planner(setup, place, ask, problems).make();
  rehearse(steps, place, ask, problems);
  return steps;
}

void carry_out(const std::vector<Step>& plan, const Place& place, const Ask& ask, StandingClock standing,
               Problems& problems) {
  Carrier carrier(place, ask, standing, problems);
  for (auto begin = plan.begin(); begin != plan.end();) {
    const auto end = std::find_if(begin, plan.end(), [&](const Step& step) { return step.kind != begin->kind; });
    const bool done = std::all_of(begin, end, [&](const Step& step) { return carrier.carry_out(step, step.calls); }) &&
                      std::all_of(begin, end, [&](const Step& step) { return carrier.carry_out(step, step.later); });
    if (!done) return;
    begin = end;
  }
}

std::vector<Step> Planner::make() {
  plan_queues();
  plan_streams();
  plan_consumers();
  plan_functions();
  plan_mappings();
  return std::move(steps_);
}

std::optional<Value> Planner::look(const Request& request, Position at) {
  const Answer answer = ask_(request);
  if (answer.is_success()) return content_of(answer);
  if (!says_missing(answer)) problems_.add(at, message_of(answer));
  return std::nullopt;
}

bool Planner::queue_exists(const std::string& name) {
  Value input = map_value();
  input.set("QueueName", text_value(name));
  return look(sqs_request("GetQueueUrl", input), {}).has_value();
}

bool Planner::stream_exists(const std::string& name) {
  Value input = map_value();
  input.set("StreamName", text_value(name));
  return look(kinesis_request("DescribeStreamSummary", input), {}).has_value();
}

bool Planner::function_exists(const std::string& name) {
  return look(rest_request("GET", path_of_function(name)), {}).has_value();
}

void Planner::need_queue(const std::string& named, Position at) {
  if (named.empty()) return;
  const std::string home = place_.queue_arn({});
  const std::string arn = place_.queue_arn_of(named);
  // What is elsewhere is the service's to judge.
  if (!arn.starts_with(home)) return;
  const std::string name = arn.substr(home.size());
  if (has(setup_.queues, name) || queue_exists(name)) return;
  problems_.add(at, "there is no queue '" + name + "', neither in the file nor on the server");
}

void Planner::need_destinations(const Value& config) {
  const Value* const destinations = config.find("DestinationConfig");
  if (destinations == nullptr) return;
  for (const Member& member : destinations->members) {
    if (const Value* queue = member.value.find("Destination")) need_queue(queue->text, queue->at);
  }
}

void Planner::need_stream(const std::string& name, Position at) {
  if (name.empty() || has(setup_.streams, name) || stream_exists(name)) return;
  problems_.add(at, "there is no stream '" + name + "', neither in the file nor on the server");
}

void Planner::need_function(const std::string& named, Position at) {
  const std::string home = place_.function_arn({});
  const std::string name = named.starts_with(home) ? named.substr(home.size()) : named;
  if (place_.functions_elsewhere || name.find(':') != std::string::npos) return;
  if (has(setup_.functions, name) || function_exists(name)) return;
  problems_.add(at, "there is no function '" + name + "', neither in the file nor on the server");
}

Value Planner::differing(const Value& wanted, const Value& actual, Step& step) {
  Value differences = map_value();
  for (const Member& member : wanted.members) {
    const Value* const found = actual.find(member.name);
    Value expected = map_value();
    expected.set(member.name, member.value);
    // A map of a user's own names is all that there is to be, not a part of it.
    const bool whole = member.name == "Environment" || member.name == "Command";
    const bool same = whole && found != nullptr ? is_same(member.value, *found) : agrees(expected, actual);
    if (same) continue;
    differences.set(member.name, member.value);
    step.changes.push_back(member.name);
  }
  return differences;
}

Step& Planner::add_step(std::string_view kind, const std::string& name, Position at, const Value& members) {
  Step step;
  step.kind = kind;
  step.name = name;
  step.at = at;
  step.members = members;
  return steps_.emplace_back(std::move(step));
}

}  // namespace penstock::config
