// One client of SubscribeToShard: asks the shard of its stream for records, hands them on as events, and ends both
// sides whichever of them ends first.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "net/exchange.hpp"
#include "penstock/commands.hpp"
#include "protocol/wire.hpp"

namespace penstock::server {

/// A handle: copies are of the same subscription, and what is on the way between the threads has one. Used in the
/// exchange's thread only.
class Subscription {
 public:
  using Answered = std::function<void(std::optional<Result>)>;

  /// Where the records come from, once the shard has accepted the subscription.
  struct Source {
    StreamName stream;
    Subscribed subscribed;
    /// What is asked and told arrives at the stream's shard in this order. The answer comes in the exchange's thread,
    /// after `ask` has returned.
    std::function<void(Command command, Answered answered)> ask;
    std::function<void(Command command)> tell;
    /// Reads a page's records; answers what the client is to be told if that is not possible.
    std::function<std::optional<Error>(RecordsPage& page)> read;
  };

  /// Watches whether the exchange's client goes away, from before the shard is asked. REQUIRES: called before the
  /// exchange's handler returns from start. Until `begin` the exchange is its caller's, who may end it instead.
  Subscription(net::Exchange& exchange, protocol::EventFeed feed);

  /// Begins the stream of events with its head, and sees to the end of the exchange. If the client has gone meanwhile,
  /// that is now.
  void begin(protocol::WireResponse head, Source source);

 private:
  struct State;

  void cancel();
  void await_records();
  void take(std::optional<Result> result);
  void send(RecordsPage page);
  /// Ends the stream of events behind a last one, if it is not empty.
  void end(std::string last_event);
  void tell_end();

  std::shared_ptr<State> state_;
};

}  // namespace penstock::server
