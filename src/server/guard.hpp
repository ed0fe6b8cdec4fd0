// Keeps web pages out. A form of any page can post to a port of this machine, and Query requests are simple in the
// sense of CORS; a name that an attacker's DNS points at 127.0.0.1 even lets the page read the answers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/wire.hpp"

namespace penstock::server {

struct Guard {
  /// True if only this machine can connect: then the Host must be a name of this machine.
  bool loopback_only = true;
  /// Names that the Host may be besides, in lower case; one that begins with a dot means all below it, and itself.
  /// Where others can connect and there are some, it may be no other name, but for localhost and any address.
  std::vector<std::string> hosts;

  /// Empty if the request may go on, otherwise the reason why it may not.
  std::string_view objection(const protocol::WireRequest& request) const;
};

/// Whether it is a name for Guard::hosts, in whatever case.
bool is_host_name(std::string_view name);

}  // namespace penstock::server
