// A load generator that costs little: it runs on the cores of the server it measures, so every microsecond it takes is
// one that the server does not have. Plain non-blocking sockets and epoll, requests made beforehand, answers read only
// as far as needed. Each connection is a closed loop: it sends its next request when the last one is answered.
#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "histogram.hpp"
#include "http.hpp"
#include "kinesis.hpp"
#include "text.hpp"

namespace penstock::bench {

enum class Scenario {
  send,            ///< SendMessage
  send_batch,      ///< SendMessageBatch of ten
  receive_delete,  ///< ReceiveMessage of up to ten, then DeleteMessageBatch of what came
  put_record,      ///< PutRecord
  put_records,     ///< PutRecords of `records_per_put`
  get_records,     ///< GetRecords from a shard's first record to its last, and over again
  poll,            ///< the same by the polls of a consumer, each of which commits the batch before
};

struct LoadPlan {
  std::string host;  ///< an IPv4 address
  std::uint16_t port = 0;
  Dialect dialect = sqs_json;
  std::string queue_url;
  std::string stream;                             ///< of the last four scenarios
  int shards = 1;                                 ///< that it has
  std::uint64_t page_records = page_records_max;  ///< of each GetRecords and each poll
  std::string consumer;  ///< of polls; of GetRecords, whose endpoint it is in, if it is not empty
  std::uint64_t records_per_put = 500;
  Scenario scenario = Scenario::send;
  int connections = 1;
  int threads = 1;
  std::size_t body_bytes = 1024;
  int groups = 0;                        ///< of a FIFO queue, over which sends are spread; 0: no MessageGroupId
  std::chrono::nanoseconds warmup{0};    ///< before it is over nothing is counted
  std::chrono::nanoseconds duration{0};  ///< counted time; zero means until `messages_max` is reached
  std::uint64_t messages_max = 0;        ///< stops after so many messages, warm-up included; zero means no such limit
};

struct LoadResult {
  std::uint64_t requests = 0;        ///< answered with status 200 while counting
  std::uint64_t messages = 0;        ///< sent, or received and deleted, while counting
  std::uint64_t messages_total = 0;  ///< the same with those of the warm-up and of what outlasted the time
  std::uint64_t empty_receives = 0;
  std::uint64_t errors = 0;  ///< other statuses, failed entries of batches, broken connections
  std::string first_error;
  double seconds = 0;  ///< counted time
  Histogram latency;   ///< of each counted request

