// What the parts of making a plan have in common.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/plan.hpp"

namespace penstock::config {

class Planner {
 public:
  Planner(const Setup& setup, const Place& place, const Ask& ask, Problems& problems)
      : setup_(setup), place_(place), ask_(ask), problems_(problems) {}

  std::vector<Step> make();

 private:
  // Of each kind.
  void plan_queues();
  void plan_streams();
  void plan_consumers();
  void plan_functions();
  void plan_mappings();

  void visit_queue(std::size_t index, std::vector<int>& states);
  void plan_queue(const Resource& queue, bool with_redrive);
  void change_queue(const Resource& queue, const Value& actual, Step& step);
  void change_stream(const Resource& stream, const Value& actual, Step& step);
  void follow_creation(const Resource& stream, Step& step);
  void change_encryption(const Resource& stream, const Value& actual, Step& step);
  static void change_metrics_of(const Resource& stream, const Value& actual, Step& step);
  void change_shards(const Value& wanted, const Value& actual, Step& step);
  void add_consumers(const Resource& stream, bool exists, Step& step);
  void change_function(const Resource& function, const FunctionParts& parts, const Value& actual, Step& step);
  void change_code(const Resource& function, const FunctionParts& parts, const Value& actual, Step& step);
  void change_registration(const Resource& function, const FunctionParts& parts, const Value& actual, Step& step);
  void follow_creation(const FunctionParts& parts, Step& step);
  void change_invoke_config(const FunctionParts& parts, Step& step);
  // Each adds the request that says so, if there is anything to say.
  static void put_settings(const Value& settings, Step& step);
  void put_tags(const Value& tags, Step& step) const;
  static void put_concurrency(const std::optional<Value>& reserved, Step& step);
  void plan_mapping(const Mapping& mapping);
  void change_mapping(const Mapping& mapping, const Value& actual, Step& step);
  bool has_source(const Mapping& mapping, const Source& source);
  void check_mapping_names(const Mapping& mapping, const Source& source);
  std::optional<std::string> registered_arn(const std::string& stream, const std::string& consumer);

  /// The answer, or nothing where what is asked about is not there. Other errors are problems.
  std::optional<Value> look(const Request& request, Position at);
  bool queue_exists(const std::string& name);
  bool stream_exists(const std::string& name);
  bool function_exists(const std::string& name);
  /// A problem for a queue that neither the setup nor the server has.
  void need_queue(const std::string& named, Position at);
  void need_stream(const std::string& name, Position at);
  /// The same for each of DestinationConfig.
  void need_destinations(const Value& config);
  void need_function(const std::string& named, Position at);

  /// Adds what of `wanted` differs from `actual` to the step's changes, and answers with it.
  static Value differing(const Value& wanted, const Value& actual, Step& step);
  Step& add_step(std::string_view kind, const std::string& name, Position at, const Value& members);

  const Setup& setup_;
  const Place& place_;
  const Ask& ask_;
  Problems& problems_;
  std::vector<Step> steps_;
};

}  // namespace penstock::config
