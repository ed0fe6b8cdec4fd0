#include "server/faults.hpp"

#include <algorithm>
#include <utility>

namespace penstock::server {

namespace {

bool is_of_requests(const FaultRule& rule) { return rule.commit_latency == Millis{0}; }

bool names(std::string_view wanted, std::string_view name) {
  if (wanted.ends_with('*')) return name.starts_with(wanted.substr(0, wanted.size() - 1));
  return wanted.empty() || wanted == name;
}

/// Whether it is the rule that is given, in which an id may be left out.
bool says(FaultRule given, const FaultRule& there) {
  if (given.id.empty()) given.id = there.id;
  return given == there;
}

}  // namespace

Faults::Answer Faults::carry_out(const ListFaults& /*command*/) {
  const std::lock_guard lock{mutex_};
  return list();
}

Faults::Answer Faults::carry_out(const AddFaults& command) {
  const std::lock_guard lock{mutex_};
  std::vector<Rule> rules;
  if (!command.replace) rules = rules_;
  for (const FaultRule& given : command.rules) {
    if (rules.size() >= fault_limits::rules_max) {
      return Error{ErrorCode::ServerConflict, "There are " + std::to_string(fault_limits::rules_max) +
                                                  " rules, which is as many as there may be."};
    }
    Rule rule{{given, 0}, given.seed ? *given.seed : entropy_.next()};
    std::string& id = rule.state.rule.id;
    const auto is_taken = [&rules](const std::string& wanted) {
      return std::ranges::any_of(rules, [&](const Rule& other) { return other.state.rule.id == wanted; });
    };
    if (!id.empty() && is_taken(id)) return Error{ErrorCode::ServerConflict, "There is a rule '" + id + "' already."};
    while (id.empty() || is_taken(id)) id = "fault-" + std::to_string(next_id_++);
    rules.push_back(std::move(rule));
  }
  rules_ = std::move(rules);
  changed();
  return list();
}

Faults::Answer Faults::carry_out(const RemoveFaults& command) {
  const std::lock_guard lock{mutex_};
  const std::size_t removed = std::erase_if(rules_, [&command](const Rule& rule) {
    const FaultRule& there = rule.state.rule;
    if (command.like)
      return std::ranges::any_of(*command.like, [&](const FaultRule& each) { return says(each, there); });
    return !command.id || there.id == *command.id;
  });
  if (command.id && removed == 0) return Error{ErrorCode::NotFound, "There is no rule '" + *command.id + "'."};
  changed();
  return list();
}

FaultList Faults::list() const {
  FaultList all;
  for (const Rule& rule : rules_) all.rules.push_back(rule.state);
  return all;
}

void Faults::changed() {
  Millis commit{0};
  for (const Rule& rule : rules_) commit += rule.state.rule.commit_latency;
  commit_latency_ms_ = std::min(commit, fault_limits::commit_latency_max).count();
  any_ = std::ranges::any_of(rules_, [](const Rule& rule) { return is_of_requests(rule.state.rule); });
}

bool Faults::meets(const FaultRule& rule, const FaultedCall& call) {
  return is_of_requests(rule) && (rule.service.empty() || rule.service == call.service) &&
         (rule.operation.empty() || rule.operation == call.operation) &&
         (rule.region.empty() || rule.region == call.region) && names(rule.resource, call.resource);
}

// SplitMix64, by Guy Steele, Doug Lea and Christine Flood (2014): one number of state, so that a seed says all.
std::uint64_t Faults::next_of(std::uint64_t& chances) {
  std::uint64_t z = (chances += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31U);
}

FaultVerdict Faults::judge(const FaultedCall& call) {
  FaultVerdict verdict;
  if (!any_.load(std::memory_order_relaxed)) return verdict;
  const std::lock_guard lock{mutex_};
  for (Rule& each : rules_) {
    const FaultRule& rule = each.state.rule;
    if (!meets(rule, call) || (rule.count && each.state.hits >= *rule.count)) continue;
    const bool is_over = verdict.error || verdict.throttle;
    // What is answered with one error is not met by another.
    if (is_over && (rule.error || rule.throttle)) continue;
    constexpr double steps = 9007199254740992.0;  // 2^53
    const double chance = static_cast<double>(next_of(each.chances) >> 11U) / steps;
    if (chance >= rule.probability) continue;
    ++each.state.hits;
    if (rule.error) verdict.error = rule.error;
    verdict.throttle = verdict.throttle || rule.throttle;
    verdict.latency += rule.latency;
    verdict.duplicate = verdict.duplicate || rule.duplicate;
    if (rule.reorder) verdict.reorder = next_of(each.chances);
  }
  verdict.latency = std::min(verdict.latency, fault_limits::latency_max);
  return verdict;
}

}  // namespace penstock::server
