// A seeded world: the real engine and the real record codec over a store that loses, tears and fails; clients that
// send, receive, delete, change their minds and go away; crashes of the process and of the machine. Every answer that a
// client gets is held against the model. One seed, one history.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "model.hpp"
#include "penstock/engine.hpp"
#include "penstock/limits.hpp"
#include "storage/faulty_store.hpp"
#include "support/random.hpp"

namespace penstock::sim {

using test::Random;

/// Ways in which an implementation could be wrong. The simulation has to notice each.
enum class Defect : std::uint8_t {
  none,
  acknowledge_before_sync,  ///< replies do not wait for the disk
  lease_too_short,          ///< visibility ends a second early
  delete_not_written,       ///< a delete is acknowledged and forgotten by the next start
  delay_ignored,            ///< a delayed message is delivered at once
  head_not_advanced,        ///< what was received is fresh again after a restart
};

struct WorldOptions {
  std::uint64_t seed = 1;
  int steps = 250;
  Defect defect = Defect::none;
};

class World {
 public:
  explicit World(const WorldOptions& options);
  ~World();

  /// Runs the history to its end, drains the queues and settles the accounts. Empty if every promise was kept,
  /// otherwise what was broken, with the step.
  std::string run();

  std::uint64_t deliveries() const { return delivered_; }
  std::uint64_t crashes() const { return crashes_; }

 private:
  struct Lease {
    std::size_t queue = 0;
    std::string body;
    std::string handle;
    bool certain = true;  // it was the latest when it was given, and no loss of power has come since
  };
  struct OpenCall {
    enum class Kind : std::uint8_t { create, send, receive, remove, change, purge, drop_queue };
    Kind kind{};
    std::size_t queue = 0;
    std::vector<std::string> bodies{};
    Millis visibility{0};      // receive
    Instant until{};           // change: the new end
    std::uint64_t change = 0;  // and which of its message's it is
    bool effective = false;    // remove: the handle is the latest beyond doubt
    bool gone = false;         // receive: its client has hung up
  };
  struct QueuePlan {
    QueueName name;
    bool exists = false;
    bool busy = false;  // a creation or deletion is under way
    std::unique_ptr<ModelQueue> model;
  };
  struct Batch {
    WriteBatch bytes;
    bool sync = false;
  };
  struct Release {
    std::uint64_t written = 0;  // the position of the log that has to be reached
    std::vector<Reply> replies;
    Instant decided_at{};
    std::uint64_t decided_at_step = 0;
    std::vector<Load> loads;
  };

  void step();
  void act();
  CallId issue(OpenCall call, Command command);
  void send_some(QueuePlan& plan);
  void receive_some(QueuePlan& plan);
  void remove_some();
  void change_some();
  void hang_up();
  void toggle_queue(QueuePlan& plan);
  void purge(QueuePlan& plan);
  void let_time_pass();
  void take_effects();
  void commit_some();
  void release_some();
  void run_loads();
  void pump();
  void crash(bool power);
  void boot();
  void drain();
  void drain_queue(std::size_t index);

  void on_reply(const Reply& reply, const Release& release);
  void check_call(const OpenCall& call, const Result& result, const Release& release);
  void on_deliveries(const OpenCall& call, const Deliveries& deliveries, const Release& release);
  bool is_latest(const Lease& lease) const;
  void broken(const std::string& what);

  std::size_t index_of(const QueuePlan& plan) const { return static_cast<std::size_t>(&plan - queues_.data()); }

  const WorldOptions options_;
  Random random_;
  Random engine_entropy_;
  Limits limits_;
  Millis retention_;
  Instant now_ = from_epoch_ms(1'700'000'000'000);
  storage::FaultyStore store_;
  std::unique_ptr<Engine> engine_;

  std::vector<QueuePlan> queues_;
  std::unordered_map<CallId, OpenCall> calls_;
  std::vector<Lease> leases_;

  std::deque<Batch> batches_;
  std::deque<Release> releases_;
  std::deque<Load> loads_;
  std::uint64_t submitted_ = 0;
  std::uint64_t written_ = 0;

  std::uint64_t next_call_ = 0;
  std::uint64_t next_body_ = 0;
  std::uint64_t step_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t crashes_ = 0;
  std::string broken_;
};

}  // namespace penstock::sim
