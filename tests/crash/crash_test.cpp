// The real binary under load from several connections, killed with SIGKILL at a moment that a seed chooses, started
// again on the same directory, and again: every message that was acknowledged is accounted for, in order where the
// queue has one, and in one place, also while dead letters leave their queue and a task brings them back.
//
// PENSTOCK_CRASH_ROUNDS says how often (30), PENSTOCK_CRASH_SEED which way (random, printed).
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <numeric>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "crash/client.hpp"
#include "crash/environment.hpp"
#include "crash/http_client.hpp"
#include "crash/ledger.hpp"
#include "crash/queues.hpp"
#include "crash/server_process.hpp"

namespace penstock::crash {
namespace {

constexpr int client_count = 8;
// No message is hidden for longer without its handle being held, so that after so long all can be drained.
constexpr int short_visibility_max = 2;
// In every so manieth round a task moves dead letters back.
constexpr std::uint64_t move_rounds = 6;

/// A worker's turn: receives messages, and does something else with each.
bool work(Client& client, std::size_t source, std::mt19937_64& random) {
  const std::optional<std::size_t> dead_letters = queues[source].dead_letters;
  const bool is_post_mortem = dead_letters && random() % 8 == 0;
  // Dead letters are let go soon, since a move task takes only what nobody holds.
  const int visibility = is_post_mortem ? 1 : 1 + static_cast<int>(random() % short_visibility_max);
  // Where messages are often in flight or in order, a wait is often one for nothing.
  const bool waits = random() % (dead_letters || queues[source].fifo ? 64 : 8) == 0;
  std::vector<Held> got;
  bool alive = client.receive(is_post_mortem ? *dead_letters : source, visibility, waits ? 1 : 0, got);
  std::vector<Held> done;
  for (const Held& message : got) {
    const std::uint64_t fate = random() % 10;
    if (is_post_mortem) {
      if (fate < 2) done.push_back(message);
    } else if (dead_letters && is_poison(message.number)) {
      if (fate < 6 && alive) alive = client.release(message);
    } else if (fate < 6) {
      done.push_back(message);
    } else if (fate == 6 && alive) {
      alive = client.release(message);
    } else if (fate == 7 && alive) {
      alive = client.hide(message);
    }
  }
  return alive && client.remove(done);
}

/// One client thread's life in one round: random operations on the first `load` queues until the server is gone.
void run_client(Client client, Ledger& ledger, std::size_t load, std::uint64_t seed,
                const std::function<void()>& completed) {
  std::mt19937_64 random(seed);
  for (bool alive = true; alive;) {
    const std::size_t queue = random() % load;
    const std::uint64_t dice = random() % 100;
    if (dice < 30) {
      const auto again = dice < 8 ? ledger.repeatable(queue, random()) : std::nullopt;
      // In a FIFO queue no message has a delay of its own.
      const seconds delay(random() % 10 == 0 && !queues[queue].fifo ? 1 : 0);
      alive = again ? client.send_again(*again) : client.send(queue, delay);
    } else if (dice < 40) {
      alive = client.send_batch(queue, 1 + random() % 10);
    } else if (dice < 50) {
      const std::optional<Held> held = ledger.take_held(queue, random());
      if (held) alive = random() % 2 == 0 ? client.release(*held) : client.remove_held(*held);
    } else {
      alive = work(client, queue, random);
    }
    if (alive) completed();
  }
}

class Crash : public testing::Test {
 protected:
  void TearDown() override {
    if (!HasFailure()) return;
    for (const std::string& violation : ledger_.violations()) std::cout << "the ledger says: " << violation << "\n";
  }

  void start() { server_ = std::make_unique<ServerProcess>(PENSTOCK_BINARY, directory_.path()); }

  void create_queues() {
    Client client(server_->port(), ledger_);
    // The last ones are the others' dead-letter queues.
    for (auto queue = queues.rbegin(); queue != queues.rend(); ++queue) {
      const std::string dead_letters(queue->dead_letters ? queues[*queue->dead_letters].name : "");
      ASSERT_TRUE(client.create_queue(queue->name, queue->fifo, dead_letters));
    }
  }

