// Keeps web pages out. A form of any page can post to a port of this machine, and Query requests are simple in the
// sense of CORS; a name that an attacker's DNS points at 127.0.0.1 even lets the page read the answers.
#pragma once

#include <string_view>

#include "protocol/wire.hpp"

namespace penstock::server {

struct Guard {
  /// True if only this machine can connect: then the Host must be a name of this machine.
  bool loopback_only = true;

  /// Empty if the request may go on, otherwise the reason why it may not.
  std::string_view objection(const protocol::WireRequest& request) const;
};

}  // namespace penstock::server
