#include "storage/rocksdb_store.hpp"

#include <fcntl.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include "penstock/private_directory.hpp"
#include "storage/data_directory.hpp"
#include "storage/keys.hpp"
#include "storage/log_remains.hpp"
#include "storage/log_tail.hpp"
#include "storage/rocksdb_store_files.hpp"
#include "storage/rocksdb_store_records.hpp"

namespace penstock::storage {

namespace {

// Memory: the tables' buffers and the cache together stay below about 68 MiB where either messages or records are
// written, and below 116 MiB where both are, however much is stored.
constexpr std::size_t messages_buffer_bytes = 16U << 20U;
constexpr std::size_t records_buffer_bytes = 16U << 20U;
constexpr std::size_t state_buffer_bytes = 4U << 20U;
constexpr std::size_t catalog_buffer_bytes = 1U << 20U;
constexpr std::size_t cache_bytes = 4U << 20U;
// A start replays what is in the log: at about 200 MB/s this is a fraction of a second.
constexpr std::uint64_t log_bytes_max = 48U << 20U;
constexpr int open_files_max = 256;
constexpr int young_files_max = 16;
constexpr int young_record_files_max = 4;
constexpr double filter_bits_per_key = 10;
constexpr std::uint64_t table_file_bytes = 32U << 20U;

constexpr std::array<const char*, table_count> table_names{"default", "state", "messages", "records"};
/// What an operator reads.
constexpr std::array<std::string_view, table_count> table_labels{"catalog", "state", "messages", "records"};

// RocksDB asserts that not even an empty slice is null.
rocksdb::Slice slice(std::string_view text) {
  return text.empty() ? rocksdb::Slice{} : rocksdb::Slice{text.data(), text.size()};
}
std::string_view view(const rocksdb::Slice& text) { return {text.data(), text.size()}; }

StoreError translate(const rocksdb::Status& status) {
  if (status.ok()) return {};
  if (status.IsNotFound()) return {StoreStatus::not_found, "no such key"};
  if (status.IsCorruption()) return {StoreStatus::corrupt, status.ToString()};
  if (status.IsNotSupported()) return {StoreStatus::unsupported, status.ToString()};
  if (status.IsNoSpace()) return {StoreStatus::no_space, status.ToString()};
  return {StoreStatus::io_error, status.ToString()};
}

rocksdb::BlockBasedTableOptions table_format(Table of, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = 32U << 10U;
  // Indexes live in the cache and in two levels, so that ten times the data is not ten times the memory.
  table.cache_index_and_filter_blocks = true;
  table.pin_top_level_index_and_filter = true;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.format_version = 5;
  // What is asked for is there, but in which file is the question: with a backlog the young files reach from the
  // messages dropped at its head to those added at its tail, and each would cost a block to see that it has not the
  // key. Records are only ever read by ranges, for which filters say nothing; larger blocks or a longer readahead did
  // not make their pages come faster.
  if (of != Table::records) table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(filter_bits_per_key));
  return table;
}

/// Says of which keys a table remembers where the last was inserted: of those of one length, for each queue. RocksDB
/// mixes up the places of keys and those of ranges where both are of this kind (facebook/rocksdb#12558, mended in 9.2),
/// so that no range may begin with a key of that length.
class HintedKeys final : public rocksdb::SliceTransform {
 public:
  explicit HintedKeys(std::size_t key_bytes) : key_bytes_(key_bytes) {}
  const char* Name() const override { return "penstock.HintedKeys"; }
  bool InDomain(const rocksdb::Slice& key) const override { return key.size() == key_bytes_; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override { return {key.data(), queue_prefix_bytes}; }

 private:
  const std::size_t key_bytes_;
};

/// The length of the keys of which hints are kept; 0 if of none.
constexpr std::size_t hinted_key_bytes(Table table) {
  switch (table) {
    case Table::messages:
      return message_key_bytes;
    case Table::state:
      return state_key_bytes;
    case Table::catalog:
    case Table::records:
      return 0;
  }
  return 0;
}

rocksdb::ColumnFamilyOptions family_options(Table table, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions family;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_format(table, cache)));
  // Bodies and data are often compressed or random already, and a queue's messages are mostly gone before a compaction
  // sees them.
  family.compression = rocksdb::kNoCompression;
  family.level_compaction_dynamic_level_bytes = true;
  family.target_file_size_base = table_file_bytes;
  family.max_bytes_for_level_base = 64U << 20U;
  family.max_write_buffer_number = 3;
  // No filters for the last level, which has nearly all keys, and where a key is that is in no other.
  family.optimize_filters_for_hits = true;
  if (const std::size_t bytes = hinted_key_bytes(table); bytes > 0) {
    // What a queue writes lies mostly beside what it wrote last, and what it drops beside what it dropped: from there
    // the place of the next is found with a fraction of the comparisons.
    family.memtable_insert_with_hint_prefix_extractor = std::make_shared<HintedKeys>(bytes);
  }
  switch (table) {
    case Table::messages:
      family.write_buffer_size = messages_buffer_bytes;
      break;
    case Table::records:
      family.write_buffer_size = records_buffer_bytes;
      family.sst_partitioner_factory = make_shard_partitioner();
      break;
    case Table::state:
      family.write_buffer_size = state_buffer_bytes;
      break;
    case Table::catalog:
      family.write_buffer_size = catalog_buffer_bytes;
      break;
  }
  // Young files reach from what was dropped at a queue's head to what was added at its tail, so that merging them with
  // the level below rewrites a backlog. It is done seldom; the filters tell which of them to read.
  // Records are only ever added at the ends of their shards, and what young files hold of a stream that was deleted
  // comes back when they are merged.
  const int young_max = table == Table::records ? young_record_files_max : young_files_max;
  family.level0_file_num_compaction_trigger = young_max;
  family.level0_slowdown_writes_trigger = 2 * young_files_max;
  family.level0_stop_writes_trigger = 3 * young_files_max;
  // The arena grows in steps of an eighth of the buffer by default: with three tables an idle server would hold that.
  family.arena_block_size = 256U << 10U;
  return family;
}

