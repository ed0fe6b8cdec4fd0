// The load generator as a program: one scenario against any server that speaks SQS in JSON, or Kinesis in JSON or CBOR;
// one line of JSON out.
#include <sys/resource.h>

#include <cstdio>
#include <cxxopts.hpp>
#include <exception>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <tuple>

#include "common/load.hpp"

namespace {

using penstock::bench::LoadPlan;
using penstock::bench::LoadResult;
using penstock::bench::Scenario;

bool is_of_streams(Scenario scenario) {
  return scenario == Scenario::put_record || scenario == Scenario::put_records || scenario == Scenario::get_records ||
         scenario == Scenario::poll;
}

std::chrono::nanoseconds nanoseconds_of(double seconds) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

void print(const std::string& scenario, const LoadPlan& plan, const LoadResult& result) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto microseconds = [&](double fraction) {
    return static_cast<double>(result.latency.quantile(fraction)) / 1e3;
  };
  std::printf(
      "{\"scenario\":\"%s\",\"connections\":%d,\"seconds\":%.3f,\"requests\":%llu,\"messages\":%llu,"
      "\"messages_total\":%llu,\"rate\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"empty_receives\":%llu,"
      "\"errors\":%llu,\"first_error\":\"%s\",\"generator_cpu_seconds\":%.3f}\n",
      scenario.c_str(), plan.connections, result.seconds, static_cast<unsigned long long>(result.requests),
      static_cast<unsigned long long>(result.messages), static_cast<unsigned long long>(result.messages_total),
      result.seconds > 0 ? static_cast<double>(result.messages) / result.seconds : 0.0, microseconds(0.5),
      microseconds(0.99), microseconds(0.999), static_cast<unsigned long long>(result.empty_receives),
      static_cast<unsigned long long>(result.errors), penstock::bench::json_escaped(result.first_error).c_str(),
      seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    cxxopts::Options options("bench_http_load", "Runs one scenario against an endpoint of SQS or Kinesis.");
    options.add_options()("endpoint", "such as http://127.0.0.1:4566", cxxopts::value<std::string>())(
        "queue", "made if it is not there", cxxopts::value<std::string>()->default_value("bench"))(
        "queue-url", "use this URL and make no queue", cxxopts::value<std::string>()->default_value(""))(
        "stream", "made if it is not there", cxxopts::value<std::string>()->default_value("bench"))(
        "shards", "that the stream has", cxxopts::value<int>()->default_value("1"))(
        "cbor", "Kinesis in CBOR instead of JSON")("records", "of each PutRecords",
                                                   cxxopts::value<std::uint64_t>()->default_value("500"))(
        "page-records", "of each GetRecords or poll", cxxopts::value<std::uint64_t>()->default_value("10000"))(
        "consumer", "that polls, or whose endpoint GetRecords goes to; made if it is not there",
        cxxopts::value<std::string>()->default_value(""))(
        "scenario", "send, send-batch or receive-delete; put-record, put-records, get-records or poll",
        cxxopts::value<std::string>()->default_value("send"))("connections", "closed loops",
                                                              cxxopts::value<int>()->default_value("64"))(
        "threads", "of this program", cxxopts::value<int>()->default_value("1"))(
        "seconds", "counted time; 0: until --messages", cxxopts::value<double>()->default_value("3"))(
        "warmup", "seconds before counting", cxxopts::value<double>()->default_value("0.3"))(
        "messages", "stop after so many; 0: no limit", cxxopts::value<std::uint64_t>()->default_value("0"))(
        "body-bytes", "of each message", cxxopts::value<std::size_t>()->default_value("1024"))(
        "groups", "MessageGroupIds, of a FIFO queue", cxxopts::value<int>()->default_value("0"))("help", "this text");
    const auto given = options.parse(argc, argv);
    if (given.count("help") > 0 || given.count("endpoint") == 0) {
      std::cout << options.help();
      return given.count("help") > 0 ? 0 : 2;
    }
    const std::map<std::string, Scenario> scenarios = {{"send", Scenario::send},
                                                       {"send-batch", Scenario::send_batch},
                                                       {"receive-delete", Scenario::receive_delete},
                                                       {"put-record", Scenario::put_record},
                                                       {"put-records", Scenario::put_records},
                                                       {"get-records", Scenario::get_records},
                                                       {"poll", Scenario::poll}};
    const auto scenario = scenarios.find(given["scenario"].as<std::string>());
    if (scenario == scenarios.end()) throw std::runtime_error("no such scenario");
    LoadPlan plan;
    std::tie(plan.host, plan.port) = penstock::bench::parse_endpoint(given["endpoint"].as<std::string>());
    plan.scenario = scenario->second;
    plan.connections = given["connections"].as<int>();
    plan.threads = given["threads"].as<int>();
    plan.duration = nanoseconds_of(given["seconds"].as<double>());
    plan.warmup = nanoseconds_of(given["warmup"].as<double>());
    plan.messages_max = given["messages"].as<std::uint64_t>();
    plan.body_bytes = given["body-bytes"].as<std::size_t>();
    if (plan.connections < 1 || plan.threads < 1) throw std::runtime_error("at least one connection and one thread");
    if (plan.duration.count() == 0 && plan.messages_max == 0) throw std::runtime_error("give --seconds or --messages");
    plan.groups = given["groups"].as<int>();
    plan.queue_url = given["queue-url"].as<std::string>();
    if (is_of_streams(plan.scenario)) {
      plan.dialect = given.count("cbor") > 0 ? penstock::bench::kinesis_cbor : penstock::bench::kinesis_json;
      plan.stream = given["stream"].as<std::string>();
      plan.shards = given["shards"].as<int>();
      plan.records_per_put = given["records"].as<std::uint64_t>();
      plan.page_records = given["page-records"].as<std::uint64_t>();
      plan.consumer = given["consumer"].as<std::string>();
      penstock::bench::create_stream(plan.host, plan.port, plan.stream, plan.shards);
      if (plan.scenario == Scenario::poll && plan.consumer.empty()) throw std::runtime_error("give --consumer");
      if (!plan.consumer.empty()) {
        penstock::bench::create_consumer(plan.host, plan.port, plan.stream, plan.consumer);
      }
    } else if (plan.queue_url.empty()) {
      plan.queue_url = penstock::bench::create_queue(plan.host, plan.port, given["queue"].as<std::string>());
    }
    print(scenario->first, plan, penstock::bench::run_load(plan));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_http_load: " << error.what() << "\n";
    return 1;
  }
}
