#include "server/metrics_report.hpp"

#include <algorithm>
#include <utility>

#include "server/metric_families.hpp"
#include "server/version.hpp"

namespace penstock::server {

// ---- Gathering.

template <class View>
void Gathered::keep(ObjectKind kind, std::vector<View>& kept, View view) {
  if (!per_object_) return;
  if (kept.size() < metrics_limits::objects_max) {
    kept.push_back(std::move(view));
  } else {
    ++left_out[static_cast<std::size_t>(kind)];
  }
}

void Gathered::take(Survey survey) {
  for (QueueView& view : survey.queues) {
    ++queue_sums.count;
    queue_sums.visible += view.visible;
    queue_sums.in_flight += view.in_flight;
    queue_sums.delayed += view.delayed;
    queue_sums.parked += view.parked;
    if (view.oldest) queue_sums.oldest = std::min(queue_sums.oldest.value_or(*view.oldest), *view.oldest);
    keep(ObjectKind::queue, queues, std::move(view));
  }
  for (StreamView& view : survey.streams) {
    ++stream_sums.count;
    stream_sums.open_shards += view.open_shards;
    stream_sums.records_stored += view.records_stored;
    stream_sums.bytes_stored += view.bytes_stored;
    stream_sums.subscriptions += view.subscriptions;
    stream_sums.parked += view.parked;
    keep(ObjectKind::stream, streams, std::move(view));
  }
  for (ConsumerView& view : survey.consumers) {
    ++consumer_sums.count;
    consumer_sums.records_behind += view.records_behind;
    consumer_sums.members += view.members;
    consumer_sums.parked += view.parked;
    for (const Backlog& backlog : view.backlogs) {
      const BacklogKey key = key_of(view.id, backlog);
      if (backlogs.size() < metrics_limits::lags_max || backlogs.contains(key)) {
        backlogs.try_emplace(key, BacklogStart{backlog.until, std::nullopt});
      } else {
        ++backlogs_left_out;
      }
    }
    keep(ObjectKind::consumer, consumers, std::move(view));
  }
}

void Gathered::take(TriggerSurvey survey) {
  for (FunctionView& view : survey.functions) keep(ObjectKind::function, functions, std::move(view));
  mappings += survey.mappings.size();
  for (MappingView& view : survey.mappings) keep(ObjectKind::mapping, mapping_views, std::move(view));
}

namespace {

// ---- Objects. Each family is of all of them together, without a label, or has one value for each.

double seconds_since(const Gathered& gathered, Instant at) {
  return std::max(std::chrono::duration<double>(gathered.clock.now - at).count(), 0.0);
}

class QueueFamilies {
 public:
  explicit QueueFamilies(MetricFamilies& families)
      : visible_(families.gauge("penstock_queue_messages_visible", "Messages that can be received")),
        in_flight_(families.gauge("penstock_queue_messages_in_flight",
                                  "Messages that were received and are hidden, or are on their way to another queue")),
        delayed_(families.gauge("penstock_queue_messages_delayed", "Messages whose delay is not over")),
        age_(families.gauge("penstock_queue_oldest_message_age_seconds",
                            "How long ago the oldest message was sent, of those that memory has; 0 if there is none")),
        parked_(families.gauge("penstock_queue_parked_receives", "Receives that wait for a message")),
        sent_(families.counter("penstock_queue_messages_sent_total", "Messages sent by clients, without duplicates")),
        received_(families.counter("penstock_queue_messages_received_total", "Messages handed out")),
        empty_(families.counter("penstock_queue_empty_receives_total", "Receives answered without a message")),
        deleted_(families.counter("penstock_queue_messages_deleted_total", "Messages deleted by clients and mappings")),
        dead_(families.counter("penstock_queue_messages_dead_lettered_total",
                               "Messages moved to the queue's dead-letter queue")) {}

