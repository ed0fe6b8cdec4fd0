// How long after a put's acknowledgement a consumer at the stream's tail has the record. One thread puts records, one
// at a time and at a pace, each with its number in its data; another has subscribed to the shard, or asks for its
// records again and again. What is reported is the time from when the producer had read the answer to when the consumer
// had read the record: what reading adds to the commit. A record that arrives before the answer counts as 0.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cxxopts.hpp>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "common/histogram.hpp"
#include "common/http.hpp"
#include "common/kinesis.hpp"
#include "common/text.hpp"

namespace {

using namespace penstock::bench;
using Clock = std::chrono::steady_clock;

// Bytes that base64 makes four digits of each three of, wherever they stand.
constexpr std::string_view mark = "tail-record-";
constexpr std::size_t number_digits = 12;
constexpr std::chrono::seconds arrival_limit{10};  ///< for what was put, once all of it was

struct Plan {
  std::string host;
  std::uint16_t port = 0;
  std::string stream;
  std::size_t records = 0;
  std::size_t body_bytes = 0;
  double rate = 0;
  bool poll = false;
};

/// When each record was acknowledged and when it arrived.
struct Times {
  explicit Times(std::size_t records) : acknowledged(records), arrived(records) {}
  std::vector<Clock::time_point> acknowledged;  // the producer's
  std::vector<Clock::time_point> arrived;       // the consumer's
  std::atomic<bool> over{false};                // nothing more is to be waited for
};

std::string numbered_data(std::size_t number, std::size_t bytes) {
  const std::string digits = std::to_string(number);
  std::string data(mark);
  data.append(number_digits - digits.size(), '0').append(digits);
  if (data.size() < bytes) data += random_bytes(bytes - data.size(), number);
  return data;
}

/// Finds the records that are this program's among those of an answer or an event, and says that they are here.
class Arrivals {
 public:
  explicit Arrivals(Times& times) : times_(times), mark_(penstock::protocol::base64_encode(mark)) {}

  std::size_t seen() const { return seen_; }

  void look(std::string_view json, Clock::time_point now) {
    while (const char* found = find_bytes(json, mark_)) {
      json.remove_prefix(static_cast<std::size_t>(found - json.data()) + mark_.size());
      const auto digits = penstock::protocol::base64_decode(json.substr(0, number_digits / 3 * 4));
      std::size_t number = 0;
      if (digits) std::from_chars(digits->data(), digits->data() + digits->size(), number);
      if (!digits || number >= times_.arrived.size()) throw std::runtime_error("a record of another run");
      if (times_.arrived[number] != Clock::time_point()) throw std::runtime_error("a record came twice");
      times_.arrived[number] = now;
      ++seen_;
    }
  }

 private:
  Times& times_;
  const std::string mark_;
  std::size_t seen_ = 0;
};

/// The body of an answer in chunks, without what frames them.
class Chunks {
 public:
  explicit Chunks(const Socket& socket) : socket_(socket) {}

  /// REQUIRES: called once, first. Throws unless the status is 200.
  void read_head() {
    std::size_t end = std::string::npos;
    while ((end = raw_.find("\r\n\r\n")) == std::string::npos) receive();
    if (!raw_.starts_with("HTTP/1.1 200")) throw std::runtime_error("not subscribed: " + raw_);
    raw_.erase(0, end + 4);
    unframe();
  }

  /// Adds what comes next to `body`.
  void read_some(std::string& body) {
    while (ready_.empty()) {
      receive();
      unframe();
    }
    body += ready_;
    ready_.clear();
  }

 private:
  void receive() {
    char buffer[64 * 1024];
    const ssize_t got = ::recv(socket_.fd(), buffer, sizeof buffer, 0);
    if (got <= 0) throw std::runtime_error("the subscription's connection was closed");
    raw_.append(buffer, static_cast<std::size_t>(got));
  }

  void unframe() {
    std::size_t at = 0;
    while (at < raw_.size()) {
      if (left_ > 0) {
        const std::size_t taken = std::min(left_, raw_.size() - at);
        ready_.append(raw_, at, taken);
        left_ -= taken;
        at += taken;
        continue;
      }
      // What ends the chunk before, then the size of the next in hexadecimal.
      const std::size_t digits = raw_.find_first_not_of("\r\n", at);
      const std::size_t line_end = digits == std::string::npos ? digits : raw_.find("\r\n", digits);
      if (line_end == std::string::npos) break;
      std::from_chars(raw_.data() + digits, raw_.data() + line_end, left_, 16);
      if (left_ == 0) throw std::runtime_error("the subscription has ended");
      at = line_end + 2;
    }
    raw_.erase(0, at);
  }

