// Answers in the protocol of their request.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "penstock/errors.hpp"
#include "protocol/cbor.hpp"
#include "protocol/encode.hpp"
#include "protocol/json.hpp"
#include "protocol/shape.hpp"
#include "protocol/wire.hpp"
#include "protocol/xml.hpp"

namespace penstock::protocol {

enum class Wire : std::uint8_t { json, query, cbor };
enum class Service : std::uint8_t { sqs, kinesis, lambda, penstock };

/// Which wires a service speaks beside JSON.
struct SqsWires {
  static constexpr bool query = true;
  static constexpr bool cbor = false;
};
struct KinesisWires {
  static constexpr bool query = false;
  static constexpr bool cbor = true;
};
/// Lambda, whose JSON is only the body of what else is HTTP.
struct LambdaWires {
  static constexpr bool query = false;
  static constexpr bool cbor = false;
};
/// Penstock's own API.
struct PenstockWires {
  static constexpr bool query = false;
  static constexpr bool cbor = false;
};

/// What an answer needs to know of its request.
struct Reply {
  Wire wire = Wire::query;
  std::string request_id;
  Service service = Service::sqs;  ///< which decides on versions of JSON and on what errors look like
};

/// A response with that body, of the service's content type and with the headers of every answer.
WireResponse respond(const Reply& reply, int status, std::string body);

WireResponse respond_fault(const Reply& reply, const Error& error);

/// An error that is in no table.
WireResponse respond_named_fault(const Reply& reply, int status, std::string_view code, std::string_view message);

/// An error of Penstock's own API: {"Error": name, "Message": message}.
WireResponse respond_native_fault(const Reply& reply, int status, std::string_view name, std::string_view message);

/// GET or POST without any operation: what the service answers before it knows which protocol is meant.
WireResponse respond_no_operation(const Reply& reply);

/// The document of a Query answer: `result` is where its output goes, and is empty where there is none.
struct QueryAnswer {
  pugi::xml_document document;
  pugi::xml_node root;
  pugi::xml_node result;
};
void begin_query_answer(QueryAnswer& answer, std::string_view operation, bool has_output);
std::string end_query_answer(QueryAnswer& answer, const Reply& reply);

/// Whether all that an output has stands elsewhere than in a JSON body.
template <Structure Output>
constexpr bool is_outside_body() {
  bool any = false;
  bool outside = true;
  for_each_member<Output>([&](const auto& member) {
    any = true;
    outside = outside && member.place != Place::body;
  });
  return any && outside;
}

/// Puts the members of an output where they stand, those of the body excepted.
template <Structure Output>
void write_outside_body(const Output& output, WireResponse& response) {
  for_each_member<Output>([&](const auto& member) {
    const auto& field = output.*member.field;
    if (!field) return;
    using Field = typename std::remove_cvref_t<decltype(field)>::value_type;
    if constexpr (is_string<Field>) {
      if (member.place == Place::header) response.headers.emplace_back(member.names.json, *field);
    } else if constexpr (is_blob<Field>) {
      if (member.place == Place::payload) response.body = field->view();
    } else if constexpr (std::is_same_v<Field, std::int32_t>) {
      if (member.place == Place::status) response.status = *field;
    }
  });
}

/// The body that an output is. One that is long says about how long, so that what is written need not move as it grows.
template <Sink S, Structure Output>
std::string written_by(const Output& output) {
  S sink;
  if constexpr (requires { output.bytes_expected(); }) sink.reserve(output.bytes_expected());
  write_value(sink, Names{}, output);
  return sink.take();
}

/// The answer with that output, in one of the wires that the service speaks: an operation is compiled for no other.
/// REQUIRES: the reply's wire is one of them.
template <class Wires, Structure Output>
WireResponse respond_with(const Reply& reply, std::string_view operation, const Output& output) {
  constexpr bool has_output = !std::is_same_v<Output, Nothing>;
  if constexpr (Wires::query) {
    if (reply.wire == Wire::query) {
      QueryAnswer answer;
      begin_query_answer(answer, operation, has_output);
      XmlSink sink(answer.result);
      write_members(sink, output);
      return respond(reply, 200, end_query_answer(answer, reply));
    }
  }
  if constexpr (!has_output || is_outside_body<Output>()) return respond(reply, 200, {});
  if constexpr (Wires::cbor) {
    if (reply.wire == Wire::cbor) return respond(reply, 200, written_by<CborSink>(output));
  }
  return respond(reply, 200, written_by<JsonSink>(output));
}

}  // namespace penstock::protocol
