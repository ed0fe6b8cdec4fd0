// Where metrics are gathered. Nothing is counted here: each thread has the numbers of what it does itself, and is asked
// for them when somebody wants to know, a bounded number of objects at a time.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "net/session_group.hpp"
#include "protocol/wire.hpp"
#include "server/clock.hpp"
#include "server/frontend.hpp"
#include "server/metrics_report.hpp"
#include "server/shard.hpp"
#include "server/trigger_host.hpp"
#include "storage/committer.hpp"

namespace penstock::server {

inline constexpr std::string_view metrics_path = "/metrics";
inline constexpr std::string_view metrics_per_object_path = "/metrics/per-object";

class Metrics {
 public:
  using Completion = std::function<void(protocol::WireResponse)>;

  /// What lives in one of the server's threads.
  struct Worker {
    Shard* shard = nullptr;
    const Frontend* frontend = nullptr;
    const net::SessionGroup* sessions = nullptr;
  };
  /// All of a server. Outlives the metrics, but for what is posted to a context that runs no more.
  struct Parts {
    std::vector<Worker> workers;
    TriggerHost* triggers = nullptr;
    const storage::Committer* committer = nullptr;
    const Store* store = nullptr;
    const Clock* clock = nullptr;
    const VirtualClock* virtual_clock = nullptr;  ///< the same, if it is one
  };

  /// The thread that puts a scrape together begins with the first one.
  explicit Metrics(Parts parts) : parts_(std::move(parts)) {}
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  /// Scrapes that are not over are dropped.
  ~Metrics();

  /// Calls `completion` once, in a thread of its own or at once: with all metrics, or with 503 where there are too many
  /// scrapes, or one has taken too long. Any thread.
  void scrape(bool per_object, Completion completion);

 private:
  struct Scrape;
  struct WorkerReport;
  struct TriggerReport;
  using ScrapePtr = std::shared_ptr<Scrape>;

  void begin(const ScrapePtr& scrape);
  void ask(const ScrapePtr& scrape, std::size_t worker, SurveyPlace place);
  void took(const ScrapePtr& scrape, std::size_t worker, WorkerReport report);
  void ask_triggers(const ScrapePtr& scrape, TriggerPlace place);
  void took(const ScrapePtr& scrape, TriggerReport report);
  void part_over(const ScrapePtr& scrape);
  void finish(const ScrapePtr& scrape);
  void end(const ScrapePtr& scrape, protocol::WireResponse response);
  void look_up_backlogs(Gathered& gathered) const;
  void forget_gone_streams(const ReadCounts& there);
  ClockFacts read_clock() const;

  const Parts parts_;
  std::once_flag begun_;
  std::optional<boost::asio::thread_pool> pool_;    // of one thread, which alone touches what follows
  std::optional<boost::asio::steady_timer> timer_;  // of the scrape that is being made
  std::deque<ScrapePtr> scrapes_;                   // the first is being made
  ReadCounts reads_by_stream_;                      // taken from all threads so far
};

}  // namespace penstock::server
