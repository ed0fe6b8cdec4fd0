// The resources that a template declares: which there are, what they are called, and what others are told of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/creation.hpp"
#include "config/problems.hpp"
#include "config/template/evaluator.hpp"
#include "config/value.hpp"

namespace penstock::config {

enum class ResourceKind : std::uint8_t {
  other,  ///< there is nothing of the kind here
  consumer,
  function,
  mapping,
  queue,
  queue_policy,
  serverless_function,
  stream,
};

struct Declared {
  std::string id;
  Position at;
  std::string type;
  ResourceKind kind = ResourceKind::other;
  Value properties;  ///< as they stand there, with what Globals say of all of its type
  std::string condition{};
  Position condition_at{};
};

class Resources {
 public:
  /// All of it outlives this. `document` is in its whole form.
  Resources(const Value& document, const TemplateInput& input, Problems& problems);
  Resources(const Resources&) = delete;
  Resources& operator=(const Resources&) = delete;

  const std::vector<Declared>& all() const { return declared_; }
  Evaluator& evaluator() { return evaluator_; }
  const Place& place() const { return place_; }

  /// False where its condition does not hold.
  bool exists(const Declared& resource);
  /// What the service would call it, or else unknown or wrong.
  Value name_of(const Declared& resource);

 private:
  void declare(const Member& member, const Value* globals);
  void check_dependencies(const Value& depends);
  Value find_name(const Declared& resource);
  const Declared* find(std::string_view id) const;
  std::optional<Value> resolve(const std::string& id, const std::string& attribute, Position at);
  Value attribute_of(const Declared& resource, const std::string& attribute, Position at);
  Value attribute_of_consumer(const Declared& consumer, const std::string& attribute, Position at);
  std::string attribute_of_other(const Declared& resource, const std::string& attribute, const std::string& name) const;

  const Value& document_;
  const TemplateInput& input_;
  Problems& problems_;
  const Place place_;
  std::vector<Declared> declared_;
  std::map<std::string, std::size_t, std::less<>> by_id_;
  std::map<std::string, Value, std::less<>> names_;  ///< found, or being found
  std::size_t depth_ = 0;
  Evaluator evaluator_;
};

/// A stream and its registered consumer, of whose ARN only the registration knows the end: an unknown value, and what
/// stands for it as the source of a mapping.
Value unknown_consumer(Position at, const std::string& stream, const std::string& consumer);
/// `stream:NAME/CONSUMER`, or empty if it is something else.
std::string consumer_of(const Value& unknown);

}  // namespace penstock::config