  /// Load from all clients on the first `load` queues, until the one that completes the `operations`-th kills the
  /// server amid the others'.
  void run_until_killed(std::mt19937_64& random, std::size_t load, std::uint64_t operations) {
    std::atomic<std::uint64_t> count = 0;
    const auto pause = std::chrono::microseconds(random() % 400);
    const std::function<void()> completed = [&] {
      if (count.fetch_add(1) + 1 != operations) return;
      // Within the operation of some other client, and not always at the moment one was answered.
      const Time until = Clock::now() + pause;
      while (Clock::now() < until) {
      }
      server_->kill();
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < client_count; ++i) {
      threads.emplace_back([this, &completed, load, seed = random()] {
        run_client(Client(server_->port(), ledger_), ledger_, load, seed, completed);
      });
    }
    for (std::thread& thread : threads) thread.join();
    // Should the clients all have given up on it.
    server_->kill();
    server_->reap();
    if (!server_->was_killed()) ledger_.report("the server ended by itself: " + server_->log());
    if (count.load() < operations) ledger_.report("a client lost its server before it was killed");
  }

  void check_counts() {
    Client client(server_->port(), ledger_);
    for (std::size_t queue = 0; queue < source_count; ++queue) {
      const auto [least, most] = ledger_.bounds(queue);
      std::optional<Counts> counts = client.count(queue);
      ASSERT_TRUE(counts) << "the queue is gone";
      std::uint64_t sum = counts->sum();
      if (queues[queue].dead_letters) {
        counts = client.count(*queues[queue].dead_letters);
        ASSERT_TRUE(counts) << "the dead-letter queue is gone";
        sum += counts->sum();
      }
      EXPECT_GE(sum, least) << queues[queue].name;
      EXPECT_LE(sum, most) << queues[queue].name;
    }
  }

  /// What was sent to a FIFO queue when the server was killed is sent again, each with a chance of a half.
  void retry(std::mt19937_64& random) {
    Client client(server_->port(), ledger_);
    for (const std::uint64_t number : ledger_.unanswered()) {
      if (random() % 2 == 0) ASSERT_TRUE(client.send_again(number));
    }
  }

  struct Move {
    std::size_t dead_letters = 0;
    std::int64_t started = 0;
    std::uint64_t expected = 0;
  };

  /// Has all dead letters moved back. REQUIRES: no load on queues that have them until await_moves().
  void start_moves(std::mt19937_64& random) {
    Client client(server_->port(), ledger_);
    for (std::size_t queue = 0; queue < source_count; ++queue) {
      if (!queues[queue].dead_letters) continue;
      const std::size_t dead_letters = *queues[queue].dead_letters;
      std::optional<Counts> counts;
      for (const Time limit = Clock::now() + seconds(5); Clock::now() < limit;) {
        counts = client.count(dead_letters);
        if (!counts || counts->not_visible == 0) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      ASSERT_TRUE(counts && counts->not_visible == 0) << "a dead letter is in flight for too long";
      ledger_.redriving(queue);
      // As fast as it goes, or within half or a quarter of a second.
      const std::uint64_t per_second = std::min<std::uint64_t>(random() % 3 * 2 * counts->visible, 500);
      ASSERT_TRUE(client.start_move(dead_letters, per_second));
      const std::optional<MoveTask> task = client.newest_move(dead_letters);
      ASSERT_TRUE(task) << "a message move task that was started is not listed";
      moves_.push_back({dead_letters, task->started, counts->visible});
    }
  }

  /// After a crash: the tasks that were started go on, until all is where it came from.
  void await_moves() {
    Client client(server_->port(), ledger_);
    for (const Move& move : std::exchange(moves_, {})) {
      std::optional<MoveTask> task = client.newest_move(move.dead_letters);
      if (task && task->status == "RUNNING") ++moves_over_a_crash_;
      const Time limit = Clock::now() + seconds(20);
      while (task && task->status == "RUNNING" && Clock::now() < limit) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        task = client.newest_move(move.dead_letters);
      }
      const std::optional<Counts> left = client.count(move.dead_letters);
      ASSERT_TRUE(left) << "the dead-letter queue is gone";
      if (!task || task->started != move.started) {
        ledger_.report("a message move task is gone");
      } else {
        ledger_.redriven(move.expected, {task->status, task->moved, left->sum()});
      }
    }
  }

  bool drain_queue(std::size_t queue, int wait) {
    Client client(server_->port(), ledger_);
    for (std::vector<Held> got;;) {
      if (!client.receive(queue, 30, wait, got)) return false;
      if (got.empty()) return true;
      if (!client.remove(got)) return false;
    }
  }

