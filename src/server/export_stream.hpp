// One client of an export: its lines are made as it takes them.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "net/exchange.hpp"
#include "server/state_keeper.hpp"

namespace penstock::server {

/// A handle: copies are of the same export, and what is on the way between the threads has one. Used in the exchange's
/// thread only.
class ExportStream {
 public:
  /// Begins the stream with its head, and sees to the end of the exchange. REQUIRES: called before the exchange's
  /// handler returns from start.
  ExportStream(net::Exchange& exchange, StateKeeper& keeper, std::shared_ptr<Exporter> exporter,
               protocol::WireResponse head);

 private:
  struct State;

  void cancel();
  void make_lines();
  void take(std::variant<std::string, Error> lines);

  std::shared_ptr<State> state_;
};

}  // namespace penstock::server