  void gauges(const MetricLabels& labels, const QueueSums& sums, double age) {
    visible_.add(sums.visible, labels);
    in_flight_.add(sums.in_flight, labels);
    delayed_.add(sums.delayed, labels);
    parked_.add(sums.parked, labels);
    age_.add(age, labels);
  }
  void counters(const MetricLabels& labels, const QueueTally& tally) {
    sent_.add(tally.sends, labels);
    received_.add(tally.receives, labels);
    empty_.add(tally.empty_receives, labels);
    deleted_.add(tally.deletes, labels);
    dead_.add(tally.dead_letters, labels);
  }

 private:
  MetricFamily visible_, in_flight_, delayed_, age_, parked_, sent_, received_, empty_, deleted_, dead_;
};

void report_queues(const Gathered& gathered, MetricFamilies& families) {
  const auto age = [&](const std::optional<Instant>& oldest) {
    return oldest ? seconds_since(gathered, *oldest) : 0.0;
  };
  if (!gathered.per_object()) {
    families.gauge("penstock_queues", "Queues").add(gathered.queue_sums.count);
    QueueFamilies all(families);
    all.gauges({}, gathered.queue_sums, age(gathered.queue_sums.oldest));
    return all.counters({}, gathered.engines.queues);
  }
  QueueFamilies each(families);
  for (const QueueView& view : gathered.queues) {
    const MetricLabels labels{{"account", view.name.account}, {"region", view.name.region}, {"queue", view.name.name}};
    each.gauges(labels, {1, view.visible, view.in_flight, view.delayed, view.parked, {}}, age(view.oldest));
    each.counters(labels, view.tally);
  }
}

class StreamFamilies {
 public:
  explicit StreamFamilies(MetricFamilies& families)
      : shards_(families.gauge("penstock_stream_open_shards", "Open shards")),
        records_(families.gauge("penstock_stream_records_stored", "Records that are kept")),
        bytes_(families.gauge("penstock_stream_stored_bytes", "Data and partition keys of the records that are kept")),
        subscriptions_(families.gauge("penstock_stream_subscriptions", "Subscriptions of SubscribeToShard")),
        parked_(families.gauge("penstock_stream_parked_reads", "Reads by mappings that wait for a record")),
        put_(families.counter("penstock_stream_records_put_total", "Records put")),
        put_bytes_(families.counter("penstock_stream_put_bytes_total", "Data and partition keys of records put")),
        read_(families.counter("penstock_stream_records_read_total",
                               "Records read by clients, consumers, subscriptions and mappings")),
        read_bytes_(families.counter("penstock_stream_read_bytes_total", "Data and partition keys of records read")) {}

  void add(const MetricLabels& labels, const StreamSums& sums, const StreamTally& tally, const ReadCount& reads) {
    shards_.add(sums.open_shards, labels);
    records_.add(sums.records_stored, labels);
    bytes_.add(sums.bytes_stored, labels);
    subscriptions_.add(sums.subscriptions, labels);
    parked_.add(sums.parked, labels);
    put_.add(tally.records_put, labels);
    put_bytes_.add(tally.bytes_put, labels);
    read_.add(reads.records, labels);
    read_bytes_.add(reads.bytes, labels);
  }

 private:
  MetricFamily shards_, records_, bytes_, subscriptions_, parked_, put_, put_bytes_, read_, read_bytes_;
};

void report_streams(const Gathered& gathered, MetricFamilies& families) {
  if (!gathered.per_object()) {
    families.gauge("penstock_streams", "Streams").add(gathered.stream_sums.count);
    return StreamFamilies(families).add({}, gathered.stream_sums, gathered.engines.streams, gathered.reads);
  }
  StreamFamilies each(families);
  for (const StreamView& view : gathered.streams) {
    const auto read = gathered.reads_by_stream.find(view.id);
    each.add({{"account", view.name.account}, {"region", view.name.region}, {"stream", view.name.name}},
             {1, view.open_shards, view.records_stored, view.bytes_stored, view.subscriptions, view.parked}, view.tally,
             read == gathered.reads_by_stream.end() ? ReadCount{} : read->second);
  }
}

class ConsumerFamilies {
 public:
  explicit ConsumerFamilies(MetricFamilies& families)
      : records_(families.gauge("penstock_consumer_lag_records", "Records that consumers have not processed")),
        seconds_(families.gauge("penstock_consumer_lag_seconds",
                                "How long ago the oldest record came that a consumer has not processed; 0 if it has "
                                "processed all")),
        members_(families.gauge("penstock_consumer_members", "Members of consumers that poll")),
        parked_(families.gauge("penstock_consumer_parked_polls", "Polls that wait for a record")) {}

