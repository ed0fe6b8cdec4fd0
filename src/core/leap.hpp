// What a leap of the clock has to know of an engine: where it stops, and for whom it waits.
#pragma once

#include <optional>

#include "penstock/engine.hpp"
#include "penstock/time.hpp"

namespace penstock::core {

/// Members of consumers whose polls time has ended, and who have not polled since: whoever is alive is about to.
struct AwaitedMembers {
  Instant leases_end{};  ///< of the first of them
  Instant since{};       ///< when the last of these polls ended
};

/// The first moment that a leap must not pass over: the engine's next deadline, without the ends of members' polls. One
/// that polls is alive, however far the leap goes, and its poll ends where that stops.
std::optional<Instant> next_stop(const Engine& engine);

/// Those of them whose leases end no later than Engine::next_observable, if there are any.
std::optional<AwaitedMembers> awaited_members(const Engine& engine);

}  // namespace penstock::core
