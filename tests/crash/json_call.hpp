// A call of a client that expects to be answered with JSON.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>

#include "crash/http_client.hpp"

namespace penstock::crash {

/// The parsed answer, which lives until the parser's next use; nothing if there is none. An error is reported to the
/// ledger and ends the client, since nothing that these clients ask for may fail.
template <class Ledger>
std::optional<simdjson::dom::element> call_json(HttpClient& http, simdjson::dom::parser& parser, Ledger& ledger,
                                                std::string_view operation, const std::string& json) {
  const auto answer = http.call(operation, json);
  if (!answer) return std::nullopt;
  if (answer->status != 200) {
    ledger.report(std::string(operation) + " was answered with " + std::to_string(answer->status) + " " +
                  answer->body.substr(0, 200));
    return std::nullopt;
  }
  simdjson::dom::element parsed;
  const std::string_view text = answer->body.empty() ? std::string_view("{}") : std::string_view(answer->body);
  if (parser.parse(text.data(), text.size()).get(parsed) != simdjson::SUCCESS) {
    ledger.report(std::string(operation) + " was answered with what is not JSON");
    return std::nullopt;
  }
  return parsed;
}

}  // namespace penstock::crash
