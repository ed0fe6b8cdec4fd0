// From shapes to bodies and from bodies to shapes.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "penstock/client.hpp"
#include "protocol/decode.hpp"
#include "protocol/encode.hpp"
#include "protocol/json.hpp"
#include "protocol/shape.hpp"

namespace penstock::client {

template <protocol::Structure T>
std::string to_json(const T& shape) {
  protocol::JsonSink sink;
  sink.open();
  write_members(sink, shape);
  sink.close();
  return sink.take();
}

/// Members that the shape does not have are passed over: a newer server may say more. Throws Error if the answer is no
/// JSON or has a member of another type.
template <protocol::Structure T>
T from_json(const Answer& answer) {
  T out;
  const auto parsed = protocol::parse_json(answer.body);
  const auto* source = std::get_if<protocol::JsonSource>(&parsed);
  protocol::Refusal refusal = source != nullptr ? read_members(*source, out) : std::get<1>(parsed);
  if (refusal) throw Error(answer.status, "UnreadableAnswer", refusal->message);
  return out;
}

}  // namespace penstock::client
