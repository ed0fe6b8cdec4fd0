// A running server: threads, shards, sessions and the listener, and how they end.
#pragma once

#include "penstock/store.hpp"
#include "server/options.hpp"

namespace penstock::server {

/// Serves until SIGTERM or SIGINT, then finishes what is open and syncs. Answers the process's exit status; problems
/// are printed as one line on standard error.
int serve(const Options& options);

}  // namespace penstock::server