  void add(const MetricLabels& labels, const ConsumerSums& sums, const std::optional<double>& seconds) {
    records_.add(sums.records_behind, labels);
    members_.add(sums.members, labels);
    parked_.add(sums.parked, labels);
    if (seconds) seconds_.add(*seconds, labels);
  }

 private:
  MetricFamily records_, seconds_, members_, parked_;
};

/// Nothing if it is not known of all shards.
std::optional<double> lag_of(const Gathered& gathered, const ConsumerView& view) {
  double most = 0;
  for (const Backlog& backlog : view.backlogs) {
    const auto found = gathered.backlogs.find(key_of(view.id, backlog));
    if (found == gathered.backlogs.end()) return std::nullopt;
    if (found->second.arrived) most = std::max(most, seconds_since(gathered, *found->second.arrived));
  }
  return most;
}

void report_consumers(const Gathered& gathered, MetricFamilies& families) {
  if (!gathered.per_object()) {
    families.gauge("penstock_consumers", "Consumers with positions").add(gathered.consumer_sums.count);
    double most = 0;
    for (const auto& [key, start] : gathered.backlogs) {
      if (start.arrived) most = std::max(most, seconds_since(gathered, *start.arrived));
    }
    return ConsumerFamilies(families).add({}, gathered.consumer_sums, most);
  }
  ConsumerFamilies each(families);
  for (const ConsumerView& view : gathered.consumers) {
    each.add({{"account", view.stream.account},
              {"region", view.stream.region},
              {"stream", view.stream.name},
              {"consumer", view.name}},
             {1, view.records_behind, view.members, view.parked}, lag_of(gathered, view));
  }
}

class FunctionFamilies {
 public:
  explicit FunctionFamilies(MetricFamilies& families)
      : invocations_(families.counter("penstock_function_invocations_total",
                                      "Invocations that are over, by how: success, function_error, throttled where too "
                                      "many ran already, failed where it could not be run or reached")),
        seconds_(families.histogram("penstock_function_duration_seconds",
                                    "Invocations that were answered, from their beginning to their end, the start of "
                                    "an environment included")),
        cold_(families.counter("penstock_function_cold_starts_total",
                               "Invocations that an environment was started for; functions of kind exec have none")) {}

  void add(const MetricLabels& labels, const FunctionTally& tally) {
    const auto by_result = [&](std::string_view result, std::uint64_t count) {
      MetricLabels with_result = labels;
      with_result.emplace_back("result", result);
      invocations_.add(count, with_result);
    };
    by_result("success", tally.succeeded);
    by_result("function_error", tally.function_errors);
    by_result("throttled", tally.throttled);
    by_result("failed", tally.failed);
    seconds_.add(tally.seconds, labels);
    cold_.add(tally.cold_starts, labels);
  }