rocksdb::DBOptions database_options() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.max_total_wal_size = log_bytes_max;
  options.max_open_files = open_files_max;
  options.max_background_jobs = 2;
  options.max_file_opening_threads = 1;
  // The strictest mode. What a log has behind its last whole record is looked at before, by inspect_logs, and then
  // hidden. The other modes end the history at bad records in silence, be it a year's damage in the middle.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kAbsoluteConsistency;
  options.track_and_verify_wals_in_manifest = true;
  options.recycle_log_file_num = 0;
  options.avoid_flush_during_recovery = true;
  options.skip_stats_update_on_db_open = true;
  // What a flush or a compaction writes goes to the disk as it comes: otherwise the log's next sync waits for all of
  // it.
  options.bytes_per_sync = 256U << 10U;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.keep_log_file_num = 2;
  options.max_manifest_file_size = 16U << 20U;
  // One thread writes at a time: the machinery for many would only cost.
  options.allow_concurrent_memtable_write = false;
  options.enable_write_thread_adaptive_yield = false;
  return options;
}

// Whether the directory is there, or can be made, and can be written: RocksDB's own words for this are hard to read.
StoreError prepare_directory(const std::filesystem::path& directory) {
  std::error_code error;
  const bool created = make_private_directories(directory, error);
  if (error) {
    return {error == std::errc::no_space_on_device ? StoreStatus::no_space : StoreStatus::not_writable,
            "cannot create the data directory " + directory.string() + ": " + error.message()};
  }
  if (::access(directory.c_str(), R_OK | W_OK | X_OK) != 0) {
    return {StoreStatus::not_writable,
            "cannot write to the data directory " + directory.string() + ": " + std::strerror(errno)};
  }
  // RocksDB syncs what is in the directory; that the directory is there is for us to sync.
  return created ? sync_path(std::filesystem::absolute(directory).parent_path()) : StoreError{};
}

// Makes sure that what a start is about to read is on the medium. After a kill the log's last records are in the
// kernel's memory only; once they were read and answered for they must not be lost with the power, and a newer log must
// not outlive them. Also finds a directory that lost its CURRENT: RocksDB would begin anew, and delete what is there.
StoreError settle_directory(const std::filesystem::path& directory) {
  bool has_current = false;
  bool has_data = false;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator{directory, error}) {
    const std::filesystem::path& path = entry.path();
    if (path.filename() == "CURRENT") has_current = true;
    if (path.extension() == ".sst") has_data = true;
    if (path.extension() != ".log") continue;
    std::error_code ignored;
    if (std::filesystem::file_size(path, ignored) > 0) has_data = true;
    if (StoreError failed = sync_path(path)) return failed;
  }
  if (error) return {StoreStatus::io_error, "cannot list the data directory: " + error.message()};
  if (has_data && !has_current) {
    return {StoreStatus::corrupt, "the data directory " + directory.string() + " has data but no CURRENT file"};
  }
  return {};
}

