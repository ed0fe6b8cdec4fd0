// How the parts of a server that live in threads of their own are asked whether anything is going on in them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/leap.hpp"
#include "penstock/busy.hpp"
#include "penstock/server_commands.hpp"
#include "penstock/time.hpp"

namespace penstock::server {

/// What goes on in a part of the server, at a moment of its thread.
struct Pulse {
  bool quiet = false;                      ///< nothing is under way that ends by itself
  std::uint64_t work = 0;                  ///< grows with everything that is begun
  std::optional<Instant> next;             ///< when something is due that a leap does not pass over, or is due by now
  std::optional<Instant> next_observable;  ///< when something is that a client could see
  std::optional<core::AwaitedMembers> awaited;
  BusyList busy;  ///< if it was asked for
};

/// A part of the server that goes by its clock.
class Timed {
 public:
  Timed() = default;
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;
  virtual ~Timed() = default;

  virtual boost::asio::io_context& context() = 0;

  // In its thread:

  virtual Pulse pulse(bool with_names) const = 0;
  /// What is known here of a message.
  virtual std::vector<MessageStep> trace(const std::string& message_id) const = 0;
  /// Lets happen what is due now, and sets its timers anew.
  virtual void clock_changed() = 0;
};

}  // namespace penstock::server
