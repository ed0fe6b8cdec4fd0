// The ways of messages between queues, as the shards of a server go them: what one engine asks for, the other takes
// over and the first forgets. Here both are the same one.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "penstock/engine.hpp"
#include "penstock/store.hpp"

namespace penstock::sim {

class MessageMoves {
 public:
  /// Applies a command, and says as what.
  using Apply = std::function<CallId(Command)>;

  void add(std::vector<Transfer> transfers) {
    for (Transfer& transfer : transfers) waiting_.push_back(std::move(transfer));
  }
  bool empty() const { return waiting_.empty(); }
  /// What a crash does.
  void clear() {
    waiting_.clear();
    moving_.clear();
  }

  /// Begins the next one. False: the store failed.
  bool begin_next(const Store& store, const Apply& apply);
  /// False: it is no reply to one of its commands.
  bool on_reply(const Reply& reply, const Apply& apply);

 private:
  struct Moving {
    Transfer transfer;
    QueueId accepted_by{};
    bool settled = false;
  };

  std::deque<Transfer> waiting_;
  std::map<CallId, Moving> moving_;
};

}  // namespace penstock::sim
