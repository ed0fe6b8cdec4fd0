// What keeps a server from being idle, as its parts tell it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace penstock {

struct Busy {
  std::string kind;  ///< "mapping", "consumer" or "function"
  std::string name;
  std::string what;  ///< for a person
};

/// At most so many are wanted of each part of the server.
using BusyList = std::vector<Busy>;
inline constexpr std::size_t busy_named_max = 100;

}  // namespace penstock
