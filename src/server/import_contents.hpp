// Messages and records as the lines of an export have them, held against the rules that whoever sends and puts is held
// to: an import has nothing that no client could have made.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "config/value.hpp"
#include "penstock/commands.hpp"
#include "penstock/errors.hpp"
#include "server/own_clients.hpp"

namespace penstock::server {

/// Whether clients may be of that account and region.
bool is_home(const Home& home);

/// The message of a line, for that queue. An error says what no message has.
std::variant<ImportedMessage, Error> message_of_line(const QueueName& queue, const config::Value& message);

/// The record of a line, for that stream. An error says what no record has.
std::variant<PutEntry, Error> record_of_line(const StreamName& stream, const config::Value& record);

/// What is wrong with a map that has other members than these, or one of them twice; empty if nothing is.
std::string objection_to_members(const config::Value& map, const std::vector<std::string_view>& known);

/// In words that go on with a sentence.
std::string reason_of(const Error& error);

}  // namespace penstock::server