bool is_lock_failure(const std::string& text) {
  // The first is another process, the second this one.
  return text.find("While lock file") != std::string::npos ||
         text.find("lock hold by current process") != std::string::npos;
}

StoreError describe_open_failure(const rocksdb::Status& status, const std::string& directory) {
  const std::string text = status.ToString();
  if (status.IsIOError() && is_lock_failure(text)) {
    return {StoreStatus::in_use, "the data directory " + directory + " is in use by another process"};
  }
  StoreError error = translate(status);
  // A table this version does not know.
  if (status.IsInvalidArgument()) error.status = StoreStatus::unsupported;
  error.message = "cannot open the data directory " + directory + ": " + text;
  return error;
}

using Visit = std::function<bool(std::string_view key, std::string_view value)>;

StoreError get_from(rocksdb::DB& database, rocksdb::ColumnFamilyHandle* family, std::string_view key,
                    std::string& value) {
  rocksdb::PinnableSlice found;
  const rocksdb::Status status = database.Get(rocksdb::ReadOptions(), family, slice(key), &found);
  if (status.ok()) value.assign(found.data(), found.size());
  return translate(status);
}

StoreError scan_of(rocksdb::DB& database, rocksdb::ColumnFamilyHandle* family,
                   std::pair<std::string_view, std::string_view> range, bool fill_cache, const Visit& visit) {
  const rocksdb::Slice lower = slice(range.first);
  const rocksdb::Slice upper = slice(range.second);
  rocksdb::ReadOptions options;
  options.iterate_lower_bound = &lower;
  options.iterate_upper_bound = &upper;
  options.fill_cache = fill_cache;
  const std::unique_ptr<rocksdb::Iterator> row(database.NewIterator(options, family));
  for (row->Seek(lower); row->Valid(); row->Next()) {
    if (!visit(view(row->key()), view(row->value()))) break;
  }
  return translate(row->status());
}

/// The file's name of the newest log; empty if there is none.
std::string newest_log_of(const std::string& directory) {
  std::string newest;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator{directory, ignored}) {
    std::string name = entry.path().filename().string();
    if (log_number_of(name) > log_number_of(newest)) newest = std::move(name);
  }
  return newest;
}

/// A checkpoint leaves out logs with nothing in them, also the only one: after a start that wrote all to tables there
/// is no other. Without any it could not be told from a directory whose log was taken away.
StoreError add_missing_log(const std::string& original, const std::string& copy) {
  if (!newest_log_of(copy).empty()) return {};
  const std::string path = copy + "/" + newest_log_of(original);
  const int descriptor = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return {errno == ENOSPC ? StoreStatus::no_space : StoreStatus::io_error,
            "cannot create " + path + ": " + std::strerror(errno)};
  }
  (void)::close(descriptor);
  if (StoreError error = sync_path(path)) return error;
  return sync_path(copy);
}

class RocksDbStore final : public Store {
 public:
  RocksDbStore(std::string directory, std::unique_ptr<rocksdb::Env> environment, std::unique_ptr<rocksdb::DB> database,
               std::vector<rocksdb::ColumnFamilyHandle*> families)
      : directory_(std::move(directory)),
        environment_(std::move(environment)),
        database_(std::move(database)),
        families_(std::move(families)),
        synced_(database_->GetLatestSequenceNumber()),
        reclaimer_(std::make_unique<RecordsReclaimer>(*database_, *family(Table::records))) {}
  RocksDbStore(const RocksDbStore&) = delete;
  RocksDbStore& operator=(const RocksDbStore&) = delete;
  ~RocksDbStore() override {
    reclaimer_.reset();
    for (rocksdb::ColumnFamilyHandle* family : families_) (void)database_->DestroyColumnFamilyHandle(family);
    (void)database_->Close();
  }

