// The trigger engine: a synchronous state machine over functions, mappings and invokes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "penstock/entropy.hpp"
#include "penstock/triggers.hpp"

namespace penstock::core {

/// The event that a function gets which is the destination of another's asynchronous invokes: JSON, whose rendering is
/// the protocol's. It is handed in, so that the event is durable in the same commit as the end that it tells of.
using RenderAsyncEnd = std::function<std::string(const AsyncEnd&)>;

/// REQUIRES: `entropy` outlives the engine.
std::unique_ptr<TriggerEngine> make_trigger_engine(const TriggerLimits& limits, Entropy& entropy,
                                                   RenderAsyncEnd render);

}  // namespace penstock::core
