// Invokes whose caller waits for the answer.
#pragma once

#include <map>

#include "core/triggers/context.hpp"

namespace penstock::core {

class Invokes final : public Participant {
 public:
  explicit Invokes(TriggerContext& context) : context_(context) {}

  /// REQUIRES: of request_response or dry_run.
  void handle(CallId call, InvokeFunction& command);

  void answered(Answered /*answer*/) override {}
  void invocation_over(InvocationOver over) override;
  void due(std::uint64_t /*tag*/) override {}
  void slot_freed() override {}

 private:
  TriggerContext& context_;
  std::map<InvocationId, CallId> callers_;
};

}  // namespace penstock::core
