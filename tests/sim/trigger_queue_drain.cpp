// The end of a history of queues' mappings: nothing goes wrong any more, and all that is owed is done.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "trigger_queue_world.hpp"

namespace penstock::sim {

bool TriggerQueueWorld::is_at_rest() const {
  return ledger_.running().empty() && events_.empty() && reports_.empty() && !triggers_->next_deadline();
}

/// Nothing goes wrong any more: everything that is owed is processed, and then there is nothing but one receive of each
/// mapping that waits.
void TriggerQueueWorld::drain() {
  is_calm_ = true;
  crash(false);
  pump();
  // The crash may have taken its creation.
  is_queue_missing_ = false;
  create_queue(plans_.at(1));
  pump();
  for (const std::string name : {"one", "events"}) apply(PutFunctionConcurrency{function_named(name), std::nullopt});
  for (Plan& plan : plans_) {
    if (plan.enabled) continue;
    MappingPatch patch;
    patch.enabled = plan.enabled = true;
    apply(UpdateMapping{plan.mapping_name(), std::move(patch)});
  }
  pump();
  // What was received before the crash is visible again by then, and what has failed was tried again as often as it
  // may.
  work_off(now_ + Millis{240'000});
  if (!broken_.empty()) return;
  take_dead_letters();
  hold(ledger_.owes());
  hold(ledger_.objection_to_dead(receives_max, is_prompt_));
  check_idle();
  if (options_.seed % 4 == 0) check_fairness();
}

void TriggerQueueWorld::take_dead_letters() {
  for (std::uint64_t before = UINT64_MAX; before != counts_.dead_letters && broken_.empty();) {
    before = counts_.dead_letters;
    OpenCall call;
    call.takes_dead = true;
    submit(std::move(call), ReceiveMessages{dead_letters, 10, sqs_limits::visibility_seconds_max, 0, {}});
    pump();
  }
}

/// While one mapping has more to do than it can, what comes for the others is done in time all the same.
void TriggerQueueWorld::check_fairness() {
  constexpr int rounds = 60;
  constexpr int ends_in_round = 3;
  std::vector<std::string> watched;
  for (int round = 0; round < rounds && broken_.empty(); ++round) {
    send_to(plans_.front(), 6);
    if (round == ends_in_round) {
      for (std::size_t i = 1; i < plans_.size(); ++i) watched.push_back(send_to(plans_[i], 1));
    }
    pump();
    for (int i = 0; i < ends_in_round && !ledger_.running().empty(); ++i) {
      const QueueRun oldest = ledger_.running().begin()->second;
      end(oldest, 0);
      pump();
    }
    pass_to(now_ + Millis{500});
    pump();
  }
  for (const std::string& body : watched) {
    if (!ledger_.is_done(body)) broken("'" + body + "' starves");
  }
  if (broken_.empty()) work_off(now_ + Millis{60'000});
  hold(ledger_.owes());
}

void TriggerQueueWorld::work_off(Instant until) {
  for (int round = 0; round < drain_rounds_max && broken_.empty() && !(now_ >= until && is_at_rest()); ++round) {
    while (ledger_.running().size() + events_.size() > 0 && broken_.empty()) end_some();
    while (!reports_.empty()) answer_report();
    pump();
    if (ledger_.running().size() + events_.size() > 0 || !reports_.empty()) continue;
    Instant next = until;
    if (const auto of_queues = queues_->next_deadline()) next = std::min(next, *of_queues);
    if (const auto of_triggers = triggers_->next_deadline()) next = std::min(next, *of_triggers);
    pass_to(std::max(next, now_));
    pump();
  }
  if (broken_.empty() && !is_at_rest()) broken("something is always to be done");
}

void TriggerQueueWorld::check_idle() {
  std::size_t receives = 0;
  for (const auto& [id, call] : calls_) {
    if (call.ask && !call.cancelled && std::holds_alternative<ReceiveMessages>(call.ask->command)) ++receives;
  }
  if (receives != plans_.size()) broken("idle mappings have more than a receive each, or less");
}

}  // namespace penstock::sim
