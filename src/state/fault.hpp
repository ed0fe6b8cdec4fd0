// Why what was asked of data as a whole was not done.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace penstock::state {

/// what() is one line for whoever asked.
class Fault : public std::runtime_error {
 public:
  enum class Kind : std::uint8_t {
    refused,    ///< what was asked for cannot be done, and nothing was
    damaged,    ///< what there is is not what was written
    no_room,    ///< a disk is full
    failed,     ///< something could not be read or written
    cancelled,  ///< whoever watched wanted no more
  };

  Fault(Kind kind, const std::string& what) : std::runtime_error(what), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

/// How far it is. Both of each pair are 0 where that is not known.
struct Progress {
  std::string_view what;  ///< such as "copying"
  std::uint64_t files = 0;
  std::uint64_t files_done = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_done = 0;
  std::uint64_t entries_done = 0;  ///< of what is read entry by entry
};

/// Told now and then; the work ends, with Fault::Kind::cancelled, where it answers false. May be empty.
using Watch = std::function<bool(const Progress&)>;

}  // namespace penstock::state