  /// The queues from `first` to before `end`, all at once, since each ends with a wait.
  void drain_queues(std::size_t first, std::size_t end, int wait) {
    std::vector<std::thread> threads;
    std::atomic<std::size_t> drained = 0;
    for (std::size_t queue = first; queue < end; ++queue) {
      threads.emplace_back([this, queue, wait, &drained] { drained += drain_queue(queue, wait) ? 1U : 0U; });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(drained, end - first) << "a queue could not be drained";
  }

  /// Receives and deletes until nothing has come for `wait` seconds, and settles the ledger.
  /// REQUIRES: nothing is hidden for so long, other than by handles that the ledger holds.
  void drain(int wait) {
    Client client(server_->port(), ledger_);
    for (std::size_t queue = 0; queue < source_count; ++queue) {
      while (const std::optional<Held> held = ledger_.take_held(queue, 0)) ASSERT_TRUE(client.release(*held));
    }
    drain_queues(0, source_count, wait);
    // Only now has the last dead letter come to them, and nobody has held one for so long.
    drain_queues(source_count, queues.size(), 0);
    ledger_.account();
  }

  void expect_no_violations() const {
    for (const std::string& violation : ledger_.violations()) ADD_FAILURE() << violation;
  }

  TemporaryDirectory directory_;
  Ledger ledger_;
  std::unique_ptr<ServerProcess> server_;
  std::vector<Move> moves_;
  std::uint64_t moves_over_a_crash_ = 0;
};

TEST_F(Crash, EveryAcknowledgedMessageIsAccountedFor) {
  const std::uint64_t rounds = setting("PENSTOCK_CRASH_ROUNDS", 30);
  const std::uint64_t seed = setting("PENSTOCK_CRASH_SEED", std::random_device{}());
  std::cout << "PENSTOCK_CRASH_SEED=" << seed << " PENSTOCK_CRASH_ROUNDS=" << rounds << "\n";
  std::mt19937_64 random(seed);
  start();
  create_queues();
  for (std::uint64_t round = 1; round <= rounds && !HasFailure(); ++round) {
    // A queue made in the last moment is there afterwards, too.
    const std::string witness = "made-in-round-" + std::to_string(round);
    ASSERT_TRUE(Client(server_->port(), ledger_).create_queue(witness));
    const bool moves = round % move_rounds == 0 || round == rounds;
    if (moves) start_moves(random);
    // A task ends before long.
    run_until_killed(random, moves ? work_queue : source_count, 1 + random() % (moves ? 100 : 1'600));
    start();
    ASSERT_TRUE(Client(server_->port(), ledger_).exists(witness)) << "the queue made in round " << round << " is gone";
    await_moves();
    check_counts();
    retry(random);
    if (round % 10 == 0 || round == rounds) drain(short_visibility_max + 1);
    expect_no_violations();
  }
  std::cout << ledger_.summary() << ", " << moves_over_a_crash_ << " move tasks cut off\n";
  // A test that did nothing would have found nothing, too.
  if (rounds >= 10) {
    EXPECT_GT(ledger_.sends(), 100U);
    EXPECT_GT(ledger_.receives(), 100U);
    EXPECT_GT(ledger_.deletes(), 100U);
    EXPECT_GT(ledger_.repeats(), 100U);
    EXPECT_GT(ledger_.dead_letters(), 20U);
    EXPECT_GT(ledger_.returned(), 20U);
    EXPECT_GT(moves_over_a_crash_, 0U) << "no message move task was cut off";
  }
}

// What follows holds the test itself to its word.

TEST_F(Crash, AMessageThatTheServerNeverGotIsReportedLost) {
  start();
  create_queues();
  Client client(server_->port(), ledger_);
  ASSERT_TRUE(client.send(0, seconds(0)));
  ledger_.sent({ledger_.sending(1, seconds(0))}, {{"forged"}});
  EXPECT_EQ(ledger_.bounds(1).first, 1U);
  EXPECT_EQ(client.count(1)->sum(), 0U) << "so the count after a restart would show it, too";
  drain(0);
  EXPECT_EQ(ledger_.violations(), std::vector<std::string>{"message 2 was acknowledged and is lost"});
}

TEST_F(Crash, AMessageThatComesAfterItsDeleteIsReported) {
  start();
  create_queues();
  Client client(server_->port(), ledger_);
  ASSERT_TRUE(client.send(0, seconds(0)));
  std::vector<Held> got;
  ASSERT_TRUE(client.receive(0, 2, 0, got));
  ASSERT_EQ(got.size(), 1U);
  // The ledger believes in a delete that the server was not asked for.
  ledger_.deleting(got[0].number);
  ledger_.deleted(got[0].number, got[0].receipt_handle, {Clock::now(), Clock::now()});
  std::vector<Held> again;
  ASSERT_TRUE(client.receive(0, 2, 5, again));
  EXPECT_EQ(ledger_.violations(),
            std::vector<std::string>{"message 1 was delivered after its delete was acknowledged"});
}

}  // namespace
}  // namespace penstock::crash