  void merge(const LoadResult& other) {
    requests += other.requests;
    messages += other.messages;
    messages_total += other.messages_total;
    empty_receives += other.empty_receives;
    errors += other.errors;
    if (first_error.empty()) first_error = other.first_error;
    latency.merge(other.latency);
  }
};

/// Makes the plan's queue if it is not there and returns its URL.
inline std::string create_queue(const std::string& host, std::uint16_t port, const std::string& name) {
  const std::string attributes = name.ends_with(".fifo") ? R"(,"Attributes":{"FifoQueue":"true"})" : "";
  const std::string answer =
      call_once(sqs_json, host, port, "CreateQueue", "{\"QueueName\":\"" + name + "\"" + attributes + "}");
  const auto url = find_json_text(answer, "QueueUrl", 0);
  if (!url) throw std::runtime_error("CreateQueue answered no QueueUrl: " + answer);
  return std::string(url->first);
}

// What a prepared send has in the place of its group's number and of its deduplication id, which no body contains.
inline constexpr std::string_view group_mark = "group-######";
inline constexpr std::string_view dedup_mark = "dedup-##############";

/// Writes a number over the digits of a mark.
inline void write_number(std::string& text, std::size_t mark_at, std::string_view mark, std::uint64_t number) {
  for (std::size_t i = mark.size(); mark[i - 1] == '#'; --i, number /= 10) {
    text[mark_at + i - 1] = static_cast<char>('0' + number % 10);
  }
}

/// What the threads of one run share.
struct LoadClock {
  std::chrono::steady_clock::time_point counting_from;
  std::chrono::steady_clock::time_point counting_until;  ///< the far future where only messages end the run
  std::atomic<std::int64_t> messages_left;               ///< what may still be begun
  std::atomic<std::uint64_t> messages_numbered;          ///< begun at a number that no earlier run has reached
};

/// One thread's connections and its epoll loop.
class LoadThread {
 public:
  LoadThread(const LoadPlan& plan, LoadClock& clock, int connections, std::uint64_t seed)
      : plan_(plan), clock_(clock), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    receive_ = request("ReceiveMessage",
                       "{\"QueueUrl\":\"" + plan.queue_url + "\",\"MaxNumberOfMessages\":10,\"WaitTimeSeconds\":0}");
    for (int i = 0; i < connections; ++i) {
      connections_.push_back(std::make_unique<Connection>(plan.host, plan.port));
      Connection& connection = *connections_.back();
      connection.prepared = prepare_send(seed * 1000 + static_cast<std::uint64_t>(i));
      connection.shard = i % plan.shards;
      find_marks(connection);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = &connection;
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.socket.fd(), &event);
    }
  }
  LoadThread(const LoadThread&) = delete;
  LoadThread& operator=(const LoadThread&) = delete;
  ~LoadThread() { ::close(epoll_); }

  LoadResult run() {
    for (auto& connection : connections_) begin_cycle(*connection, std::chrono::steady_clock::now());
    std::array<epoll_event, 64> events{};
    while (active_ > 0) {
      const int count = wait_for_events(events);
      for (int i = 0; i < count; ++i) {
        auto& connection = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
        if ((events[static_cast<std::size_t>(i)].events & EPOLLOUT) != 0) flush(connection);
        if ((events[static_cast<std::size_t>(i)].events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) read(connection);
      }
    }
    result_.seconds = std::chrono::duration<double>(last_ - clock_.counting_from).count();
    return result_;
  }

 private:
  // A lone connection is polled: a generator that slept would add its own wake-up, tens of microseconds on a virtual
  // machine, to each request, while what it is compared with has no client to wake. Pages take milliseconds.
  int wait_for_events(std::array<epoll_event, 64>& events) const {
    constexpr std::chrono::seconds answer_limit{10};
    const bool pages = plan_.scenario == Scenario::get_records || plan_.scenario == Scenario::poll;
    const bool poll = connections_.size() == 1 && !pages;
    const auto until = std::chrono::steady_clock::now() + answer_limit;
    int count = 0;
    do {
      count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                           poll ? 0 : static_cast<int>(std::chrono::milliseconds(answer_limit).count()));
    } while (count == 0 && std::chrono::steady_clock::now() < until);
    if (count == 0) throw std::runtime_error("no answer within ten seconds");
    return count;
  }

  enum class Step { idle, sending, receiving, deleting, rewinding, positioning, reading };

  struct Connection {
    Connection(const std::string& host, std::uint16_t port) : socket(host, port) {}
    Socket socket;
    Step step = Step::idle;
    std::string prepared;  // a send as it goes out each time, but for what the marks say
    std::vector<std::size_t> groups_at;
    std::vector<std::size_t> dedups_at;
    std::string built;         // a delete or a read, made from what was answered before
    int shard = 0;             // that is read
    std::string iterator;      // to its next page, or a poll's token; empty for its first
    bool at_start = false;     // of a consumer: it was taken back there
    std::string_view pending;  // what of the request is still to be written
    bool waits_to_write = false;
    AnswerBuffer answer;
    std::uint64_t messages = 0;  // of the request on its way
    int empty_in_a_row = 0;
    std::chrono::steady_clock::time_point started;
  };

  std::string request(std::string_view operation, const std::string& json) const {
    const std::string path = plan_.consumer.empty() ? "/" : "/@consumer/" + plan_.consumer + "/";
    return request_head(plan_.dialect, plan_.host, plan_.port, operation, json.size(), path).append(json);
  }

  std::string of_consumer(std::string_view action, std::string_view json) const {
    const std::string path = consumer_path(plan_.stream, plan_.consumer, action);
    return native_request("POST", plan_.host, plan_.port, path, json);
  }

  std::string fifo_members() const {
    if (plan_.groups == 0) return {};
    return ",\"MessageGroupId\":\"" + std::string(group_mark) + "\",\"MessageDeduplicationId\":\"" +
           std::string(dedup_mark) + "\"";
  }

  static void find_marks(Connection& connection) {
    const std::string& text = connection.prepared;
    for (std::size_t at = text.find(group_mark); at != std::string::npos; at = text.find(group_mark, at + 1)) {
      connection.groups_at.push_back(at);
    }
    for (std::size_t at = text.find(dedup_mark); at != std::string::npos; at = text.find(dedup_mark, at + 1)) {
      connection.dedups_at.push_back(at);
    }
  }

  /// Each message goes to the next group, under an id that no other run has.
  void number_messages(Connection& connection) {
    for (std::size_t i = 0; i < connection.groups_at.size(); ++i) {
      const std::uint64_t number = clock_.messages_numbered.fetch_add(1, std::memory_order_relaxed);
      const auto group = number % static_cast<std::uint64_t>(plan_.groups);
      write_number(connection.prepared, connection.groups_at[i], group_mark, group);
      write_number(connection.prepared, connection.dedups_at[i], dedup_mark, number);
    }
  }

  bool is_read() const {
    return plan_.scenario == Scenario::receive_delete || plan_.scenario == Scenario::get_records ||
           plan_.scenario == Scenario::poll;
  }

  std::string prepare_send(std::uint64_t seed) const {
    if (plan_.scenario == Scenario::put_record) {
      return request("PutRecord", put_record_body(plan_.dialect, plan_.stream, plan_.body_bytes, seed));
    }
    if (plan_.scenario == Scenario::put_records) {
      return request("PutRecords",
                     put_records_body(plan_.dialect, plan_.stream, plan_.records_per_put, plan_.body_bytes, seed));
    }
    if (is_read()) return {};
    const std::string queue = "{\"QueueUrl\":\"" + plan_.queue_url + "\",";
    if (plan_.scenario == Scenario::send) {
      return request("SendMessage",
                     queue + "\"MessageBody\":\"" + random_text(plan_.body_bytes, seed) + "\"" + fifo_members() + "}");
    }
    std::string json = queue + "\"Entries\":[";
    for (std::uint64_t i = 0; i < 10; ++i) {
      if (i > 0) json += ",";
      json += "{\"Id\":\"" + std::to_string(i) + "\",\"MessageBody\":\"" +
              random_text(plan_.body_bytes, seed * 10 + i + 1'000'000) + "\"" + fifo_members() + "}";
    }
    return request("SendMessageBatch", json + "]}");
  }

  std::uint64_t messages_per_cycle() const {
    switch (plan_.scenario) {
      case Scenario::send:
      case Scenario::put_record:
        return 1;
      case Scenario::send_batch:
        return 10;
      case Scenario::put_records:
        return plan_.records_per_put;
      case Scenario::receive_delete:
      case Scenario::get_records:
      case Scenario::poll:
        return 0;
    }
    return 0;
  }

  void begin_cycle(Connection& connection, std::chrono::steady_clock::time_point now) {
    if (connection.step != Step::idle) --active_;
    connection.step = Step::idle;
    if (now >= clock_.counting_until) return;
    // What a send takes is known beforehand; a receive is counted by what it brings.
    const auto wanted = static_cast<std::int64_t>(messages_per_cycle());
    if (plan_.messages_max > 0 && clock_.messages_left.fetch_sub(wanted, std::memory_order_relaxed) <= 0) return;
    ++active_;
    if (plan_.scenario == Scenario::receive_delete) {
      start(connection, Step::receiving, receive_, 0, now);
    } else if (is_read()) {
      read_from_here(connection, now);
    } else {
      number_messages(connection);
      start(connection, Step::sending, connection.prepared, messages_per_cycle(), now);
    }
  }

  void start(Connection& connection, Step step, std::string_view bytes, std::uint64_t messages,
             std::chrono::steady_clock::time_point now) {
    connection.step = step;
    connection.pending = bytes;
    connection.messages = messages;
    connection.started = now;
    connection.answer.clear();
    flush(connection);
  }

  void flush(Connection& connection) {
    while (!connection.pending.empty()) {
      const ssize_t sent = ::send(connection.socket.fd(), connection.pending.data(), connection.pending.size(),
                                  MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) {
        connection.pending.remove_prefix(static_cast<std::size_t>(sent));
      } else if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        break;
      } else {
        throw std::runtime_error("the server closed a connection while it was written to");
      }
    }
    const bool waits = !connection.pending.empty();
    if (waits != connection.waits_to_write) {
      connection.waits_to_write = waits;
      epoll_event event{};
      event.events = EPOLLIN | (waits ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
      event.data.ptr = &connection;
      ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.socket.fd(), &event);
    }
  }

  void read(Connection& connection) {
    const auto [data, room] = connection.answer.free_space();
    const ssize_t got = ::recv(connection.socket.fd(), data, room, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) throw std::runtime_error("the server closed a connection");
    connection.answer.grow(static_cast<std::size_t>(got));
    if (connection.answer.complete()) finish(connection);
  }

  void finish(Connection& connection) {
    const auto now = std::chrono::steady_clock::now();
    const bool counted = now >= clock_.counting_from && now <= clock_.counting_until;
    last_ = now;
    const std::string_view body = connection.answer.body();
    if (connection.answer.status() != 200) {
      fail(std::to_string(connection.answer.status()) + " " + std::string(body.substr(0, 300)));
      begin_cycle(connection, now);
      return;
    }
    if (counted) {
      ++result_.requests;
      const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(now - connection.started).count();
      result_.latency.record(static_cast<std::uint64_t>(took));
    }
    if (connection.step == Step::receiving) return after_receive(connection, body, now);
    if (connection.step == Step::rewinding) return begin_cycle(connection, now);
    if (connection.step == Step::positioning) return after_position(connection, body, now);
    if (connection.step == Step::reading) return after_page(connection, body, counted, now);
    if (has_failed_entry(body)) fail("an entry failed: " + std::string(body.substr(0, 300)));
    result_.messages_total += connection.messages;
    if (counted) result_.messages += connection.messages;
    begin_cycle(connection, now);
  }

  bool has_failed_entry(std::string_view body) const {
    if (plan_.scenario == Scenario::put_records) return !says_none_failed(plan_.dialect, body);
    return body.find("\"SenderFault\"") != std::string_view::npos;
  }

  // Where the last page led, or to the shard's first record.
  void read_from_here(Connection& connection, std::chrono::steady_clock::time_point now) {
    if (!plan_.consumer.empty() && !std::exchange(connection.at_start, true)) {
      connection.built = of_consumer("/reset", "{\"Type\":\"TRIM_HORIZON\"}");
      return start(connection, Step::rewinding, connection.built, 0, now);
    }
    if (plan_.scenario == Scenario::poll) {
      connection.built = of_consumer("/poll", "{\"Member\":\"bench\",\"Token\":\"" + connection.iterator +
                                                  "\",\"MaxRecords\":" + std::to_string(plan_.page_records) + "}");
      return start(connection, Step::reading, connection.built, 0, now);
    }
    if (!connection.iterator.empty()) {
      connection.built =
          request("GetRecords", get_records_body(plan_.dialect, connection.iterator, plan_.page_records));
      return start(connection, Step::reading, connection.built, 0, now);
    }
    connection.built =
        request("GetShardIterator", get_shard_iterator_body(plan_.dialect, plan_.stream, connection.shard));
    start(connection, Step::positioning, connection.built, 0, now);
  }

  void after_position(Connection& connection, std::string_view body, std::chrono::steady_clock::time_point now) {
    connection.iterator = find_text(plan_.dialect, body, "ShardIterator").value_or(std::string());
    if (connection.iterator.empty()) throw std::runtime_error("GetShardIterator answered none");
    begin_cycle(connection, now);
  }

  void after_page(Connection& connection, std::string_view body, bool counted,
                  std::chrono::steady_clock::time_point now) {
    Page page = look_at_page(plan_.dialect, body, plan_.body_bytes);
    const bool at_end = page.at_end || page.records == 0;
    if (plan_.scenario == Scenario::poll) {
      connection.iterator = find_text(plan_.dialect, body, "Token").value_or(std::string());
    } else {
      connection.iterator = at_end ? std::string() : std::move(page.next);
    }
    if (at_end) connection.at_start = false;
    if (page.records == 0) ++result_.empty_receives;
    result_.messages_total += page.records;
    if (counted) result_.messages += page.records;
    clock_.messages_left.fetch_sub(static_cast<std::int64_t>(page.records), std::memory_order_relaxed);
    begin_cycle(connection, now);
  }

  void after_receive(Connection& connection, std::string_view body, std::chrono::steady_clock::time_point now) {
    std::string& json = delete_json_;
    json.assign("{\"QueueUrl\":\"").append(plan_.queue_url).append("\",\"Entries\":[");
    std::uint64_t count = 0;
    for (std::size_t at = 0;;) {
      const auto handle = find_json_text(body, "ReceiptHandle", at);
      if (!handle) break;
      at = handle->second;
      if (count > 0) json.push_back(',');
      json.append("{\"Id\":\"").append(std::to_string(count)).append("\",\"ReceiptHandle\":\"");
      json.append(handle->first).append("\"}");
      ++count;
    }
    if (count == 0) {
      ++result_.empty_receives;
      // Empty a few times running means drained: without a time to end at, this connection is done.
      if (++connection.empty_in_a_row >= 3 && plan_.messages_max > 0) {
        --active_;
        connection.step = Step::idle;
        return;
      }
      begin_cycle(connection, now);
      return;
    }
    connection.empty_in_a_row = 0;
    clock_.messages_left.fetch_sub(static_cast<std::int64_t>(count), std::memory_order_relaxed);
    json.append("]}");
    connection.built = request("DeleteMessageBatch", json);
    start(connection, Step::deleting, connection.built, count, now);
  }

  void fail(std::string what) {
    ++result_.errors;
    if (result_.first_error.empty()) result_.first_error = std::move(what);
    if (result_.errors > 1'000) throw std::runtime_error("too many errors, the first: " + result_.first_error);
  }

  const LoadPlan& plan_;
  LoadClock& clock_;
  const int epoll_;
  std::string receive_;
  std::string delete_json_;
  std::vector<std::unique_ptr<Connection>> connections_;
  int active_ = 0;
  std::chrono::steady_clock::time_point last_;
  LoadResult result_;
};

