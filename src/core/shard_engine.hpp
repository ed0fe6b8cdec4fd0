// The engine of one shard: its catalog of queues, and the way of each command to the queue that it is about.
#pragma once

#include <memory>

#include "penstock/engine.hpp"
#include "penstock/entropy.hpp"
#include "penstock/limits.hpp"

namespace penstock::core {

/// `entropy` must outlive the engine.
std::unique_ptr<Engine> make_engine(const Limits& limits, Entropy& entropy);

}  // namespace penstock::core
