// JSON of senders and of patterns, of which more has to be understood than the parser of requests does.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

#include "protocol/json.hpp"

namespace penstock::protocol::lambda {

/// A text that means the same as far as filters can tell, in which every number fits into a double at least and no
/// escape is half a pair: integers beyond 64 bits become the nearest double, what is beyond doubles the outermost one,
/// and a surrogate alone U+FFFD. What is no JSON remains none.
std::string within_types(std::string_view text);

/// What a text is, also if it is JSON whose numbers fit into no type or which escapes halves of pairs, as many
/// languages write them. Lives until the reader reads again.
simdjson::simdjson_result<simdjson::dom::element> read_content(JsonReader& reader, std::string_view text);

}  // namespace penstock::protocol::lambda