  StoreError commit(const WriteBatch& batch, bool sync) override {
    if (batch.empty()) return sync ? this->sync() : StoreError{};
    rocksdb::WriteBatch write(batch.size_bytes() + (batch.count() + 1) * write_overhead_bytes);
    // First, where inspect_logs looks for it.
    rocksdb::Status status = write.PutLogData(sync_mark(synced_));
    batch.for_each([&](WriteBatch::Op op, Table table, std::string_view first, std::string_view second) {
      if (op == WriteBatch::Op::drop_range && !first.empty() && first.size() == hinted_key_bytes(table)) {
        status = rocksdb::Status::InvalidArgument("a range begins with a key of which hints are kept");
      }
      if (status.ok()) status = append(write, op, family(table), slice(first), slice(second));
    });
    if (!status.ok()) return translate(status);
    rocksdb::WriteOptions options;
    options.sync = sync;
    const std::lock_guard lock{writing_};
    status = database_->Write(options, &write);
    if (status.ok() && sync) synced_ = database_->GetLatestSequenceNumber();
    if (status.ok()) reclaim(batch);
    return translate(status);
  }

  StoreError sync() override {
    const std::lock_guard lock{writing_};
    return translate(sync_log());
  }

  // A log that grows while it is copied may come out with a hole of zeros in it, since there is room of them ahead of
  // what is written: hence nothing is written meanwhile. And nothing is flushed, since the log is soon copied, and a
  // flush that finds the disk full stops all writing.
  StoreError copy(const std::string& directory) {
    rocksdb::Checkpoint* made = nullptr;
    rocksdb::Status status = rocksdb::Checkpoint::Create(database_.get(), &made);
    const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
    if (!status.ok()) return translate(status);
    const std::lock_guard lock{writing_};
    status = sync_log();
    if (status.ok()) status = checkpoint->CreateCheckpoint(directory, std::numeric_limits<std::uint64_t>::max());
    return status.ok() ? add_missing_log(directory_, directory) : translate(status);
  }

  StoreError get(Table table, std::string_view key, std::string& value) const override {
    return get_from(*database_, family(table), key, value);
  }

  // Pages of records are larger than the cache: going through it they would only drive out what is asked for again.
  StoreError scan(Table table, std::string_view from, std::string_view until, const Visit& visit) const override {
    return scan_of(*database_, family(table), {from, until}, table != Table::records, visit);
  }

  RocksDbFacts facts() const {
    RocksDbFacts facts;
    for (std::size_t i = 0; i < table_count; ++i) facts.tables[i] = facts_of(i);
    facts.compactions_running = number(rocksdb::DB::Properties::kNumRunningCompactions);
    facts.flushes_running = number(rocksdb::DB::Properties::kNumRunningFlushes);
    facts.delayed_write_rate = number(rocksdb::DB::Properties::kActualDelayedWriteRate);
    facts.is_write_stopped = number(rocksdb::DB::Properties::kIsWriteStopped) != 0;
    // All tables have one cache.
    facts.cache_bytes = number(rocksdb::DB::Properties::kBlockCacheUsage);
    return facts;
  }

 private:
  static constexpr std::size_t write_overhead_bytes = 16;

  static rocksdb::Status append(rocksdb::WriteBatch& write, WriteBatch::Op op, rocksdb::ColumnFamilyHandle* family,
                                const rocksdb::Slice& first, const rocksdb::Slice& second) {
    switch (op) {
      case WriteBatch::Op::put:
        return write.Put(family, first, second);
      case WriteBatch::Op::drop:
        return write.Delete(family, first);
      case WriteBatch::Op::drop_once:
        return write.SingleDelete(family, first);
      case WriteBatch::Op::drop_range:
        return write.DeleteRange(family, first, second);
    }
    return rocksdb::Status::InvalidArgument("unknown change");
  }

  /// REQUIRES: nobody writes meanwhile.
  rocksdb::Status sync_log() {
    rocksdb::Status status = database_->SyncWAL();
    if (status.ok()) synced_ = database_->GetLatestSequenceNumber();
    return status;
  }

  std::uint64_t number(const std::string& property, std::size_t of = 0) const {
    std::uint64_t value = 0;
    return database_->GetIntProperty(families_[of], property, &value) ? value : 0;
  }

