#include "server/metrics.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <string>
#include <utility>

#include "penstock/commands.hpp"
#include "storage/stream_records.hpp"

namespace penstock::server {

namespace asio = boost::asio;
using protocol::WireResponse;

namespace {

WireResponse unavailable(std::string why) { return {503, "text/plain; charset=utf-8", {}, std::move(why) + "\n"}; }

}  // namespace

struct Metrics::Scrape {
  Scrape(bool per_object, Completion done) : gathered(per_object), completion(std::move(done)) {}

  Gathered gathered;
  Completion completion;
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
  std::size_t missing = 0;  ///< parts that have more to tell
  ReadCounts streams;       ///< those that are there
  bool over = false;
};

struct Metrics::WorkerReport {
  SurveyPlace place;
  Survey survey;
  ReadCounts reads;
  /// Of the first report: what goes with no object.
  struct Sums {
    EngineTally engine;
    ReadCount reads;
    RequestTally requests;
    std::size_t connections = 0;
  };
  std::optional<Sums> sums;
};

struct Metrics::TriggerReport {
  TriggerPlace place;
  TriggerSurvey survey;
  struct Sums {
    TriggerTally engine;
    FunctionTally functions;
    std::size_t functions_registered = 0;
  };
  std::optional<Sums> sums;
};

Metrics::~Metrics() {
  if (!pool_) return;
  pool_->stop();
  pool_->join();
}

void Metrics::scrape(bool per_object, Completion completion) {
  std::call_once(begun_, [this] {
    pool_.emplace(1);
    timer_.emplace(*pool_);
  });
  asio::post(*pool_, [this, per_object, done = std::move(completion)]() mutable {
    if (scrapes_.size() >= metrics_limits::scrapes_max) return done(unavailable("there are too many scrapes"));
    scrapes_.push_back(std::make_shared<Scrape>(per_object, std::move(done)));
    if (scrapes_.size() == 1) begin(scrapes_.front());
  });
}

// One after the other, so that however many ask, threads are asked no more than by one.
void Metrics::begin(const ScrapePtr& scrape) {
  scrape->began = std::chrono::steady_clock::now();
  timer_->expires_after(metrics_limits::scrape_time_max);
  timer_->async_wait([this, scrape](const boost::system::error_code& error) {
    if (!error && !scrape->over) end(scrape, unavailable("the server has more than can be looked at in the time"));
  });
  scrape->missing = parts_.workers.size() + 1;
  for (std::size_t i = 0; i < parts_.workers.size(); ++i) ask(scrape, i, {});
  ask_triggers(scrape, {});
}

void Metrics::ask(const ScrapePtr& scrape, std::size_t index, SurveyPlace place) {
  const Worker worker = parts_.workers[index];
  asio::post(worker.shard->context(), [this, scrape, index, worker, place = std::move(place)]() mutable {
    WorkerReport report;
    if (!place.queue && !place.stream) {
      report.sums = {worker.shard->engine().tally(), worker.shard->reads().total(), worker.frontend->tally(),
                     worker.sessions->size()};
    }
    report.reads = worker.shard->reads().take();
    worker.shard->engine().survey(place, metrics_limits::steps_per_turn, report.survey);
    report.place = std::move(place);
    asio::post(*pool_,
               [this, scrape, index, report = std::move(report)]() mutable { took(scrape, index, std::move(report)); });
  });
}

void Metrics::took(const ScrapePtr& scrape, std::size_t index, WorkerReport report) {
  // Also of a scrape that is over: a thread gives them away once.
  for (const auto& [stream, read] : report.reads) reads_by_stream_[stream].add(read);
  if (scrape->over) return;
  if (report.sums) {
    Gathered& gathered = scrape->gathered;
    const EngineTally& engine = report.sums->engine;
    gathered.engines.queues.sends += engine.queues.sends;
    gathered.engines.queues.receives += engine.queues.receives;
    gathered.engines.queues.empty_receives += engine.queues.empty_receives;
    gathered.engines.queues.deletes += engine.queues.deletes;
    gathered.engines.queues.dead_letters += engine.queues.dead_letters;
    gathered.engines.streams.records_put += engine.streams.records_put;
    gathered.engines.streams.bytes_put += engine.streams.bytes_put;
    gathered.reads.add(report.sums->reads);
    gathered.requests.add(report.sums->requests);
    gathered.connections += report.sums->connections;
  }
  for (const StreamView& view : report.survey.streams) scrape->streams.try_emplace(view.id);
  scrape->gathered.take(std::move(report.survey));
  if (!report.place.over) return ask(scrape, index, std::move(report.place));
  part_over(scrape);
}

void Metrics::ask_triggers(const ScrapePtr& scrape, TriggerPlace place) {
  TriggerHost& triggers = *parts_.triggers;
  asio::post(triggers.context(), [this, scrape, &triggers, place = std::move(place)]() mutable {
    TriggerReport report;
    if (!place.function && !place.functions_over) {
      report.sums = {triggers.engine().tally(), triggers.tally(), triggers.function_count()};
    }
    triggers.survey(place, metrics_limits::steps_per_turn, report.survey);
    report.place = std::move(place);
    asio::post(*pool_, [this, scrape, report = std::move(report)]() mutable { took(scrape, std::move(report)); });
  });
}

void Metrics::took(const ScrapePtr& scrape, TriggerReport report) {
  if (scrape->over) return;
  if (report.sums) {
    scrape->gathered.triggers = report.sums->engine;
    scrape->gathered.functions_all = report.sums->functions;
    scrape->gathered.functions_registered = report.sums->functions_registered;
  }
  scrape->gathered.take(std::move(report.survey));
  if (!report.place.over) return ask_triggers(scrape, std::move(report.place));
  part_over(scrape);
}

void Metrics::part_over(const ScrapePtr& scrape) {
  if (--scrape->missing > 0) return;
  finish(scrape);
}

void Metrics::finish(const ScrapePtr& scrape) {
  Gathered& gathered = scrape->gathered;
  forget_gone_streams(scrape->streams);
  if (gathered.per_object()) {
    gathered.reads_by_stream = reads_by_stream_;
  } else {
    gathered.commits = parts_.committer->tally();
    gathered.rocksdb = storage::facts_of(*parts_.store);
    gathered.process = read_process_facts();
  }
  look_up_backlogs(gathered);
  gathered.clock = read_clock();
  gathered.took = std::chrono::steady_clock::now() - scrape->began;
  end(scrape, {200, std::string(metrics_content_type), {}, report(gathered)});
}

void Metrics::end(const ScrapePtr& scrape, WireResponse response) {
  scrape->over = true;
  timer_->cancel();
  const Completion completion = std::move(scrape->completion);
  scrapes_.pop_front();
  completion(std::move(response));
  if (!scrapes_.empty()) begin(scrapes_.front());
}

/// When the first record came that each of them has not processed.
void Metrics::look_up_backlogs(Gathered& gathered) const {
  for (auto& [key, start] : gathered.backlogs) {
    RecordsPage page;
    page.id = std::get<StreamId>(key);
    page.shard = std::get<ShardIndex>(key);
    page.from = page.next = std::get<RecordIndex>(key);
    page.until = start.until;
    page.not_before = std::get<Instant>(key);
    page.count_max = 1;
    page.bytes_max = 1;
    if (const StoreError error = storage::read_page(*parts_.store, page)) {
      spdlog::error("cannot read a record for the metrics: {}", error.message);
      return;
    }
    // It may have been dropped meanwhile, and then nobody waits for it any more.
    if (!page.records.empty()) start.arrived = page.records.front().record.arrived;
  }
}

/// What was read of streams that are deleted is counted in the total only.
void Metrics::forget_gone_streams(const ReadCounts& there) {
  std::erase_if(reads_by_stream_, [&there](const auto& entry) { return !there.contains(entry.first); });
}

ClockFacts Metrics::read_clock() const {
  ClockFacts facts;
  facts.now = parts_.clock->now();
  if (parts_.virtual_clock == nullptr) return facts;
  facts.is_virtual = true;
  facts.frozen = parts_.virtual_clock->is_frozen();
  facts.speed = parts_.virtual_clock->speed();
  return facts;
}

}  // namespace penstock::server