  const Socket& socket_;
  std::string raw_;
  std::string ready_;
  std::size_t left_ = 0;
};

std::size_t u32_at(std::string_view bytes, std::size_t at) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

/// Events, each looked at once it is whole: before, a client has nothing of it.
void follow_events(const Plan& plan, const Socket& socket, Times& times, std::atomic<bool>& following) {
  Chunks chunks(socket);
  chunks.read_head();
  Arrivals arrivals(times);
  std::string events;
  while (arrivals.seen() < plan.records) {
    // Heartbeats come if nothing else does.
    if (times.over) throw std::runtime_error("records are missing");
    chunks.read_some(events);
    const auto now = Clock::now();
    while (events.size() >= 12 && events.size() >= u32_at(events, 0)) {
      const std::size_t size = u32_at(events, 0);
      arrivals.look(std::string_view(events).substr(0, size), now);
      events.erase(0, size);
    }
    following = true;
  }
}

void follow_by_asking(const Plan& plan, Times& times, std::atomic<bool>& following) {
  const Socket socket(plan.host, plan.port);
  AnswerBuffer answer;
  const auto ask = [&](std::string_view operation, const std::string& body) {
    send_all(socket, request_head(kinesis_json, plan.host, plan.port, operation, body.size()) + body);
    read_answer(socket, answer);
    if (answer.status() != 200) throw std::runtime_error("no records: " + std::string(answer.body()));
    return answer.body();
  };
  const auto first =
      find_text(kinesis_json, ask("GetShardIterator", get_shard_iterator_body(kinesis_json, plan.stream, 0, "LATEST")),
                "ShardIterator");
  std::string iterator = first.value();
  following = true;
  Arrivals arrivals(times);
  while (arrivals.seen() < plan.records) {
    const std::string_view page = ask("GetRecords", get_records_body(kinesis_json, iterator, page_records_max));
    arrivals.look(page, Clock::now());
    iterator = find_text(kinesis_json, page, "NextShardIterator").value();
    if (times.over) throw std::runtime_error("records are missing");
  }
}

std::string register_consumer(const Plan& plan) {
  const std::string described =
      call_once(kinesis_json, plan.host, plan.port, "DescribeStream", "{\"StreamName\":\"" + plan.stream + "\"}");
  const std::string stream_arn = find_text(kinesis_json, described, "StreamARN").value();
  const std::string name = "tail-" + std::to_string(Clock::now().time_since_epoch().count());
  const std::string answer = call_once(kinesis_json, plan.host, plan.port, "RegisterStreamConsumer",
                                       "{\"StreamARN\":\"" + stream_arn + "\",\"ConsumerName\":\"" + name + "\"}");
  const std::string arn = find_text(kinesis_json, answer, "ConsumerARN").value();
  constexpr int tries_max = 1'000;
  for (int tries = 0; tries < tries_max; ++tries) {
    const std::string consumer =
        call_once(kinesis_json, plan.host, plan.port, "DescribeStreamConsumer", "{\"ConsumerARN\":\"" + arn + "\"}");
    if (find_bytes(consumer, "\"ConsumerStatus\":\"ACTIVE\"") != nullptr) return arn;
    ::usleep(10'000);
  }
  throw std::runtime_error("the consumer does not become ACTIVE");
}

void follow(const Plan& plan, Times& times, std::atomic<bool>& following) {
  if (plan.poll) return follow_by_asking(plan, times, following);
  const std::string body = "{\"ConsumerARN\":\"" + register_consumer(plan) + "\",\"ShardId\":\"" + shard_id(0) +
                           "\",\"StartingPosition\":{\"Type\":\"LATEST\"}}";
  const Socket socket(plan.host, plan.port);
  send_all(socket, request_head(kinesis_json, plan.host, plan.port, "SubscribeToShard", body.size()) + body);
  follow_events(plan, socket, times, following);
}

/// Puts at a steady pace, or later where the answer before was late. Returns each put's time.
Histogram put_all(const Plan& plan, Times& times) {
  const Socket socket(plan.host, plan.port);
  AnswerBuffer answer;
  Histogram commits;
  const auto pace = std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / plan.rate));
  auto next = Clock::now();
  for (std::size_t number = 0; number < plan.records; ++number) {
    RequestBody body(kinesis_json);
    body.open_map(3).key("StreamName").text(plan.stream).key("PartitionKey").text("tail");
    body.key("Data").blob(numbered_data(number, plan.body_bytes)).close_map();
    const std::string json = body.take();
    const std::string request = request_head(kinesis_json, plan.host, plan.port, "PutRecord", json.size()) + json;
    std::this_thread::sleep_until(next);
    const auto began = Clock::now();
    next = std::max(next + pace, began);
    send_all(socket, request);
    read_answer(socket, answer);
    times.acknowledged[number] = Clock::now();
    if (answer.status() != 200) throw std::runtime_error("not put: " + std::string(answer.body()));
    commits.record(static_cast<std::uint64_t>((times.acknowledged[number] - began).count()));
  }
  return commits;
}

