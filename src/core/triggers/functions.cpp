#include "core/triggers/functions.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/triggers/destinations.hpp"
#include "core/triggers/function_rules.hpp"
#include "core/triggers/trigger_errors.hpp"
#include "core/uuid.hpp"

namespace penstock::core {

namespace {

constexpr std::size_t function_tags_max = 50;

template <class Value>
void merge(Value& into, const std::optional<Value>& from) {
  if (from) into = *from;
}

void merge(FunctionRecord& record, const FunctionPatch& patch) {
  merge(record.kind, patch.kind);
  merge(record.runtime, patch.runtime);
  merge(record.handler, patch.handler);
  merge(record.command, patch.command);
  merge(record.directory, patch.directory);
  merge(record.url, patch.url);
  merge(record.code_sha256, patch.code_sha256);
  merge(record.code_bytes, patch.code_bytes);
  merge(record.role, patch.role);
  merge(record.description, patch.description);
  merge(record.timeout_seconds, patch.timeout_seconds);
  merge(record.memory_mib, patch.memory_mib);
  merge(record.storage_mib, patch.storage_mib);
  merge(record.architectures, patch.architectures);
  merge(record.environment, patch.environment);
  merge(record.log_group, patch.log_group);
  merge(record.tracing_mode, patch.tracing_mode);
  merge(record.kms_key_arn, patch.kms_key_arn);
  merge(record.dead_letter_arn, patch.dead_letter_arn);
}

std::optional<Error> check_destination(const std::optional<std::string>& arn) {
  if (!arn || arn->empty() || parse_destination(*arn)) return std::nullopt;
  return Error{ErrorCode::LambdaInvalidParameterValue,
               "The destination ARN " + *arn + " is invalid: a destination is an SQS queue or a Lambda function."};
}

}  // namespace

void Functions::recover(std::vector<FunctionRecord> found) {
  for (FunctionRecord& record : found) {
    generation_ = std::max(generation_, record.generation);
    context_.put_function(std::move(record));
  }
}

template <class Work>
void Functions::with_function(CallId call, const FunctionName& name, const Work& work) const {
  const auto found = context_.functions().find(name);
  if (found == context_.functions().end()) return context_.reply(call, function_not_found(name));
  // Held, since the work may put another in its place.
  const std::shared_ptr<const FunctionRecord> function = found->second;
  work(*function);
}

// Counted on from the clock, so that a function which is deleted and registered again is newer than what there was.
void Functions::renew(FunctionRecord& record) {
  generation_ =
      std::max(generation_ + 1, static_cast<std::uint64_t>(std::max<std::int64_t>(to_epoch_ms(context_.now), 1)));
  record.generation = generation_;
  record.revision_id = make_uuid(context_.entropy);
  record.modified = context_.now;
}

void Functions::put(const FunctionRecord& record) {
  context_.put_function(record);
  context_.promise(PutFunction{record});
}

void Functions::handle(CallId call, CreateFunction& command) {
  FunctionRecord& record = command.function;
  if (auto error = objection_to(record)) return context_.reply(call, std::move(*error));
  if (auto error = check_reservation(record.name, record.reserved_concurrency)) {
    return context_.reply(call, std::move(*error));
  }
  const auto existing = context_.functions().find(record.name);
  if (existing != context_.functions().end()) {
    if (!command.replace) return context_.reply(call, function_exists(record.name));
    const std::shared_ptr<const FunctionRecord> before = existing->second;
    return replace(call, *before, record);
  }
  if (context_.functions().size() >= context_.limits.functions_max) {
    return context_.reply(call, too_many_functions(context_.limits.functions_max));
  }
  renew(record);
  put(record);
  context_.reply(call, FunctionDescription{record});
  changed_(record.name);
}

// What a registration does not know of stays: how it is invoked asynchronously, and its tags.
void Functions::replace(CallId call, const FunctionRecord& existing, FunctionRecord& record) {
  if (!record.async) record.async = existing.async;
  if (record.tags.empty()) record.tags = existing.tags;
  record.revision_id = existing.revision_id;
  record.generation = existing.generation;
  record.modified = existing.modified;
  // A file that registers the same at every start changes nothing.
  if (record == existing) return context_.reply(call, FunctionDescription{record});
  renew(record);
  put(record);
  context_.effects.retires.push_back(Retire{record.name, record.generation});
  context_.reply(call, FunctionDescription{record});
  changed_(record.name);
}

void Functions::handle(CallId call, const GetFunction& command) const {
  with_function(call, command.function,
                [&](const FunctionRecord& function) { context_.reply(call, FunctionDescription{function}); });
}

void Functions::handle(CallId call, const ListFunctions& command) const {
  FunctionList answer;
  const auto& all = context_.functions();
  for (auto it = all.upper_bound({command.account, command.region, command.after}); it != all.end(); ++it) {
    if (it->first.account != command.account || it->first.region != command.region) break;
    if (answer.functions.size() == command.limit) {
      answer.more = true;
      break;
    }
    answer.functions.push_back(*it->second);
  }
  context_.reply(call, std::move(answer));
}

void Functions::handle(CallId call, UpdateFunction& command) {
  with_function(call, command.function, [&](const FunctionRecord& function) {
    if (!command.revision_id.empty() && command.revision_id != function.revision_id) {
      return context_.reply(call, revision_differs());
    }
    FunctionRecord changed = function;
    merge(changed, command.patch);
    if (auto error = objection_to(changed)) return context_.reply(call, std::move(*error));
    if (command.dry_run) return context_.reply(call, FunctionDescription{std::move(changed)});
    renew(changed);
    put(changed);
    context_.effects.retires.push_back(Retire{changed.name, changed.generation});
    context_.reply(call, FunctionDescription{changed});
    changed_(changed.name);
  });
}

void Functions::handle(CallId call, const DeleteFunction& command) {
  with_function(call, command.function, [&](const FunctionRecord& function) {
    context_.drop_function(function.name);
    context_.promise(DropFunction{function.name});
    // Not those of one that takes its name later.
    context_.effects.retires.push_back(Retire{function.name, function.generation + 1});
    context_.reply(call, Done{});
    changed_(function.name);
  });
}

std::optional<Error> Functions::check_reservation(const FunctionName& function, std::optional<int> wanted) const {
  if (!wanted) return std::nullopt;
  const auto found = context_.functions().find(function);
  const int before = found == context_.functions().end() ? 0 : found->second->reserved_concurrency.value_or(0);
  return objection_to_reservation(*wanted, before, {context_.limits.concurrency_max, context_.unreserved()});
}

void Functions::handle(CallId call, const PutFunctionConcurrency& command) {
  with_function(call, command.function, [&](const FunctionRecord& function) {
    if (auto error = check_reservation(function.name, command.reserved)) return context_.reply(call, std::move(*error));
    FunctionRecord changed = function;
    changed.reserved_concurrency = command.reserved;
    put(changed);
    context_.reply(call, FunctionDescription{std::move(changed)});
  });
}

void Functions::handle(CallId call, const PutAsyncConfig& command) {
  with_function(call, command.function, [&](const FunctionRecord& function) {
    if (command.patch && !function.async) return context_.reply(call, no_async_config(function.name));
    for (const auto* destination : {&command.on_success, &command.on_failure}) {
      if (auto error = check_destination(*destination)) return context_.reply(call, std::move(*error));
    }
    FunctionRecord changed = function;
    AsyncConfig config = command.patch ? *function.async : AsyncConfig{};
    merge(config.retries_max, command.retries_max);
    merge(config.age_seconds_max, command.age_seconds_max);
    merge(config.on_success, command.on_success);
    merge(config.on_failure, command.on_failure);
    config.modified = context_.now;
    changed.async = std::move(config);
    put(changed);
    context_.reply(call, FunctionDescription{std::move(changed)});
  });
}

void Functions::handle(CallId call, const DeleteAsyncConfig& command) {
  with_function(call, command.function, [&](const FunctionRecord& function) {
    if (!function.async) return context_.reply(call, no_async_config(function.name));
    FunctionRecord changed = function;
    changed.async.reset();
    put(changed);
    context_.reply(call, Done{});
  });
}

void Functions::handle(CallId call, const GetLambdaAccount& command) const {
  LambdaAccount answer;
  const auto& all = context_.functions();
  for (auto it = all.lower_bound({command.account, command.region, {}}); it != all.end(); ++it) {
    if (it->first.account != command.account || it->first.region != command.region) break;
    ++answer.functions;
    answer.code_bytes += it->second->code_bytes;
  }
  answer.concurrency_max = context_.limits.concurrency_max;
  answer.unreserved = context_.unreserved();
  context_.reply(call, answer);
}

void Functions::tag(CallId call, const FunctionName& name, const std::map<std::string, std::string>& tags) {
  with_function(call, name, [&](const FunctionRecord& function) {
    FunctionRecord changed = function;
    for (const auto& [key, value] : tags) changed.tags.insert_or_assign(key, value);
    if (changed.tags.size() > function_tags_max) return context_.reply(call, too_many_lambda_tags());
    put(changed);
    context_.reply(call, Done{});
  });
}

void Functions::untag(CallId call, const FunctionName& name, const std::vector<std::string>& keys) {
  with_function(call, name, [&](const FunctionRecord& function) {
    FunctionRecord changed = function;
    for (const std::string& key : keys) changed.tags.erase(key);
    put(changed);
    context_.reply(call, Done{});
  });
}

void Functions::list_tags(CallId call, const FunctionName& name) const {
  with_function(call, name, [&](const FunctionRecord& function) { context_.reply(call, LambdaTags{function.tags}); });
}

}  // namespace penstock::core
