// What the store beneath Penstock does by itself, through nothing but its own interface: the yardstick for the rates of
// synced sends. Each thread puts one message at a time and waits for the sync, so that RocksDB groups what its threads
// bring together, as it does for any program; or one thread puts batches.
//
// Options are RocksDB's defaults with a write buffer of 64 MB, in a fresh directory: one column family, no reads, no
// indexes, keys of sixteen bytes that ascend per thread. That is the least work that stores the same bytes. With
// --like-records they are those that Penstock's table of records has, as far as they matter for writing: what is random
// is not compressed, small buffers, young files that are merged seldom, and what is flushed goes to the disk at once.
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cxxopts.hpp>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "common/histogram.hpp"
#include "common/text.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using penstock::bench::Histogram;

struct Window {
  Clock::time_point counting_from;
  Clock::time_point counting_until;
};

struct Writer {
  std::uint64_t messages = 0;
  Histogram latency;
};

std::string key_of(std::uint64_t thread, std::uint64_t count) {
  std::string key(16, '\0');
  for (unsigned i = 0; i < 8; ++i) {
    key[i] = static_cast<char>((thread >> (56U - 8U * i)) & 0xffU);
    key[8 + i] = static_cast<char>((count >> (56U - 8U * i)) & 0xffU);
  }
  return key;
}

rocksdb::Options options_of(bool like_records) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = 64U << 20U;
  if (!like_records) return options;
  options.write_buffer_size = 16U << 20U;
  options.max_write_buffer_number = 3;
  options.compression = rocksdb::kNoCompression;
  options.level_compaction_dynamic_level_bytes = true;
  options.target_file_size_base = 32U << 20U;
  options.max_bytes_for_level_base = 64U << 20U;
  options.level0_file_num_compaction_trigger = 16;
  options.level0_slowdown_writes_trigger = 32;
  options.level0_stop_writes_trigger = 48;
  options.max_total_wal_size = 48U << 20U;
  options.bytes_per_sync = 256U << 10U;
  return options;
}

void write_until(rocksdb::DB& db, const Window& window, std::uint64_t thread, std::uint64_t batch, std::size_t bytes,
                 bool sync, Writer& writer) {
  rocksdb::WriteOptions options;
  options.sync = sync;
  std::vector<std::string> values;
  for (std::uint64_t i = 0; i < 16; ++i) values.push_back(penstock::bench::random_text(bytes, thread * 16 + i));
  std::uint64_t count = 0;
  for (auto started = Clock::now(); started < window.counting_until;) {
    rocksdb::WriteBatch writes;
    for (std::uint64_t i = 0; i < batch; ++i, ++count) writes.Put(key_of(thread, count), values[count % values.size()]);
    const rocksdb::Status status = db.Write(options, &writes);
    if (!status.ok()) throw std::runtime_error(status.ToString());
    const auto finished = Clock::now();
    if (finished >= window.counting_from && finished <= window.counting_until) {
      writer.messages += batch;
      const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(finished - started).count();
      writer.latency.record(static_cast<std::uint64_t>(took));
    }
    started = finished;
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    cxxopts::Options options("bench_raw_rocksdb", "RocksDB by itself: threads that put and sync.");
    options.add_options()("dir", "a directory that does not exist yet; removed at the end",
                          cxxopts::value<std::string>())("threads", "each one write at a time",
                                                         cxxopts::value<int>()->default_value("1"))(
        "batch", "puts per write", cxxopts::value<std::uint64_t>()->default_value("1"))(
        "value-bytes", "of each put", cxxopts::value<std::size_t>()->default_value("1024"))(
        "seconds", "counted time", cxxopts::value<double>()->default_value("3"))(
        "warmup", "seconds before counting", cxxopts::value<double>()->default_value("0.3"))(
        "no-sync", "leave syncing to the kernel")("like-records", "options as Penstock's table of records has them")(
        "help", "this text");
    const auto given = options.parse(argc, argv);
    if (given.count("help") > 0 || given.count("dir") == 0) {
      std::cout << options.help();
      return given.count("help") > 0 ? 0 : 2;
    }
    const std::string dir = given["dir"].as<std::string>();
    if (std::filesystem::exists(dir)) throw std::runtime_error(dir + " exists already");
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(options_of(given.count("like-records") > 0), dir, &opened);
    if (!status.ok()) throw std::runtime_error(status.ToString());
    std::unique_ptr<rocksdb::DB> db(opened);

    const auto thread_count = static_cast<std::size_t>(given["threads"].as<int>());
    const auto nanoseconds = [&](const char* flag) {
      return std::chrono::nanoseconds(static_cast<std::int64_t>(given[flag].as<double>() * 1e9));
    };
    Window window;
    window.counting_from = Clock::now() + nanoseconds("warmup");
    window.counting_until = window.counting_from + nanoseconds("seconds");
    std::vector<Writer> writers(thread_count);
    std::vector<std::exception_ptr> failures(thread_count);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < thread_count; ++i) {
      threads.emplace_back([&, i] {
        try {
          write_until(*db, window, i, given["batch"].as<std::uint64_t>(), given["value-bytes"].as<std::size_t>(),
                      given.count("no-sync") == 0, writers[i]);
        } catch (...) {
          failures[i] = std::current_exception();
        }
      });
    }
    for (auto& thread : threads) thread.join();
    db.reset();
    std::filesystem::remove_all(dir);
    Writer total;
    for (std::size_t i = 0; i < thread_count; ++i) {
      if (failures[i]) std::rethrow_exception(failures[i]);
      total.messages += writers[i].messages;
      total.latency.merge(writers[i].latency);
    }
    const double seconds = given["seconds"].as<double>();
    std::printf(
        "{\"threads\":%zu,\"batch\":%llu,\"seconds\":%.3f,\"messages\":%llu,\"rate\":%.1f,\"p50_us\":%.1f,"
        "\"p99_us\":%.1f,\"errors\":0}\n",
        thread_count, static_cast<unsigned long long>(given["batch"].as<std::uint64_t>()), seconds,
        static_cast<unsigned long long>(total.messages), static_cast<double>(total.messages) / seconds,
        static_cast<double>(total.latency.quantile(0.5)) / 1e3,
        static_cast<double>(total.latency.quantile(0.99)) / 1e3);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_raw_rocksdb: " << error.what() << "\n";
    return 1;
  }
}