/// REQUIRES: the queue exists; a duration, a number of messages or both are set. Throws std::runtime_error if the
/// server cannot be reached or goes away.
inline LoadResult run_load(const LoadPlan& plan) {
  using std::chrono::steady_clock;
  LoadClock clock{};
  clock.messages_left = static_cast<std::int64_t>(plan.messages_max);
  // Microseconds pass faster than messages, so that no two runs give the same number.
  clock.messages_numbered = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
  std::vector<std::unique_ptr<LoadThread>> workers;
  for (int i = 0; i < plan.threads; ++i) {
    const int share = plan.connections / plan.threads + (i < plan.connections % plan.threads ? 1 : 0);
    if (share > 0)
      workers.push_back(std::make_unique<LoadThread>(plan, clock, share, static_cast<std::uint64_t>(i) + 1));
  }
  clock.counting_from = steady_clock::now() + plan.warmup;
  clock.counting_until = plan.duration.count() > 0
                             ? clock.counting_from + std::chrono::duration_cast<steady_clock::duration>(plan.duration)
                             : steady_clock::time_point::max();
  std::vector<LoadResult> results(workers.size());
  std::vector<std::exception_ptr> failures(workers.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    threads.emplace_back([&, i] {
      try {
        results[i] = workers[i]->run();
      } catch (...) {
        failures[i] = std::current_exception();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  LoadResult total;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    if (failures[i]) std::rethrow_exception(failures[i]);
    total.merge(results[i]);
    total.seconds = std::max(total.seconds, results[i].seconds);
  }
  // Where time ends the run, it is the time that counts, and not the last answer, which may have come after it.
  const double planned = std::chrono::duration<double>(plan.duration).count();
  if (planned > 0 && total.seconds > planned) total.seconds = planned;
  return total;
}

}  // namespace penstock::bench
