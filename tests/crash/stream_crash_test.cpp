// The real binary with producers, readers and shards that are split and merged, killed with SIGKILL at a moment that a
// seed chooses, started again on the same directory, and again: every record that was acknowledged is there, once and
// in order, and readers go on with the iterators that they had.
//
// PENSTOCK_CRASH_ROUNDS says how often (20), PENSTOCK_CRASH_SEED which way (random, printed).
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crash/environment.hpp"
#include "crash/history.hpp"
#include "crash/server_process.hpp"
#include "crash/stream_client.hpp"
#include "crash/stream_ledger.hpp"

namespace penstock::crash {
namespace {

constexpr int producer_count = 4;
constexpr int shards_at_first = 2;
constexpr std::size_t open_shards_max = 8;
constexpr const char* stream_name = "crash-stream";

/// What a reader knows of one shard; it outlives the server.
struct ShardReader {
  std::string iterator;             ///< where to go on
  std::vector<SeenRecord> records;  ///< all so far
  bool ended = false;
  bool killed = false;  ///< the iterator is from before a kill
};

/// Follows all shards from their beginnings with one iterator after the other.
class Reader {
 public:
  explicit Reader(StreamLedger& ledger) : ledger_(ledger) {}

  void server_was_killed() {
    for (auto& [id, shard] : shards_) shard.killed = true;
  }

  /// One page of each shard. False once there is no server any more.
  bool turn(StreamClient& client) {
    const auto listed = client.shards();
    if (!listed) return false;
    for (const SeenShard& shard : *listed) shards_.try_emplace(shard.id);
    for (auto& [id, shard] : shards_) {
      if (!shard.ended && !read(client, id, shard)) return false;
    }
    return true;
  }

  /// Until no page has anything new.
  bool catch_up(StreamClient& client) {
    for (std::size_t before = SIZE_MAX; before != count();) {
      before = count();
      if (!turn(client)) return false;
    }
    return true;
  }

  const std::map<std::string, ShardReader>& shards() const { return shards_; }
  std::uint64_t resumed() const { return resumed_; }
  std::uint64_t ended() const {
    return static_cast<std::uint64_t>(
        std::count_if(shards_.begin(), shards_.end(), [](const auto& entry) { return entry.second.ended; }));
  }

 private:
  static constexpr int page_records = 40;

  std::size_t count() const {
    std::size_t records = shards_.size() + ended();
    for (const auto& [id, shard] : shards_) records += shard.records.size();
    return records;
  }

  bool read(StreamClient& client, const std::string& id, ShardReader& shard) {
    if (shard.iterator.empty()) {
      const auto iterator = client.iterator(id);
      if (!iterator) return false;
      shard.iterator = *iterator;
    }
    const std::optional<SeenPage> page = client.read(shard.iterator, page_records);
    if (!page) return false;
    ledger_.read(id, shard.records.empty() ? "" : shard.records.back().sequence_number, page->records);
    if (page->records.size() > page_records) ledger_.report("a page has more than its limit");
    if (std::exchange(shard.killed, false) && !page->records.empty()) ++resumed_;
    shard.records.insert(shard.records.end(), page->records.begin(), page->records.end());
    shard.iterator = page->next_iterator;
    shard.ended = page->next_iterator.empty();
    return true;
  }

  StreamLedger& ledger_;
  std::map<std::string, ShardReader> shards_;
  std::uint64_t resumed_ = 0;
};

/// The middle of a shard, about.
HashKey middle_of(const SeenShard& shard, std::uint64_t random) {
  return {shard.first_hash.high + (shard.last_hash.high - shard.first_hash.high) / 2, random};
}

class StreamCrash : public testing::Test {
 protected:
  void TearDown() override {
    if (!HasFailure()) return;
    for (const std::string& violation : ledger_.violations()) std::cout << "the ledger says: " << violation << "\n";
  }

  void start() { server_ = std::make_unique<ServerProcess>(PENSTOCK_BINARY, directory_.path()); }
  StreamClient client() { return {server_->port(), ledger_, stream_name}; }

  void create_stream() {
    StreamClient creator = client();
    ASSERT_TRUE(creator.create(shards_at_first));
    await_active(creator);
  }

  void await_active(StreamClient& asking) {
    const Time limit = Clock::now() + std::chrono::seconds(5);
    std::optional<std::string> status;
    while ((status = asking.status()) && *status != "ACTIVE" && Clock::now() < limit) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_EQ(status, "ACTIVE");
  }

