#include "protocol/kinesis/call.hpp"

#include "penstock/stream_names.hpp"

namespace penstock::protocol::kinesis {

Precondition is_called(StreamId id, const StreamName& name) {
  const auto objection = [id, name](const Result& result) -> std::optional<Error> {
    if (const Error* error = std::get_if<Error>(&result)) return *error;
    const auto* found = std::get_if<StreamFound>(&result);
    if (found != nullptr && found->name == name) return std::nullopt;
    return invalid_argument("StreamId " + format_stream_id(id) + " is not that of stream " + name.name +
                            " under account " + name.account + ".");
  };
  return {StreamCommand(FindStream{{name.account, name.region, {}}, id}), objection};
}

}  // namespace penstock::protocol::kinesis