void print(const Plan& plan, const Times& times, const Histogram& commits) {
  Histogram added;
  for (std::size_t i = 0; i < plan.records; ++i) {
    const auto later = times.arrived[i] - times.acknowledged[i];
    added.record(static_cast<std::uint64_t>(std::max<std::int64_t>(0, later.count())));
  }
  const auto us = [](const Histogram& of, double fraction) { return static_cast<double>(of.quantile(fraction)) / 1e3; };
  std::printf(
      "{\"records\":%zu,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"put_p50_us\":%.1f,"
      "\"put_p99_us\":%.1f,\"errors\":0}\n",
      plan.records, us(added, 0.5), us(added, 0.99), us(added, 0.999), us(commits, 0.5), us(commits, 0.99));
}

void run(const Plan& plan) {
  create_stream(plan.host, plan.port, plan.stream, 1);
  Times times(plan.records);
  std::atomic<bool> following{false};
  std::atomic<bool> followed{false};
  std::exception_ptr failure;
  std::thread consumer([&] {
    try {
      follow(plan, times, following);
    } catch (...) {
      failure = std::current_exception();
      following = true;
    }
    followed = true;
  });
  while (!following) ::usleep(1'000);
  Histogram commits;
  std::exception_ptr put_failure;
  try {
    commits = put_all(plan, times);
  } catch (...) {
    put_failure = std::current_exception();
    times.over = true;
  }
  const auto latest = Clock::now() + arrival_limit;
  while (!followed && Clock::now() < latest) ::usleep(1'000);
  times.over = true;
  consumer.join();
  if (failure) std::rethrow_exception(failure);
  if (put_failure) std::rethrow_exception(put_failure);
  print(plan, times, commits);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    cxxopts::Options options("bench_stream_tail", "From a put's acknowledgement to the record at a consumer.");
    options.add_options()("endpoint", "such as http://127.0.0.1:4566", cxxopts::value<std::string>())(
        "stream", "of one shard; made if it is not there", cxxopts::value<std::string>()->default_value("tail"))(
        "records", "that are put", cxxopts::value<std::size_t>()->default_value("1000"))(
        "rate", "at most so many a second", cxxopts::value<double>()->default_value("400"))(
        "body-bytes", "of each record", cxxopts::value<std::size_t>()->default_value("1024"))(
        "poll", "with GetRecords, over and over, instead of SubscribeToShard")("help", "this text");
    const auto given = options.parse(argc, argv);
    if (given.count("help") > 0 || given.count("endpoint") == 0) {
      std::cout << options.help();
      return given.count("help") > 0 ? 0 : 2;
    }
    Plan plan;
    std::tie(plan.host, plan.port) = parse_endpoint(given["endpoint"].as<std::string>());
    plan.stream = given["stream"].as<std::string>();
    plan.records = given["records"].as<std::size_t>();
    plan.rate = given["rate"].as<double>();
    plan.body_bytes = given["body-bytes"].as<std::size_t>();
    plan.poll = given.count("poll") > 0;
    if (plan.records == 0 || !(plan.rate > 0)) throw std::runtime_error("at least one record, at some rate");
    run(plan);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_stream_tail: " << error.what() << "\n";
    return 1;
  }
}
