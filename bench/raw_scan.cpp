// What the store beneath Penstock reads by itself: the yardstick for GetRecords. Opens a data directory that a server
// has left, read-only and with RocksDB's own options for reading, and goes through the table of records from its first
// to its last, over and over, with one iterator at a time. Nothing is done with a record but to count its bytes.
#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <chrono>
#include <cstdio>
#include <cxxopts.hpp>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Pass {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
};

void check(const rocksdb::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

class Tables {
 public:
  explicit Tables(const std::string& dir) {
    std::vector<std::string> names;
    check(rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), dir, &names));
    std::vector<rocksdb::ColumnFamilyDescriptor> tables;
    for (const std::string& name : names) tables.emplace_back(name, rocksdb::ColumnFamilyOptions());
    rocksdb::DB* opened = nullptr;
    rocksdb::DBOptions options;
    // As the directory was written: otherwise RocksDB would strike the logs from its books, which it may not here.
    options.track_and_verify_wals_in_manifest = true;
    check(rocksdb::DB::OpenForReadOnly(options, dir, tables, &handles_, &opened));
    database_.reset(opened);
  }
  Tables(const Tables&) = delete;
  Tables& operator=(const Tables&) = delete;
  ~Tables() {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) (void)database_->DestroyColumnFamilyHandle(handle);
  }

  Pass read(const std::string& table) const {
    Pass pass;
    const std::unique_ptr<rocksdb::Iterator> row(database_->NewIterator(rocksdb::ReadOptions(), handle_of(table)));
    for (row->SeekToFirst(); row->Valid(); row->Next()) {
      ++pass.records;
      pass.bytes += row->key().size() + row->value().size();
    }
    check(row->status());
    return pass;
  }

 private:
  rocksdb::ColumnFamilyHandle* handle_of(const std::string& table) const {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) {
      if (handle->GetName() == table) return handle;
    }
    throw std::runtime_error("there is no table " + table);
  }

  std::unique_ptr<rocksdb::DB> database_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    cxxopts::Options options("bench_raw_scan", "RocksDB by itself: reads a table in order.");
    options.add_options()("dir", "a data directory that no server has open", cxxopts::value<std::string>())(
        "table", "that is read", cxxopts::value<std::string>()->default_value("records"))(
        "seconds", "reads until they are over", cxxopts::value<double>()->default_value("3"))(
        "cold", "counts the first pass too, which the others leave warm")("help", "this text");
    const auto given = options.parse(argc, argv);
    if (given.count("help") > 0 || given.count("dir") == 0) {
      std::cout << options.help();
      return given.count("help") > 0 ? 0 : 2;
    }
    const Tables tables(given["dir"].as<std::string>());
    const std::string table = given["table"].as<std::string>();
    if (given.count("cold") == 0) tables.read(table);
    Pass total;
    std::uint64_t passes = 0;
    const auto began = Clock::now();
    double seconds = 0;
    do {
      const Pass pass = tables.read(table);
      total.records += pass.records;
      total.bytes += pass.bytes;
      ++passes;
      seconds = std::chrono::duration<double>(Clock::now() - began).count();
    } while (given.count("cold") == 0 && seconds < given["seconds"].as<double>());
    std::printf("{\"passes\":%llu,\"records\":%llu,\"seconds\":%.3f,\"rate\":%.1f,\"bytes_rate\":%.1f,\"errors\":0}\n",
                static_cast<unsigned long long>(passes), static_cast<unsigned long long>(total.records), seconds,
                static_cast<double>(total.records) / seconds, static_cast<double>(total.bytes) / seconds);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_raw_scan: " << error.what() << "\n";
    return 1;
  }
}
