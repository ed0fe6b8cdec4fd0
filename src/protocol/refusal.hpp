// Answers to requests of which no operation is asked: what a request seems to be, and errors of other tables than the
// operations' own.
#pragma once

#include <string_view>

#include "protocol/faults.hpp"
#include "protocol/reply.hpp"
#include "protocol/wire.hpp"

namespace penstock::protocol {

/// Which wire and which service's a request seems to be: answers, errors included, are worded so.
/// REQUIRES: at_plain_endpoint() has seen it.
Reply reply_to(const WireRequest& request);

/// In Penstock's own API it is what native_fault_of() makes of the fault's code. An empty message is the fault's usual
/// one.
WireResponse respond_fault(const Reply& reply, const Fault& fault, std::string_view message);

}  // namespace penstock::protocol
