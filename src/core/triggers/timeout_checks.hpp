// A change of a function that is to run for longer, or a registration that takes the place of one, waits until the
// queues of its mappings have said that they hide their messages for as long as that.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <variant>
#include <vector>

#include "core/triggers/context.hpp"

namespace penstock::core {

/// What may give a function another timeout.
using FunctionChange = std::variant<CreateFunction, UpdateFunction>;

class TimeoutChecks final : public Participant {
 public:
  using Accepted = std::function<void(CallId, FunctionChange&)>;

  TimeoutChecks(TriggerContext& context, Accepted accepted) : context_(context), accepted_(std::move(accepted)) {}

  /// `timeout_seconds` is what the change gives. A queue that is not there has nothing against it.
  void check(CallId call, FunctionChange change, int timeout_seconds, const std::vector<QueueName>& queues);

  // Participant.
  void answered(Answered answer) override;
  void invocation_over(InvocationOver /*over*/) override {}
  void due(std::uint64_t /*tag*/) override {}
  void slot_freed() override {}

 private:
  struct Check {
    CallId call;
    FunctionChange change;
    int timeout_seconds = 0;
    std::size_t open = 0;
    bool refused = false;
  };

  TriggerContext& context_;
  const Accepted accepted_;
  std::map<AskId, std::shared_ptr<Check>> asked_;
};

}  // namespace penstock::core
