#include "config/rehearsal.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "config/check.hpp"
#include "config/planner.hpp"
#include "core/queue_settings.hpp"
#include "core/triggers/function_rules.hpp"
#include "core/triggers/trigger_errors.hpp"
#include "penstock/queue_names.hpp"
#include "protocol/percent.hpp"
#include "protocol/wire.hpp"

namespace penstock::config {

namespace {

constexpr const char* account_path = "/2016-08-19/account-settings";
constexpr const char* mappings_path = "/2015-03-31/event-source-mappings";
/// Of the mappings of one function.
constexpr std::size_t mapping_pages_max = 1'000;
constexpr int timeout_default = 3;
constexpr int timeout_max = 900;

std::optional<int> number_of(const Value& value, std::string_view name) {
  const std::string text = value.text_of(name);
  int number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || text.empty() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

Value part_of(const Value& value, std::string_view name) {
  const Value* const found = value.find(name);
  return found == nullptr ? map_value() : *found;
}

/// The names of what is kept together.
template <class Known>
using ByName = std::map<std::string, std::optional<Known>, std::less<>>;

class Rehearsal {
 public:
  Rehearsal(const Place& place, const Ask& ask, Problems& problems) : place_(place), ask_(ask), problems_(problems) {}

  void play(const Step& step, const std::vector<Call>& calls) {
    step_ = &step;
    for (const Call& call : calls) {
      if (!call.request.method.empty()) play(call.request);
    }
  }

 private:
  struct Queue {
    QueueRecord record{};  ///< with those attributes alone that others depend on
    bool is_visibility_known = true;
  };
  struct Function {
    int timeout = timeout_default;
    std::optional<int> reserved{};
  };

  protocol::Prepared prepare(const Request& request) const {
    std::vector<protocol::Header> headers;
    protocol::WireRequest received = as_received(request, headers);
    received.now = place_.now;
    return protocol::prepare(received, {place_.account, place_.region});
  }

  void play(const Request& request) {
    const protocol::Prepared prepared = prepare(request);
    if (const auto* call = std::get_if<protocol::PreparedCall>(&prepared)) {
      for (const protocol::Precondition& before : call->before) {
        if (const auto* check = std::get_if<CheckRedriveTarget>(&before.command)) judge(*check);
      }
      if (const auto* create = std::get_if<CreateQueue>(&call->command)) play(*create);
      if (const auto* change = std::get_if<SetQueueAttributes>(&call->command)) play(*change);
    } else if (const auto* of_triggers = std::get_if<protocol::PreparedTriggerCall>(&prepared)) {
      const TriggerCommand& command = of_triggers->command;
      if (const auto* create = std::get_if<CreateFunction>(&command)) play(*create);
      if (const auto* update = std::get_if<UpdateFunction>(&command)) play(*update);
      if (const auto* reserve = std::get_if<PutFunctionConcurrency>(&command)) play(*reserve);
      if (const auto* create = std::get_if<CreateMapping>(&command)) play(*create);
      if (const auto* update = std::get_if<UpdateMapping>(&command)) play(*update);
    } else {
      pass_over_creation();
    }
  }

  /// What the protocol refuses was told before. What else there is to be said of a function goes by what can be known
  /// of it all the same.
  void pass_over_creation() {
    if (step_->kind != "function" || step_->action != Action::create || find_function(step_->name) != nullptr) return;
    const bool is_said = step_->members.find("Timeout") != nullptr;
    const int timeout = number_of(step_->members, "Timeout").value_or(0);
    if (!is_said) {
      functions_[step_->name].emplace();
    } else if (timeout > 0 && timeout <= timeout_max) {
      functions_[step_->name] = Function{timeout, std::nullopt};
    }
  }

  void fail(const Error& error) {
    problems_.add(place_of_message(error.message, step_->members, step_->at), error.message);
  }

  // ---- Queues

  /// Those of the account and region that the plan is for; nullptr for one that is not there.
  Queue* find_queue(const std::string& name) {
    const auto known = queues_.find(name);
    std::optional<Queue>& queue = known == queues_.end() ? queues_[name] = ask_for_queue(name) : known->second;
    return queue ? &*queue : nullptr;
  }

  std::optional<Queue> ask_for_queue(const std::string& name) const {
    Value input = map_value();
    input.set("QueueUrl", text_value(place_.queue_url(name)));
    Value names;
    names.kind = Value::Kind::list;
    names.items.push_back(text_value("All"));
    Value question = input;
    question.set("AttributeNames", names);
    const Answer answer = ask_(sqs_request("GetQueueAttributes", question));
    if (!answer.is_success()) return std::nullopt;
    Queue queue;
    queue.record.name = {place_.account, place_.region, name};
    // As a change would say it, which is understood in the same way.
    Value attributes = map_value();
    for (const Member& member : part_of(content_of(answer), "Attributes").members) {
      if (member.name == "VisibilityTimeout" || member.name == "RedriveAllowPolicy") {
        attributes.set(member.name, member.value);
      }
    }
    input.set("Attributes", attributes);
    const protocol::Prepared prepared = prepare(sqs_request("SetQueueAttributes", input));
    if (const auto* call = std::get_if<protocol::PreparedCall>(&prepared)) {
      if (const auto* said = std::get_if<SetQueueAttributes>(&call->command)) merge(*said, queue);
    }
    return queue;
  }

  static void merge(const auto& said, Queue& queue) {
    core::merge_policies(said.attributes, said.redrive, said.redrive_allow, queue.record);
    const auto visibility = said.attributes.find("VisibilityTimeout");
    if (visibility == said.attributes.end()) return;
    // What is wrong with it was told before.
    queue.is_visibility_known = !core::merge_attributes({*visibility}, queue.record);
  }

  void play(const CreateQueue& command) {
    Queue queue;
    queue.record.name = command.queue;
    merge(command, queue);
    queues_[command.queue.name] = std::move(queue);
  }

  void play(const SetQueueAttributes& command) {
    if (Queue* queue = find_queue(command.queue.name)) merge(command, *queue);
  }

  void judge(const CheckRedriveTarget& check) {
    const Queue* const target = find_queue(check.queue.name);
    if (target == nullptr) return;
    const auto error = core::check_redrive_target(&target->record, check.source, check.policy);
    if (!error) return;
    const Value* const policy = step_->members.find("RedrivePolicy");
    problems_.add(policy == nullptr ? step_->at : policy->at, error->message);
  }

  /// What is wrong with a function that may run for so long and gets messages of a queue.
  std::optional<Error> objection_to_timeout(const std::string& queue, int timeout) {
    const Queue* const known = find_queue(queue);
    if (known == nullptr || !known->is_visibility_known) return std::nullopt;
    const auto visibility = std::chrono::duration_cast<std::chrono::seconds>(
        core::QueueSettings::from(known->record.attributes).visibility_timeout);
    if (visibility.count() >= timeout) return std::nullopt;
    return core::visibility_too_short(static_cast<int>(visibility.count()), timeout);
  }

  // ---- Functions

  Function* find_function(const std::string& name) {
    const auto known = functions_.find(name);
    std::optional<Function>& function =
        known == functions_.end() ? functions_[name] = ask_for_function(name) : known->second;
    return function ? &*function : nullptr;
  }

  std::optional<Function> ask_for_function(const std::string& name) const {
    const Answer answer = ask_(rest_request("GET", path_of_function(name)));
    if (!answer.is_success()) return std::nullopt;
    const Value content = content_of(answer);
    return Function{number_of(part_of(content, "Configuration"), "Timeout").value_or(timeout_default),
                    number_of(part_of(content, "Concurrency"), "ReservedConcurrentExecutions")};
  }

  /// As a mapping names it; empty for a version or an alias, of which there are none.
  std::string function_called(std::string_view text) const {
    const std::string home = place_.function_arn({});
    const std::string_view name = text.starts_with(home) ? text.substr(home.size()) : text;
    return std::string(name.find(':') == std::string_view::npos ? name : std::string_view());
  }

  /// The server asks the queues of a function only if that is to run for longer than before.
  bool may_run_for(const std::string& name, int timeout, int before) {
    if (timeout <= before) return true;
    for (const std::string& queue : queues_mapped_to(name)) {
      if (const auto error = objection_to_timeout(queue, timeout)) {
        fail(*error);
        return false;
      }
    }
    return true;
  }

  /// By the mappings that there are: those of the plan come after all functions.
  std::vector<std::string> queues_mapped_to(const std::string& function) const {
    std::vector<std::string> queues;
    const std::string home = place_.queue_arn({});
    const std::string path =
        std::string(mappings_path) + "?FunctionName=" + protocol::percent_encode(place_.function_arn(function));
    std::string marker;
    for (std::size_t page = 0; page < mapping_pages_max; ++page) {
      const std::string from = marker.empty() ? "" : "&Marker=" + protocol::percent_encode(marker);
      const Value content = content_of(ask_(rest_request("GET", path + from)));
      for (const Value& mapping : part_of(content, "EventSourceMappings").items) {
        const std::string arn = mapping.text_of("EventSourceArn");
        if (arn.starts_with(home)) queues.push_back(arn.substr(home.size()));
      }
      marker = content.text_of("NextMarker");
      if (marker.empty()) break;
    }
    return queues;
  }

  bool may_reserve(const Function* before, std::optional<int> wanted) {
    if (!wanted) return true;
    const auto& all = reservable();
    if (!all) return true;
    const auto error =
        core::objection_to_reservation(*wanted, before == nullptr ? 0 : before->reserved.value_or(0), *all);
    if (error) fail(*error);
    return !error;
  }

  const std::optional<core::Reservable>& reservable() {
    if (!std::exchange(asked_for_account_, true)) {
      const Value limit = part_of(content_of(ask_(rest_request("GET", account_path))), "AccountLimit");
      const auto all = number_of(limit, "ConcurrentExecutions");
      const auto unreserved = number_of(limit, "UnreservedConcurrentExecutions");
      if (all && unreserved) reservable_ = core::Reservable{*all, *unreserved};
    }
    return reservable_;
  }

  void set_reserved(Function& function, std::optional<int> reserved) {
    if (function.reserved == reserved) return;
    if (reservable()) reservable_->unreserved += function.reserved.value_or(0) - reserved.value_or(0);
    function.reserved = reserved;
  }

  void play(const CreateFunction& command) {
    const FunctionRecord& said = command.function;
    const std::string& name = said.name.name;
    Function* function = find_function(name);
    if (function != nullptr && !may_run_for(name, said.timeout_seconds, function->timeout)) return;
    const bool is_reserved = may_reserve(function, said.reserved_concurrency);
    if (function == nullptr) function = &functions_[name].emplace();
    function->timeout = said.timeout_seconds;
    if (is_reserved) set_reserved(*function, said.reserved_concurrency);
  }

  void play(const UpdateFunction& command) {
    Function* const function = find_function(command.function.name);
    const auto timeout = command.patch.timeout_seconds;
    if (function == nullptr || !timeout || !may_run_for(command.function.name, *timeout, function->timeout)) return;
    function->timeout = *timeout;
  }

  void play(const PutFunctionConcurrency& command) {
    Function* const function = find_function(command.function.name);
    if (function != nullptr && may_reserve(function, command.reserved)) set_reserved(*function, command.reserved);
  }

  // ---- Mappings

  void play(const CreateMapping& command) {
    const auto* const queue = std::get_if<QueueName>(&command.mapping.source);
    if (queue != nullptr) judge_mapping(queue->name, function_called(command.mapping.function_arn));
  }

  // One that is to be off is not judged.
  void play(const UpdateMapping& command) {
    const Mapping mapping{step_->at, step_->members};
    const std::string arn = source_of(mapping, place_).arn;
    const std::string home = place_.queue_arn({});
    if (!arn.starts_with(home)) return;
    const bool is_on = command.patch.enabled ? *command.patch.enabled : is_mapping_on(command.mapping.uuid);
    if (is_on) judge_mapping(arn.substr(home.size()), function_called(mapping.members.text_of("FunctionName")));
  }

  bool is_mapping_on(const std::string& uuid) const {
    const Answer answer = ask_(rest_request("GET", std::string(mappings_path) + "/" + protocol::percent_encode(uuid)));
    const std::string state = content_of(answer).text_of("State");
    return state != "Disabled" && state != "Disabling";
  }

  void judge_mapping(const std::string& queue, const std::string& name) {
    const Function* const function = name.empty() ? nullptr : find_function(name);
    if (function == nullptr) return;
    if (const auto error = objection_to_timeout(queue, function->timeout)) fail(*error);
  }

  const Place& place_;
  const Ask& ask_;
  Problems& problems_;
  const Step* step_ = nullptr;
  ByName<Queue> queues_;
  ByName<Function> functions_;
  std::optional<core::Reservable> reservable_;
  bool asked_for_account_ = false;
};

/// Only what is of the API's names and types: of the rest it cannot be said what is meant.
Setup in_order(const Setup& setup) {
  Setup part = setup;
  const auto is_wrong = [](const auto& resource) { return !resource.in_order; };
  std::erase_if(part.queues, is_wrong);
  std::erase_if(part.streams, is_wrong);
  std::erase_if(part.consumers, is_wrong);
  std::erase_if(part.functions, is_wrong);
  std::erase_if(part.mappings, is_wrong);
  return part;
}

}  // namespace

void rehearse(const std::vector<Step>& plan, const Place& place, const Ask& ask, Problems& problems) {
  Rehearsal rehearsal(place, ask, problems);
  for (auto begin = plan.begin(); begin != plan.end();) {
    const auto end = std::find_if(begin, plan.end(), [&](const Step& step) { return step.kind != begin->kind; });
    std::for_each(begin, end, [&](const Step& step) { rehearsal.play(step, step.calls); });
    std::for_each(begin, end, [&](const Step& step) { rehearsal.play(step, step.later); });
    begin = end;
  }
}

void rehearse_on_new_server(const Setup& setup, const Place& place, int concurrency_max, Problems& problems) {
  Value limit = map_value();
  limit.set("ConcurrentExecutions", number_value(concurrency_max));
  limit.set("UnreservedConcurrentExecutions", number_value(concurrency_max));
  Value account = map_value();
  account.set("AccountLimit", std::move(limit));
  constexpr int found = 200;
  constexpr int not_found = 404;
  const Ask ask = [&](const Request& request) {
    return request.target == account_path ? Answer{found, to_json(account)} : Answer{not_found, ""};
  };
  const Setup part = in_order(setup);
  // What the file names and does not have may be on the server.
  Problems of_names{""};
  rehearse(Planner(part, place, ask, of_names).make(), place, ask, problems);
}

}  // namespace penstock::config
