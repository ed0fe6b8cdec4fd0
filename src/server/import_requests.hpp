// Which requests the lines of an export may have: those that make something, and those that make it whole. An import
// only adds, so that the latter are about what the former have made, and about nothing else.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/value.hpp"
#include "server/own_clients.hpp"

namespace penstock::server {

/// The creations that a line has: one, or a list of them where what they make refers to each other.
std::vector<const config::Value*> creations_of(const config::Value& line);

/// Whether it is one of the requests by which exports have things made.
bool is_creation(const config::Value& request);

/// What it makes, in words that nothing else is called by: nothing where there is nothing to be set of it.
std::optional<std::string> made_by(const Home& home, const config::Value& creation);

/// What it is about, in the same words; nothing if it is none of the requests by which exports make things whole.
std::optional<std::string> set_by(const Home& home, const config::Value& setting);

/// Why lines are not to be imported at all, neither they nor those that come with them: they are of another format, or
/// set what they have not made. Names the line; `number` is that of the first. Empty if nothing speaks against it.
std::string objection_to_lines(std::string_view lines, std::size_t number);

/// Takes the first line off, without its break.
std::string_view take_line(std::string_view& lines);

}  // namespace penstock::server
