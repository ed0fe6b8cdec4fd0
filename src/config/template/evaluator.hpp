// What the values of a template come to: its parameters, conditions and mappings, and the functions that are called on
// them. Values are as they stand in the document, but with functions in their long form (whole_form()).
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/problems.hpp"
#include "config/value.hpp"

namespace penstock::config {

/// What one template comes to at most, however often it repeats what it has.
inline constexpr std::size_t evaluated_values_max = 200'000;
inline constexpr std::size_t evaluated_bytes_max = 8U << 20U;
/// How many names or conditions may stand for each other in a row.
inline constexpr std::size_t reference_depth_max = 64;
inline constexpr std::size_t parameter_bytes_max = 4096;

/// A parameter's value as it stands on a command line.
struct GivenParameter {
  std::string name;
  std::string value;
};

/// What a template knows of where it is used.
struct TemplateInput {
  std::string account;
  std::string region;
  std::string endpoint;  ///< that queues' URLs begin with, without a path
  std::vector<GivenParameter> parameters{};
};

/// The document with tags such as `!Ref` and `!Sub` as the maps that they stand for.
Value whole_form(const Value& document);

// ---- Values that are not there

/// What is not known without the service. It is no problem before something that has an effect needs it. `about` is the
/// resource that it is asked of, if it is one.
Value unknown_value(Position at, const std::string& why, const std::string& about = {});
bool is_unknown(const Value& value);
/// The resource that an unknown value is asked of; empty if it is none.
std::string subject_of(const Value& unknown);
/// What has been told among the problems already.
Value wrong_value(Position at);
/// Tells what of a value is unknown; false if something is, or is wrong.
bool settle(const Value& value, Problems& problems);

class Evaluator {
 public:
  /// What Ref gives for a resource, or Fn::GetAtt where an attribute is named; nothing if there is no such resource.
  using Resolve = std::function<std::optional<Value>(const std::string& id, const std::string& attribute, Position at)>;

  /// All of it outlives this.
  Evaluator(const Value& document, const TemplateInput& input, Resolve resolve, Problems& problems);

  /// Nothing where it is AWS::NoValue.
  std::optional<Value> evaluate(const Value& value);
  /// False, and a problem, where there is no such condition.
  bool holds(const std::string& condition, Position at);
  /// Looks at every condition, whether something needs it or not.
  void check_conditions();

 private:
  using Function = std::optional<Value> (Evaluator::*)(const Value& argument, Position at);
  struct Named;

  static Function find(std::string_view name);

  void read_parameters(const Value& section);
  void read_parameter(const Member& declared);
  void check_parameter(const Member& declared, const std::string& text, Position at);
  void set_pseudo_parameters();
  void check_given(const Value* section);

  Value value_or_wrong(const Value& value);
  std::optional<Value> call(const Member& function);
  std::optional<Value> wrong(Position at, const std::string& what);
  bool count(std::size_t bytes, Position at);
  Value text_at(std::string text, Position at);
  /// The items of a function's list of so many; nullptr, and a problem, if it is none.
  const std::vector<Value>* arguments(std::string_view function, const Value& argument, std::size_t min,
                                      std::size_t max);
  /// A list of scalars that a function is given.
  std::optional<Value> list_of(std::string_view function, const Value& argument);
  /// Its text, or else the value that there is instead: unknown or wrong.
  struct Text {
    std::string text;
    std::optional<Value> instead{};
  };
  Text text_of(std::string_view function, const Value& argument);
  Value reference(const std::string& id, const std::string& attribute, Position at);

  std::optional<Value> ref(const Value& argument, Position at);
  std::optional<Value> get_att(const Value& argument, Position at);
  std::optional<Value> sub(const Value& argument, Position at);
  std::optional<Value> join(const Value& argument, Position at);
  std::optional<Value> select(const Value& argument, Position at);
  std::optional<Value> split(const Value& argument, Position at);
  std::optional<Value> choose(const Value& argument, Position at);
  std::optional<Value> find_in_map(const Value& argument, Position at);
  std::optional<Value> base64(const Value& argument, Position at);

  bool truth(const Value& value);
  bool equals(const Value& argument);
  bool all_or_any(std::string_view function, const Value& argument, bool all);

  const Value& document_;
  const TemplateInput& input_;
  const Resolve resolve_;
  Problems& problems_;
  std::map<std::string, Value, std::less<>> parameters_;  ///< pseudo parameters too
  std::map<std::string, bool, std::less<>> conditions_;   ///< that have been looked at
  std::set<std::string, std::less<>> under_way_;          ///< conditions that are being looked at
  bool in_conditions_ = false;
  std::size_t values_ = 0;
  std::size_t bytes_ = 0;
  bool exhausted_ = false;
};

}  // namespace penstock::config
