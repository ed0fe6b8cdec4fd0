// The trigger engine: a synchronous state machine over functions, mappings and invokes.
#pragma once

#include <memory>

#include "penstock/entropy.hpp"
#include "penstock/triggers.hpp"

namespace penstock::core {

/// REQUIRES: `entropy` outlives the engine.
std::unique_ptr<TriggerEngine> make_trigger_engine(const TriggerLimits& limits, Entropy& entropy);

}  // namespace penstock::core
