// What there is, as lines by which it can be made again elsewhere: of what is changed meanwhile, as it was before or
// after.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>

#include "config/value.hpp"
#include "penstock/store.hpp"
#include "runner/code_store.hpp"
#include "server/own_clients.hpp"

namespace penstock::server {

class Exporter {
 public:
  /// What is handed in outlives it. `code` may be null. With `data` messages and records are among it.
  Exporter(const Store& store, const runner::CodeStore* code, OwnClients& clients, bool data);
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  /// The next lines; empty when there are no more. Throws OwnClient::Closed, and std::runtime_error where the data
  /// cannot be read. In a thread that may wait.
  std::string next();

 private:
  /// Appends some lines; false when it has no more.
  using Part = std::function<bool(std::string& lines)>;

  void plan();
  void plan_queues();
  void plan_streams();
  void plan_functions();
  void plan_mappings();
  std::string code_of(const std::string& sha256) const;

  const Store& store_;
  const runner::CodeStore* const code_;
  OwnClients& clients_;
  const bool data_;
  bool planned_ = false;
  bool ended_ = false;
  std::deque<Part> parts_;
  std::deque<Part> data_parts_;
};

}  // namespace penstock::server