  RocksDbFacts::Table facts_of(std::size_t index) const {
    RocksDbFacts::Table table;
    table.name = table_labels[index];
    table.keys = number(rocksdb::DB::Properties::kEstimateNumKeys, index);
    table.file_bytes = number(rocksdb::DB::Properties::kTotalSstFilesSize, index);
    table.buffer_bytes = number(rocksdb::DB::Properties::kCurSizeAllMemTables, index);
    std::map<std::string, std::string> statistics;
    database_->GetMapProperty(families_[index], rocksdb::DB::Properties::kCFStats, &statistics);
    table.slowdowns = number_in(statistics, "io_stalls.total_slowdown");
    table.stops = number_in(statistics, "io_stalls.total_stop");
    return table;
  }

  static std::uint64_t number_in(const std::map<std::string, std::string>& statistics, const std::string& name) {
    const auto found = statistics.find(name);
    if (found == statistics.end()) return 0;
    return static_cast<std::uint64_t>(std::strtod(found->second.c_str(), nullptr));
  }

  /// The disk's space of the records that a batch has dropped.
  void reclaim(const WriteBatch& batch) {
    if (!batch.drops_ranges()) return;
    batch.for_each([this](WriteBatch::Op op, Table table, std::string_view from, std::string_view until) {
      if (op == WriteBatch::Op::drop_range && table == Table::records) reclaimer_->reclaim(from, until);
    });
  }

  rocksdb::ColumnFamilyHandle* family(Table table) const { return families_[static_cast<std::size_t>(table)]; }

  const std::string directory_;
  std::unique_ptr<rocksdb::Env> environment_;  // outlives the database
  std::unique_ptr<rocksdb::DB> database_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  std::mutex writing_;
  /// The number of the last change that is on the medium. What a start finds it syncs first.
  std::atomic<std::uint64_t> synced_;
  std::unique_ptr<RecordsReclaimer> reclaimer_;  // uses the database: ended first
};

/// Has nothing to say: a directory that is only looked at gets no log file.
class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

class RocksDbReader final : public InspectedStore {
 public:
  /// A table that the database has not has a null for a handle, and no entries.
  using Families = std::array<rocksdb::ColumnFamilyHandle*, table_count>;

  RocksDbReader(std::string directory, std::unique_ptr<rocksdb::Env> environment, std::unique_ptr<rocksdb::DB> database,
                Families families, TornLog torn_log)
      : directory_(std::move(directory)),
        environment_(std::move(environment)),
        database_(std::move(database)),
        families_(families),
        torn_log_(std::move(torn_log)) {}
  RocksDbReader(const RocksDbReader&) = delete;
  RocksDbReader& operator=(const RocksDbReader&) = delete;
  ~RocksDbReader() override {
    for (rocksdb::ColumnFamilyHandle* family : families_) {
      if (family != nullptr) (void)database_->DestroyColumnFamilyHandle(family);
    }
    (void)database_->Close();
  }

  StoreError commit(const WriteBatch& /*batch*/, bool /*sync*/) override { return for_reading(); }
  StoreError sync() override { return for_reading(); }

  StoreError get(Table table, std::string_view key, std::string& value) const override {
    if (family(table) == nullptr) return {StoreStatus::not_found, "no such key"};
    return get_from(*database_, family(table), key, value);
  }
  StoreError scan(Table table, std::string_view from, std::string_view until, const Visit& visit) const override {
    if (family(table) == nullptr) return {};
    return scan_of(*database_, family(table), {from, until}, false, visit);
  }

  std::vector<File> files() const override {
    std::vector<rocksdb::LiveFileMetaData> live;
    database_->GetLiveFilesMetaData(&live);
    std::vector<File> found;
    found.reserve(live.size());
    for (const rocksdb::LiveFileMetaData& file : live) {
      // As it has it, the name begins with a slash.
      found.push_back({file.name.substr(file.name.find_first_not_of('/')), file.size});
    }
    return found;
  }

  StoreError verify(const File& file) const override {
    rocksdb::SstFileReader reader{rocksdb::Options{}};
    rocksdb::Status status = reader.Open(directory_ + "/" + file.name);
    if (status.ok()) status = reader.VerifyChecksum();
    return translate(status);
  }

  TornLog torn_log() const override { return torn_log_; }

  bool has_log() const override { return !newest_log_of(directory_).empty(); }

 private:
  static StoreError for_reading() { return {StoreStatus::io_error, "the data is open for reading alone"}; }
  rocksdb::ColumnFamilyHandle* family(Table table) const { return families_.at(static_cast<std::size_t>(table)); }