  /// Splits and merges until the server is gone.
  void reshape(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    StreamClient operating = client();
    for (bool alive = true; alive;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 60));
      auto shards = operating.shards();
      if (!shards) return;
      std::erase_if(*shards, [](const SeenShard& shard) { return !shard.is_open(); });
      std::sort(shards->begin(), shards->end(),
                [](const SeenShard& one, const SeenShard& other) { return one.first_hash < other.first_hash; });
      const std::size_t at = random() % shards->size();
      Change change = Change::refused;
      std::vector<std::string> closed{(*shards)[at].id};
      if (shards->size() < open_shards_max && random() % 2 == 0) {
        change = operating.split(closed[0], middle_of((*shards)[at], random()));
      } else if (at + 1 < shards->size()) {
        closed.push_back((*shards)[at + 1].id);
        change = operating.merge(closed[0], closed[1]);
      }
      if (change == Change::accepted) closed_.insert(closed_.end(), closed.begin(), closed.end());
      alive = change != Change::unanswered;
    }
  }

  void produce(std::uint64_t seed, const std::function<void()>& completed) {
    std::mt19937_64 random(seed);
    StreamClient producing = client();
    while (random() % 3 == 0 ? producing.put_one() : producing.put(1 + random() % 30)) completed();
  }

  /// Load until the producer that completes the `puts`-th kills the server amid the others'.
  void run_until_killed(std::mt19937_64& random, std::uint64_t puts) {
    std::atomic<std::uint64_t> count = 0;
    const auto pause = std::chrono::microseconds(random() % 400);
    const std::function<void()> completed = [&] {
      if (count.fetch_add(1) + 1 != puts) return;
      const Time until = Clock::now() + pause;
      while (Clock::now() < until) {
      }
      server_->kill();
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < producer_count; ++i) {
      threads.emplace_back([this, &completed, seed = random()] { produce(seed, completed); });
    }
    threads.emplace_back([this, seed = random()] { reshape(seed); });
    threads.emplace_back([this] {
      StreamClient reading = client();
      while (reader_.turn(reading)) {
      }
    });
    for (std::thread& thread : threads) thread.join();
    // Should the clients all have given up on it.
    server_->kill();
    server_->reap();
    reader_.server_was_killed();
    if (!server_->was_killed()) ledger_.report("the server ended by itself: " + server_->log());
    if (count.load() < puts) ledger_.report("a client lost its server before it was killed");
  }

  /// The open shards divide the ring among them, and what was closed has children that begin behind it.
  void check_shards(const std::vector<SeenShard>& shards) {
    std::map<std::string, SeenShard> by_id;
    std::map<HashKey, HashKey> open;
    for (const SeenShard& shard : shards) {
      by_id[shard.id] = shard;
      const bool alone = !shard.is_open() || open.emplace(shard.first_hash, shard.last_hash).second;
      EXPECT_TRUE(alone) << "two shards begin in one place";
    }
    HashKey next;
    for (const auto& [first, last] : open) {
      EXPECT_EQ(format_hash_key(first), format_hash_key(next)) << "a hole in the ring, or two shards in one place";
      next = {last.low == UINT64_MAX ? last.high + 1 : last.high, last.low + 1};
    }
    EXPECT_EQ(next, HashKey{}) << "the ring has no end";
    for (const SeenShard& shard : shards) {
      for (const std::string& parent : {shard.parent, shard.adjacent_parent}) {
        if (parent.empty()) continue;
        ASSERT_TRUE(by_id.contains(parent)) << parent << " is gone";
        EXPECT_FALSE(by_id[parent].is_open()) << parent << " has children";
        EXPECT_TRUE(ByNumber{}(by_id[parent].ending_number, shard.starting_number));
      }
    }
    for (const std::string& id : closed_) {
      ASSERT_TRUE(by_id.contains(id)) << id << " is gone";
      EXPECT_FALSE(by_id[id].is_open()) << id << " was split or merged";
    }
  }

  /// Reads every shard from its beginning, and compares with what the reader got piece by piece.
  void account() {
    StreamClient reading = client();
    ASSERT_TRUE(reader_.catch_up(reading));
    const auto shards = reading.shards();
    ASSERT_TRUE(shards);
    check_shards(*shards);
    Reader whole(ledger_);
    ASSERT_TRUE(whole.catch_up(reading));
    for (const auto& [id, shard] : whole.shards()) {
      ledger_.read_whole(id, shard.records);
      const auto found = reader_.shards().find(id);
      ASSERT_TRUE(found != reader_.shards().end());
      if (found->second.records != shard.records) ledger_.report("a reader did not get all of " + id + " in order");
    }
    ledger_.account();
  }

  void expect_no_violations() const {
    for (const std::string& violation : ledger_.violations()) ADD_FAILURE() << violation;
  }

  TemporaryDirectory directory_;
  StreamLedger ledger_;
  Reader reader_{ledger_};
  std::unique_ptr<ServerProcess> server_;
  std::vector<std::string> closed_;  ///< shards whose split or merge was acknowledged
};

