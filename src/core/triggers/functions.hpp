// The registry of functions: what is known of them, who may change it, and which environments a change makes stale.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/triggers/context.hpp"

namespace penstock::core {

class Functions {
 public:
  /// `changed` is told of each function whose code or configuration was changed, which was registered or deleted.
  using Changed = std::function<void(const FunctionName&)>;

  Functions(TriggerContext& context, Changed changed) : context_(context), changed_(std::move(changed)) {}

  void recover(std::vector<FunctionRecord> found);

  void handle(CallId call, CreateFunction& command);
  void handle(CallId call, const GetFunction& command) const;
  void handle(CallId call, const ListFunctions& command) const;
  void handle(CallId call, UpdateFunction& command);
  void handle(CallId call, const DeleteFunction& command);
  void handle(CallId call, const PutFunctionConcurrency& command);
  void handle(CallId call, const PutAsyncConfig& command);
  void handle(CallId call, const DeleteAsyncConfig& command);
  void handle(CallId call, const GetLambdaAccount& command) const;
  void tag(CallId call, const FunctionName& function, const std::map<std::string, std::string>& tags);
  void untag(CallId call, const FunctionName& function, const std::vector<std::string>& keys);
  void list_tags(CallId call, const FunctionName& function) const;

 private:
  template <class Work>
  void with_function(CallId call, const FunctionName& name, const Work& work) const;
  void replace(CallId call, const FunctionRecord& existing, FunctionRecord& record);
  /// Gives it a revision and a generation, and makes environments of before stale.
  void renew(FunctionRecord& record);
  void put(const FunctionRecord& record);
  std::optional<Error> check_reservation(const FunctionName& function, std::optional<int> wanted) const;

  TriggerContext& context_;
  Changed changed_;
  std::uint64_t generation_ = 0;  ///< the greatest that was given
};

}  // namespace penstock::core
