// Keeps web pages out. A form of any page can post to a port of this machine, and Query requests are simple in the
// sense of CORS; a name that an attacker's DNS points at 127.0.0.1 even lets the page read the answers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/wire.hpp"

namespace penstock::server {

struct Guard {
  /// What the Host may be besides an address and a name that an attacker's DNS cannot answer for, in lower case. One
  /// that begins with a dot means all below it, and itself; any_host means any.
  std::vector<std::string> hosts;

  /// Empty if the request may go on, otherwise the reason why it may not.
  std::string_view objection(const protocol::WireRequest& request) const;

  /// The same of one by GET that changes something. A page's image is fetched by GET and, where the page wants it so
  /// and the browser does not tell of other sites, with nothing that says where it comes from, but for the browser's
  /// name, which no page can change. So a browser needs a credential for it; clients of the Query protocol do not.
  static std::string_view objection_to_change(const protocol::WireRequest& request);
};

inline constexpr std::string_view any_host = "*";

/// Whether it is one for Guard::hosts, in whatever case.
bool is_allowed_host(std::string_view host);

}  // namespace penstock::server