TEST_F(StreamCrash, EveryAcknowledgedRecordIsThereOnceAndInOrder) {
  const std::uint64_t rounds = setting("PENSTOCK_CRASH_ROUNDS", 20);
  const std::uint64_t seed = setting("PENSTOCK_CRASH_SEED", std::random_device{}());
  std::cout << "PENSTOCK_CRASH_SEED=" << seed << " PENSTOCK_CRASH_ROUNDS=" << rounds << "\n";
  std::mt19937_64 random(seed);
  start();
  create_stream();
  for (std::uint64_t round = 1; round <= rounds && !HasFailure(); ++round) {
    run_until_killed(random, 1 + random() % 600);
    start();
    if (round % 5 == 0 || round == rounds) account();
    expect_no_violations();
  }
  std::cout << ledger_.puts() << " records put, " << ledger_.unanswered() << " of those without an answer found, "
            << ledger_.reads() << " reads, " << closed_.size() << " shards closed, " << reader_.ended()
            << " read to their ends, " << reader_.resumed() << " iterators used over a kill\n";
  // A test that did nothing would have found nothing, too.
  if (rounds < 10) return;
  EXPECT_GT(ledger_.puts(), 1'000U);
  EXPECT_GT(ledger_.unanswered(), 0U);
  EXPECT_GT(closed_.size(), 5U);
  EXPECT_GT(reader_.ended(), 5U);
  EXPECT_GT(reader_.resumed(), 5U);
}

// What follows holds the test itself to its word.

TEST(StreamLedger, EncodesBase64) {
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64("foo"), "Zm9v");
  EXPECT_EQ(to_base64("\xff\xfe\xfd\x01"), "//79AQ==");
}

SeenRecord seen(std::uint64_t number, const std::string& sequence_number) {
  return {sequence_number, StreamLedger::key_of(number), StreamLedger::data_of(number)};
}

TEST(StreamLedger, ReportsARecordThatIsLost) {
  StreamLedger ledger;
  ledger.put(ledger.putting(2), {{"shard", "10"}, {"shard", "11"}});
  ledger.read_whole("shard", {seen(1, "10")});
  EXPECT_EQ(ledger.violations(), std::vector<std::string>{"record 2 was acknowledged and is lost"});
}

TEST(StreamLedger, ReportsAShardThatIsLost) {
  StreamLedger ledger;
  ledger.put(ledger.putting(1), {{"shard", "10"}});
  ledger.account();
  EXPECT_EQ(ledger.violations(), std::vector<std::string>{"shard shard is gone, with 1 records"});
}

TEST(StreamLedger, ReportsARecordThatIsThereTwice) {
  StreamLedger ledger;
  ledger.put(ledger.putting(1), {{"shard", "10"}});
  ledger.read("shard", "", {seen(1, "10"), seen(1, "11")});
  EXPECT_EQ(ledger.violations(), std::vector<std::string>{"record 1 is there twice"});
}

TEST(StreamLedger, ReportsASequenceNumberThatIsUsedTwice) {
  StreamLedger ledger;
  ledger.put(ledger.putting(1), {{"shard", "10"}});
  ledger.put(ledger.putting(1), {{"shard", "10"}});
  EXPECT_EQ(ledger.violations(), std::vector<std::string>{"record 2 and record 1 have one sequence number"});
}

TEST(StreamLedger, ReportsANumberThatDoesNotIncrease) {
  StreamLedger ledger;
  ledger.put(ledger.putting(1), {{"shard", "10"}});
  ledger.putting(15);
  // Record 17 has the partition key of record 1.
  ledger.put(ledger.putting(1), {{"child", "9"}});
  ASSERT_FALSE(ledger.violations().empty());
  EXPECT_EQ(ledger.violations()[0], "record 17 is before an earlier one");
}

TEST(StreamLedger, ReportsAPageOutOfOrderAndDataThatAreAltered) {
  StreamLedger ledger;
  ledger.put(ledger.putting(2), {{"shard", "10"}, {"shard", "11"}});
  ledger.read("shard", "", {seen(2, "11"), seen(1, "10")});
  EXPECT_EQ(ledger.violations(), std::vector<std::string>{"a page of shard is out of order"});
  SeenRecord altered = seen(1, "10");
  altered.data[0] = 'x';
  ledger.read("shard", "", {altered});
  EXPECT_EQ(ledger.violations().back(), "read data that nobody put, at 10");
}

TEST(StreamLedger, ClaimsNothingOfWhatWasNotAnswered) {
  StreamLedger ledger;
  ledger.putting(2);
  ledger.read_whole("shard", {seen(2, "11")});
  EXPECT_EQ(ledger.unanswered(), 1U);
  EXPECT_TRUE(ledger.violations().empty());
}

}  // namespace
}  // namespace penstock::crash
