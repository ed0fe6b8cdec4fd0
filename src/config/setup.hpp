// What a server is to have: queues, streams, consumers, functions and mappings, and the settings it is started with,
// however that was written down. The members of each are called as in the API that makes it, and have the types that
// they have there; what they say beyond that is judged by the service (check.hpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/credentials.hpp"
#include "config/problems.hpp"
#include "config/value.hpp"
#include "penstock/functions.hpp"

namespace penstock::config {

/// A setting of the server, called as the flag of `penstock serve` that says the same.
struct Setting {
  std::string name;
  Position at;
  std::vector<std::string> values;  ///< more than one only where a flag may be given more than once
  Position value_at;
};

/// A queue, a stream or a function, with its members as they were given; those are a map, perhaps an empty one.
struct Resource {
  std::string name;
  Position at;
  Value members;
  bool in_order = true;  ///< names and types are those of the API
};

/// One of Penstock's own, with positions.
struct Consumer {
  std::string stream;
  std::string name;
  Position at;
  Value members;
  bool in_order = true;
};

/// The members say which source (EventSource or EventSourceArn) and which function.
struct Mapping {
  Position at;
  Value members;
  bool in_order = true;
};

struct Setup {
  std::vector<Setting> settings;
  std::vector<Credential> credentials;
  std::vector<Resource> queues;
  std::vector<Resource> streams;
  std::vector<Consumer> consumers;
  std::vector<Resource> functions;
  std::vector<Mapping> mappings;
};

/// Which kind of function it is where nothing but its members says so: a URL, a command, or a runtime. Shared by all
/// that register functions.
FunctionKind kind_of(std::string_view runtime, bool has_command, bool has_url);

/// A problem for a mapping of what one of the others is of already.
void check_is_new(const Mapping& mapping, const std::vector<Mapping>& others, Problems& problems);

/// The description that a document is, as far as it is one: what is not is among the problems.
Setup read_setup(const Value& document, Problems& problems);

}  // namespace penstock::config
