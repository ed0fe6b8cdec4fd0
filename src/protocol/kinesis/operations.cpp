#include "protocol/kinesis/operations.hpp"

#include <algorithm>
#include <array>
#include <variant>

#include "protocol/decode.hpp"
#include "protocol/validate.hpp"

namespace penstock::protocol::kinesis {
namespace {

/// How a request of Kinesis becomes an input: types first, then all constraints at once.
struct ReadsInput {
  template <class Input>
  static Refusal read(const Call& call, Input& input) {
    Refusal refusal = std::visit([&](const auto& source) { return read_members(source, input); }, call.source);
    return refusal ? refusal : validate(input);
  }
};

template <class Op>
constexpr Operation offered() {
  return operation_of<Op, Call, ReadsInput>();
}

constexpr std::array<Operation, 0> table{};
static_assert(std::ranges::is_sorted(table, {}, &Operation::name), "find_by_name searches by halves");

}  // namespace

std::span<const Operation> operations() { return table; }

const Operation* find_operation(std::string_view name) { return find_by_name(operations(), name); }

}  // namespace penstock::protocol::kinesis