 private:
  MetricFamily invocations_, seconds_, cold_;
};

void report_functions(const Gathered& gathered, MetricFamilies& families) {
  if (!gathered.per_object()) {
    families.gauge("penstock_functions", "Functions that are registered").add(gathered.functions_registered);
    families.gauge("penstock_function_invocations_running", "Invocations that are not over")
        .add(gathered.triggers.running);
    families.gauge("penstock_function_async_events", "Asynchronous invokes that were accepted and are not over")
        .add(gathered.triggers.async_events);
    return FunctionFamilies(families).add({}, gathered.functions_all);
  }
  FunctionFamilies each(families);
  for (const FunctionView& view : gathered.functions) {
    each.add({{"account", view.name.account}, {"region", view.name.region}, {"function", view.name.name}}, view.tally);
  }
}

void report_mapping(MetricFamily& batches, const MetricLabels& labels, const MappingTally& tally) {
  const auto by_result = [&](std::string_view result, std::uint64_t count) {
    MetricLabels with_result = labels;
    with_result.emplace_back("result", result);
    batches.add(count, with_result);
  };
  by_result("success", tally.succeeded);
  by_result("partial", tally.partial);
  by_result("failure", tally.failed);
  by_result("not_run", tally.not_run);
}

void report_mappings(const Gathered& gathered, MetricFamilies& families) {
  if (!gathered.per_object()) {
    families.gauge("penstock_mappings", "Event source mappings").add(gathered.mappings);
  }
  MetricFamily batches = families.counter(
      "penstock_mapping_batches_total",
      "Batches that functions were invoked with, by how that ended: success, partial where some of the batch failed, "
      "failure where all did, not_run where there was no room or nobody to run it");
  if (!gathered.per_object()) return report_mapping(batches, {}, gathered.triggers.mappings);
  for (const MappingView& view : gathered.mapping_views) {
    report_mapping(batches,
                   {{"account", view.function.account},
                    {"region", view.function.region},
                    {"mapping", view.uuid},
                    {"source", view.source_arn},
                    {"function", view.function.name}},
                   view.tally);
  }
}

void report_left_out(const Gathered& gathered, MetricFamilies& families) {
  MetricFamily left_out = families.gauge("penstock_metrics_objects_left_out",
                                         "Objects of a kind beyond the number of them that are told one by one");
  for (std::size_t i = 0; i < object_kind_names.size(); ++i) {
    left_out.add(gathered.left_out[i], {{"kind", std::string(object_kind_names[i])}});
  }
}

// ---- The server.

void report_requests(const Gathered& gathered, MetricFamilies& families) {
  MetricFamily requests =
      families.counter("penstock_http_requests_total", "Requests answered, by operation and status code");
  MetricFamily seconds = families.histogram("penstock_http_request_duration_seconds",
                                            "Requests from when they were read to when their answer was made, long "
                                            "polls and invocations included; of a stream of events to its beginning");
  for (const auto& [asked, operation] : gathered.requests.operations()) {
    const MetricLabels labels{{"service", std::string(asked.service)}, {"operation", std::string(asked.operation)}};
    for (const auto& [status, count] : operation.statuses) {
      MetricLabels with_code = labels;
      with_code.emplace_back("code", std::to_string(status));
      requests.add(count, with_code);
    }
    seconds.add(operation.seconds, labels);
  }
  families.counter("penstock_http_refused_requests_total", "What came and was no request that could be begun with")
      .add(gathered.requests.refused());
  families.gauge("penstock_http_open_connections", "Open connections").add(gathered.connections);
}

void report_commits(const Gathered& gathered, MetricFamilies& families) {
  const storage::CommitTally& commits = gathered.commits;
  families.histogram("penstock_commit_changes", "Changes in a commit").add(commits.changes);
  families.histogram("penstock_commit_size_bytes", "Keys and values in a commit").add(commits.bytes);
  MetricFamily seconds = families.histogram("penstock_commit_duration_seconds",
                                            "Commits, by whether they were synced or left to the kernel");
  seconds.add(commits.synced_seconds, {{"synced", "true"}});
  seconds.add(commits.unsynced_seconds, {{"synced", "false"}});
}

void report_rocksdb(const storage::RocksDbFacts& facts, MetricFamilies& families) {
  families.gauge("penstock_rocksdb_running_compactions", "Compactions that run").add(facts.compactions_running);
  families.gauge("penstock_rocksdb_running_flushes", "Flushes that run").add(facts.flushes_running);
  families
      .gauge("penstock_rocksdb_delayed_write_rate_bytes",
             "Bytes a second that writes are slowed down to; 0 if they are not")
      .add(facts.delayed_write_rate);
  families.gauge("penstock_rocksdb_write_stopped", "Whether writes have to wait")
      .add(facts.is_write_stopped ? 1.0 : 0.0);
  families.gauge("penstock_rocksdb_block_cache_bytes", "What the block cache holds").add(facts.cache_bytes);
  MetricFamily keys = families.gauge("penstock_rocksdb_estimated_keys", "Keys, as RocksDB estimates them");
  MetricFamily files = families.gauge("penstock_rocksdb_sst_files_bytes", "Files of a table");
  MetricFamily buffers = families.gauge("penstock_rocksdb_memtables_bytes", "What of a table is not in files yet");
  MetricFamily stalls = families.counter("penstock_rocksdb_write_stalls_total",
                                         "Times that writes were made slower (slowdown) or had to wait (stop)");
  for (const storage::RocksDbFacts::Table& table : facts.tables) {
    const std::string name(table.name);
    keys.add(table.keys, {{"table", name}});
    files.add(table.file_bytes, {{"table", name}});
    buffers.add(table.buffer_bytes, {{"table", name}});
    stalls.add(table.slowdowns, {{"table", name}, {"kind", "slowdown"}});
    stalls.add(table.stops, {{"table", name}, {"kind", "stop"}});
  }
}

void report_process(const ProcessFacts& facts, MetricFamilies& families) {
  families.counter("process_cpu_seconds_total", "User and system CPU time spent in seconds").add(facts.cpu_seconds);
  families.gauge("process_resident_memory_bytes", "Resident memory size in bytes").add(facts.resident_bytes);
  families.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes").add(facts.virtual_bytes);
  families.gauge("process_threads", "Number of OS threads in the process").add(facts.threads);
  families.gauge("process_open_fds", "Number of open file descriptors").add(facts.open_files);
  families.gauge("process_max_fds", "Maximum number of open file descriptors").add(facts.open_files_max);
  families.gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds")
      .add(facts.started_seconds);
}

void report_server(const Gathered& gathered, MetricFamilies& families) {
  families.gauge("penstock_build_info", "1, labelled with the version").add(1.0, {{"version", std::string(version)}});
  const ClockFacts& clock = gathered.clock;
  families.gauge("penstock_clock_info", "1, labelled with the mode of the server's clock: real or virtual")
      .add(1.0, {{"mode", clock.is_virtual ? "virtual" : "real"}});
  families.gauge("penstock_clock_time_seconds", "What the server's clock shows, since the Unix epoch")
      .add(std::chrono::duration<double>(clock.now.time_since_epoch()).count());
  families
      .gauge("penstock_clock_speed_ratio", "Seconds of the server's clock in each that passes; 0 while it is frozen")
      .add(clock.frozen ? 0.0 : static_cast<double>(clock.speed));
}

}  // namespace

std::string report(const Gathered& gathered) {
  MetricFamilies families;
  report_queues(gathered, families);
  report_streams(gathered, families);
  report_consumers(gathered, families);
  report_functions(gathered, families);
  report_mappings(gathered, families);
  if (gathered.per_object()) {
    report_left_out(gathered, families);
  } else {
    report_requests(gathered, families);
    report_commits(gathered, families);
    if (gathered.rocksdb) report_rocksdb(*gathered.rocksdb, families);
    report_server(gathered, families);
    if (gathered.process) report_process(*gathered.process, families);
  }
  families.gauge("penstock_metrics_lags_left_out", "Positions of which it was not looked up how old their records are")
      .add(gathered.backlogs_left_out);
  families.gauge("penstock_metrics_scrape_duration_seconds", "How long it took to gather all this")
      .add(gathered.took.count());
  return families.take_text();
}

}  // namespace penstock::server
