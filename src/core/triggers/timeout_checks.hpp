// A change of a function that is to run for longer waits until the queues of its mappings have said that they hide
// their messages for as long as that.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "core/triggers/context.hpp"

namespace penstock::core {

class TimeoutChecks final : public Participant {
 public:
  using Accepted = std::function<void(CallId, UpdateFunction&)>;

  TimeoutChecks(TriggerContext& context, Accepted accepted) : context_(context), accepted_(std::move(accepted)) {}

  /// REQUIRES: the command has a timeout. A queue that is not there has nothing against it.
  void check(CallId call, UpdateFunction command, const std::vector<QueueName>& queues);

  // Participant.
  void answered(Answered answer) override;
  void invocation_over(InvocationOver /*over*/) override {}
  void due(std::uint64_t /*tag*/) override {}
  void slot_freed() override {}

 private:
  struct Check {
    CallId call;
    UpdateFunction command;
    std::size_t open = 0;
    bool refused = false;
  };

  TriggerContext& context_;
  const Accepted accepted_;
  std::map<AskId, std::shared_ptr<Check>> asked_;
};

}  // namespace penstock::core
