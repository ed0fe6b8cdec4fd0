// Everything deleted, or all of a service: by the commands by which clients delete, so that whoever waits is answered,
// and what a crash leaves of any one thing is all of it or nothing.
#pragma once

#include <cstdint>
#include <variant>

#include "penstock/errors.hpp"
#include "penstock/server_commands.hpp"
#include "penstock/store.hpp"
#include "server/insider.hpp"

namespace penstock::server {

class Resetter {
 public:
  /// What is handed in outlives it.
  Resetter(const Service& service, const Store& store, Insider& insider)
      : service_(service), store_(store), insider_(insider) {}

  /// Waits until it is all gone. Throws Insider::Closed. In a thread that may wait, and one at a time.
  std::variant<ServerReset, Error> run(ResetServer::Scope scope);

 private:
  struct Round;

  void delete_mappings(Round& round);
  void delete_functions(Round& round);
  void delete_streams(Round& round);
  void delete_queues(Round& round);

  const Service& service_;
  const Store& store_;
  Insider& insider_;
};

}  // namespace penstock::server
