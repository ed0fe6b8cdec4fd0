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

std::optional<Error> check_agrees(StreamName& stream, StreamId id, const std::optional<std::string>& stream_arn,
                                  const std::optional<std::string>& stream_id, const Caller& caller) {
  if (!stream_arn && !stream_id) return std::nullopt;
  auto found = address_of({}, stream_arn, stream_id, caller);
  if (Error* error = std::get_if<Error>(&found)) return std::move(*error);
  const auto& named = std::get<Address>(found);
  if (stream_arn && stream.name.empty()) stream.name = named.stream.name;
  const bool same_stream = !stream_arn || named.stream == stream;
  const bool same_id = !named.id || *named.id == id;
  if (same_stream && same_id) return std::nullopt;
  return invalid_argument("The token was not issued for the stream that the request names.");
}

StreamName account_of(const Caller& caller) { return {std::string(caller.account), std::string(caller.region), {}}; }

}  // namespace penstock::protocol::kinesis
