// The keeper: a small process with one thread, from which all function processes descend. The server is large and has
// many threads, so that forking it is slow and delicate; and what it leaves behind when it is killed has to be cleaned
// up by somebody.
//
// For each function process the keeper forks a *guard*, which is its parent. A guard is a subreaper: whatever the
// function starts, and however it detaches itself, ends up as a child of its guard, which kills all of it when the
// function process has ended, when the server says so, or when the server is gone. A guard that is killed takes its
// function with it, and leaves the rest to the keeper.
#pragma once

namespace penstock::runner {

/// The keeper's main, which the server starts with its end of the socket as `fd`. Returns when the server is gone and
/// no process is left.
int run_keeper(int fd);

}  // namespace penstock::runner