  const std::string directory_;
  std::unique_ptr<rocksdb::Env> environment_;  // outlives the database
  std::unique_ptr<rocksdb::DB> database_;
  Families families_;
  const TornLog torn_log_;
};

rocksdb::DBOptions reading_options() {
  rocksdb::DBOptions options = database_options();
  options.create_if_missing = false;
  options.create_missing_column_families = false;
  options.info_log = std::make_shared<SilentLogger>();
  return options;
}

/// The tables that are there, of those that this version knows.
rocksdb::Status list_tables(const std::string& directory, std::vector<std::size_t>& tables) {
  std::vector<std::string> names;
  rocksdb::Status status = rocksdb::DB::ListColumnFamilies(reading_options(), directory, &names);
  for (std::size_t i = 0; i < table_count; ++i) {
    if (std::find(names.begin(), names.end(), table_names.at(i)) != names.end()) tables.push_back(i);
  }
  if (!status.ok() || tables.size() == names.size()) return status;
  return rocksdb::Status::InvalidArgument("it has a table that this version does not know");
}

/// What the database says of its logs, without a look at them.
StoreError read_books(const std::string& directory, LogBooks& books) {
  const std::unique_ptr<rocksdb::Env> environment = rocksdb::NewCompositeEnv(std::make_shared<FilesWithEmptyLogs>());
  rocksdb::DBOptions options = reading_options();
  options.env = environment.get();
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const auto catalog = family_options(Table::catalog, rocksdb::NewLRUCache(cache_bytes));
  const rocksdb::Status status = rocksdb::DB::OpenForReadOnly(
      options, directory, {{rocksdb::kDefaultColumnFamilyName, catalog}}, &handles, &opened);
  if (!status.ok()) return describe_open_failure(status, directory);
  const std::unique_ptr<rocksdb::DB> database(opened);
  (void)database->GetIntProperty(rocksdb::DB::Properties::kMinLogNumberToKeep, &books.first_log);
  books.last_sequence = database->GetLatestSequenceNumber();
  for (rocksdb::ColumnFamilyHandle* handle : handles) (void)database->DestroyColumnFamilyHandle(handle);
  return {};
}

/// REQUIRES: nobody else uses the directory. An error if what the logs have cannot be built on.
StoreError look_at_logs(const std::string& directory, LogReport& report) {
  LogBooks books;
  if (StoreError error = read_books(directory, books)) return error;
  report = inspect_logs(directory, books);
  if (report.condition != LogCondition::damaged) return {};
  return {StoreStatus::corrupt, "the log of the data directory " + directory + " is damaged: " + report.where};
}

/// Cuts off what is no whole record, having kept what may be of use to somebody. RocksDB would pass over it, but for
/// the beginning of a log, by which a copy tells what there is in it.
StoreError drop_torn_ends(const RocksDbOptions& options, const LogReport& logs) {
  std::string kept;
  for (const LogRemains& remains : logs.remains) {
    if (!remains.has_records) continue;
    std::string name;
    if (StoreError error = keep_remains(options.directory, remains, name)) return error;
    kept.append(kept.empty() ? "" : " and ").append(name);
  }
  if (!logs.is_settled && options.warn) {
    options.warn(
        "the log of the data directory " + options.directory +
        " ends in what is no whole record, as a kill, a loss of power or a full disk leaves it: " + logs.where +
        " were dropped" + (kept.empty() ? "" : "; there are whole records in them, hence they are kept in " + kept));
  }
  for (const auto& [number, end] : logs.ends) {
    const std::string path = options.directory + "/" + log_name_of(number);
    if (::truncate(path.c_str(), static_cast<off_t>(end)) != 0) {
      return {StoreStatus::io_error, "cannot cut " + path + ": " + std::strerror(errno)};
    }
    if (StoreError error = sync_path(path)) return error;
  }
  return {};
}

bool has_database(const std::filesystem::path& directory) {
  std::error_code ignored;
  return std::filesystem::exists(directory / "CURRENT", ignored);
}

}  // namespace

StoreError copy_rocksdb(Store& store, const std::string& directory) {
  auto* const on_disk = dynamic_cast<RocksDbStore*>(&store);
  if (on_disk == nullptr) return {StoreStatus::unsupported, "nothing is kept on disk"};
  return on_disk->copy(directory);
}

