// A seeded world: the real engine and the real record codec over a store that loses, tears and fails; clients that
// send, receive, delete, change their minds and go away; crashes of the process and of the machine. Every answer that a
// client gets is held against the model. One seed, one history.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "message_moves.hpp"
#include "model.hpp"
#include "penstock/engine.hpp"
#include "penstock/limits.hpp"
#include "pipeline.hpp"
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
  group_unlocked_by_send,   ///< a send to a FIFO group makes what is in flight of it visible
  dedup_forgotten,          ///< a restart forgets who has sent under which deduplication id
  dead_letter_lost,         ///< a dead letter is deleted before it is written
  dedup_scope_forgotten,    ///< a restart takes the whole queue for the scope of deduplication
  redriven_stays,           ///< what a move task has moved is still in the dead-letter queue too
  memory_trusted,           ///< what is leased in memory only is not fresh any more to the store
};

struct WorldOptions {
  std::uint64_t seed = 1;
  int steps = 320;
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
  std::uint64_t dead_letters() const { return dead_letters_; }
  std::uint64_t duplicates() const { return duplicates_; }

 private:
  struct Lease {
    std::size_t queue = 0;
    std::string body;
    std::string handle;
    bool certain = true;  // it was the latest when it was given, and nothing has come since that may have undone it
    bool ends_with_server = false;
  };
  struct OpenCall {
    enum class Kind : std::uint8_t { create, send, receive, remove, change, purge, drop_queue, move };
    Kind kind{};
    std::size_t queue = 0;
    std::vector<std::string> bodies{};
    Millis visibility{0};                      // receive
    Instant until{};                           // change: the new end; send: when it was asked for
    std::uint64_t change = 0;                  // and which of its message's it is
    bool effective = false;                    // remove: the handle is the latest beyond doubt
    bool gone = false;                         // receive: its client has hung up
    bool attempt = false;                      // receive: it has a ReceiveRequestAttemptId
    bool ends_with_server = false;             // receive: its client does
    std::vector<std::string> duplicates_of{};  // send: of each entry the id of the message that it repeats, or nothing
    std::vector<std::string> dedup_ids{};      // send: to a FIFO queue
    std::vector<std::string> groups{};         // the same
  };
  /// A send that was acknowledged, and may be repeated.
  struct Acknowledged {
    std::string dedup_id;
    std::string group;
    std::string message_id;
    Instant sent_at{};
  };
  struct QueuePlan {
    QueueName name;
    bool fifo = false;
    std::optional<std::size_t> dead_letter_queue{};  // these two share a model, and are never deleted
    std::optional<std::size_t> dead_letters_of{};
    bool exists = false;
    bool busy = false;  // a creation or deletion is under way
    std::shared_ptr<ModelQueue> model{};
    std::vector<Acknowledged> acknowledged{};
    bool dedup_by_group = false;
    std::set<std::pair<std::string, std::string>> dedup_ids{};  // that were used, each with its group
    std::string move_task{};                                    // the latest
    bool lasts() const { return dead_letter_queue || dead_letters_of; }
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
  void start_move(QueuePlan& plan);
  void cancel_move(QueuePlan& dead);
  void make_lasting_queues();
  CreateQueue creation_of(const QueuePlan& plan) const;
  ModelRules rules_of(const QueuePlan& plan) const;
  void add_fifo_parts(QueuePlan& plan, OutgoingMessage& message, OpenCall& call);
  void let_time_pass();
  void take_effects();
  void commit_some();
  void release_some();
  void run_loads();
  /// Applies a command of a message's way between two queues.
  CallId submit_move(Command command);
  void run_moves();
  void pump();
  void crash(bool power);
  void boot();
  void drain();
  void check_move_tasks();
  void check_counts();
  void drain_queue(std::size_t index);

  void on_reply(const Reply& reply, const Release& release);
  void check_call(const OpenCall& call, const Result& result, const Release& release);
  void on_sent(const OpenCall& call, const SendResults& results);
  bool is_known(const std::string& handle) const;
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

  Pipeline pipeline_;
  std::deque<Load> loads_;
  MessageMoves moves_;

  std::uint64_t next_call_ = 0;
  std::uint64_t next_body_ = 0;
  std::uint64_t step_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t crashes_ = 0;
  std::uint64_t dead_letters_ = 0;
  std::uint64_t duplicates_ = 0;
  std::string broken_;
};

}  // namespace penstock::sim