StoreError open_rocksdb_for_reading(const std::string& directory, std::unique_ptr<InspectedStore>& store) {
  if (!has_database(directory)) return {StoreStatus::not_found, "there is no data directory " + directory};
  LogReport logs;
  if (StoreError error = look_at_logs(directory, logs)) return error;
  std::vector<std::size_t> tables;
  rocksdb::Status status = list_tables(directory, tables);
  if (!status.ok()) return describe_open_failure(status, directory);
  const auto cache = rocksdb::NewLRUCache(cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  descriptors.reserve(tables.size());
  for (const std::size_t table : tables) {
    descriptors.emplace_back(table_names.at(table), family_options(static_cast<Table>(table), cache));
  }
  const auto files = std::make_shared<DatabaseFiles>();
  files->cut_logs(logs.ends);
  std::unique_ptr<rocksdb::Env> environment = rocksdb::NewCompositeEnv(files);
  rocksdb::DBOptions options = reading_options();
  options.env = environment.get();
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  status = rocksdb::DB::OpenForReadOnly(options, directory, descriptors, &handles, &opened);
  files->finish_opening();
  if (!status.ok()) return describe_open_failure(status, directory);
  RocksDbReader::Families families{};
  for (std::size_t i = 0; i < tables.size(); ++i) families.at(tables[i]) = handles[i];
  // What an earlier start has dropped it has told of.
  InspectedStore::TornLog torn;
  if (!logs.is_settled) torn = {logs.where, std::ranges::any_of(logs.remains, &LogRemains::has_records)};
  store = std::make_unique<RocksDbReader>(directory, std::move(environment), std::unique_ptr<rocksdb::DB>(opened),
                                          families, std::move(torn));
  return {};
}

StoreError open_rocksdb(const RocksDbOptions& options, std::unique_ptr<Store>& store) {
  if (StoreError error = prepare_directory(options.directory)) return error;
  if (StoreError error = objection_to_unfinished(options.directory)) return error;
  const auto cache = rocksdb::NewLRUCache(cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (std::size_t i = 0; i < table_count; ++i) {
    descriptors.emplace_back(table_names[i], family_options(static_cast<Table>(i), cache));
  }
  const auto files = std::make_shared<DatabaseFiles>();
  bool was_there = false;
  // Not before, since a server that is about to end may still write to them.
  files->on_locked([&, raw = files.get()]() -> StoreError {
    if (StoreError error = settle_directory(options.directory)) return error;
    was_there = has_database(options.directory);
    if (!was_there) return {};
    LogReport logs;
    if (StoreError error = look_at_logs(options.directory, logs)) return error;
    raw->cut_logs(logs.ends);
    return logs.condition == LogCondition::torn ? drop_torn_ends(options, logs) : StoreError{};
  });
  std::unique_ptr<rocksdb::Env> environment = rocksdb::NewCompositeEnv(files);
  rocksdb::DBOptions database = database_options();
  database.env = environment.get();
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(database, options.directory, descriptors, &families, &opened);
  files->finish_opening();
  if (files->objection()) return files->objection();
  if (!status.ok()) return describe_open_failure(status, options.directory);
  store = std::make_unique<RocksDbStore>(options.directory, std::move(environment),
                                         std::unique_ptr<rocksdb::DB>(opened), std::move(families));
  if (was_there && options.warn && has_lost_all(options.directory, *store)) {
    options.warn("the data directory " + options.directory +
                 " has been used, but nothing is in it: its log was emptied, and what it had is lost");
  }
  return {};
}

std::optional<RocksDbFacts> facts_of(const Store& store) {
  const auto* database = dynamic_cast<const RocksDbStore*>(&store);
  return database == nullptr ? std::nullopt : std::optional(database->facts());
}

}  // namespace penstock::storage

#ifdef __SANITIZE_THREAD__
// RocksDB's library is not instrumented, but its calls of memcpy and memcmp are seen: an entry's bytes that one thread
// puts into a buffer, and another compares once the entry is linked, look like a race, since the linking itself is not
// seen. Only what buffers and the comparison of keys do is passed over; the comparison is named too, since by the time
// of a report the writer's stack may be forgotten.
extern "C" const char* __tsan_default_suppressions() {
  return "race:rocksdb::MemTable\n"
         "race:BytewiseComparatorImpl::Compare\n";
}
#endif
