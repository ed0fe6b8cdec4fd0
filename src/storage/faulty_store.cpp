#include "storage/faulty_store.hpp"

#include <cassert>
#include <utility>

#include "storage/keys.hpp"

namespace penstock::storage {
namespace {

// ---- The log: records of <length u32><checksum u64><batch>, numbers little-endian. It models what a write-ahead log
// promises, that a record which is not whole is recognised, and takes part in no replay.

constexpr std::size_t length_bytes = 4;
constexpr std::size_t checksum_bytes = 8;
constexpr std::size_t record_header_bytes = length_bytes + checksum_bytes;
/// Of a change in a batch: op, table, length of key, length of value.
constexpr std::size_t change_header_bytes = 2 + 2 * length_bytes;

void append_number(std::string& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<char>((value >> (8U * i)) & 0xffU));
}

std::uint64_t read_number(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[at + i])) << (8U * i);
  }
  return value;
}

/// FNV-1a.
std::uint64_t checksum_of(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
  return hash;
}

void append_record(std::string& log, const WriteBatch& batch) {
  std::string payload;
  payload.reserve(batch.size_bytes());
  batch.for_each([&](WriteBatch::Op op, Table table, std::string_view key, std::string_view second) {
    payload.push_back(static_cast<char>(op));
    payload.push_back(static_cast<char>(table));
    append_number(payload, key.size(), length_bytes);
    append_number(payload, second.size(), length_bytes);
    payload.append(key);
    payload.append(second);
  });
  append_number(log, payload.size(), length_bytes);
  append_number(log, checksum_of(payload), checksum_bytes);
  log.append(payload);
}

/// The batch of an intact payload.
WriteBatch parse_payload(std::string_view payload) {
  WriteBatch batch;
  for (std::size_t at = 0; at < payload.size();) {
    const auto op = static_cast<WriteBatch::Op>(payload[at]);
    const auto table = static_cast<Table>(payload[at + 1]);
    const std::size_t key_size = read_number(payload, at + 2, length_bytes);
    const std::size_t second_size = read_number(payload, at + 2 + length_bytes, length_bytes);
    const std::string_view key = payload.substr(at + change_header_bytes, key_size);
    const std::string_view second = payload.substr(at + change_header_bytes + key_size, second_size);
    switch (op) {
      case WriteBatch::Op::put:
        batch.put(table, key, second);
        break;
      case WriteBatch::Op::drop:
        batch.drop(table, key);
        break;
      case WriteBatch::Op::drop_once:
        batch.drop_once(table, key);
        break;
      case WriteBatch::Op::drop_range:
        batch.drop_range(table, key, second);
        break;
    }
    at += change_header_bytes + key_size + second_size;
  }
  return batch;
}

/// Gives the batches of a log to `apply`, up to the first record that is not whole.
template <class Apply>
void replay(std::string_view log, Apply&& apply) {
  while (log.size() >= record_header_bytes) {
    const std::size_t size = read_number(log, 0, length_bytes);
    const std::uint64_t checksum = read_number(log, length_bytes, checksum_bytes);
    if (log.size() - record_header_bytes < size) return;
    const std::string_view payload = log.substr(record_header_bytes, size);
    if (checksum_of(payload) != checksum) return;
    apply(parse_payload(payload));
    log.remove_prefix(record_header_bytes + size);
  }
}

// ---- Words for a violation.

const char* name_of(Table table) {
  switch (table) {
    case Table::catalog:
      return "catalog";
    case Table::state:
      return "state";
    case Table::messages:
      return "messages";
    case Table::records:
      return "records";
  }
  return "unknown table";
}

std::string hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text.push_back(digits[static_cast<unsigned char>(byte) >> 4U]);
    text.push_back(digits[static_cast<unsigned char>(byte) & 0xfU]);
  }
  return text;
}

void report(std::vector<std::string>* violations, std::string_view what, Table table, std::string_view key) {
  if (violations == nullptr) return;
  violations->push_back(std::string{what} + ": " + name_of(table) + " " + hex(key));
}

std::uint64_t random_below(Entropy& entropy, std::uint64_t bound) { return entropy.next() % bound; }

bool random_bool(Entropy& entropy) { return (entropy.next() & 1U) != 0; }

}  // namespace

bool ContractLedger::in_dropped_range(const Tracked& tracked, std::string_view key) const {
  auto at = tracked.dropped_ranges.upper_bound(key);
  if (at == tracked.dropped_ranges.begin()) return false;
  --at;
  return key < at->second;
}

void ContractLedger::drop_range(Tracked& tracked, std::string_view from, std::string_view until) {
  if (until <= from) return;
  tracked.keys.erase(tracked.keys.lower_bound(from), tracked.keys.lower_bound(until));
  std::string& end = tracked.dropped_ranges[std::string{from}];
  if (end < until) end.assign(until);
}

void ContractLedger::apply(const WriteBatch& batch, std::vector<std::string>* violations) {
  batch.for_each([&](WriteBatch::Op op, Table table, std::string_view key, std::string_view second) {
    Tracked& tracked = tables_[table];
    const bool written_once = !is_rewritten(table, key);
    if (op == WriteBatch::Op::drop_range) return drop_range(tracked, key, second);
    const auto at = tracked.keys.find(key);
    const bool known = at != tracked.keys.end();
    switch (op) {
      case WriteBatch::Op::put: {
        if (written_once && known) report(violations, "put of a key that was written before", table, key);
        History& history = known ? at->second : tracked.keys[std::string{key}];
        ++history.puts;
        history.dropped_once = false;
        break;
      }
      case WriteBatch::Op::drop:
        if (written_once) report(violations, "drop where only drop_once is meant", table, key);
        if (known) tracked.keys.erase(at);
        break;
      case WriteBatch::Op::drop_once:
        if (!known) {
          // What a range has dropped may still be dropped by the one who did not know.
          if (!in_dropped_range(tracked, key)) report(violations, "drop_once of a key never put", table, key);
        } else if (at->second.dropped_once) {
          report(violations, "drop_once of a key that was dropped before", table, key);
        } else if (at->second.puts != 1) {
          report(violations, "drop_once of a key put more than once", table, key);
        }
        if (known) at->second = History{0, true};
        break;
      case WriteBatch::Op::drop_range:
        break;
    }
  });
}

FaultyStore::FaultyStore(Entropy& entropy) : entropy_(entropy) {}

StoreError FaultyStore::commit(const WriteBatch& batch, bool sync) {
  if (on_operation_) on_operation_(OperationKind::commit);
  const std::lock_guard lock{mutex_};
  if (stopped_) return refused();
  StoreError failure = begin(OperationKind::commit);
  if (failure) stopped_ = failure;
  if (failure && !random_bool(entropy_)) return failure;
  append_record(log_, batch);
  log_ends_.push_back(log_.size());
  if (failure) return failure;
  current_.tables.apply(batch);
  current_.ledger.apply(batch, &violations_);
  if (sync) sync_log();
  return {};
}

StoreError FaultyStore::sync() {
  if (on_operation_) on_operation_(OperationKind::sync);
  const std::lock_guard lock{mutex_};
  if (stopped_) return refused();
  if (StoreError failure = begin(OperationKind::sync)) {
    stopped_ = failure;
    return failure;
  }
  sync_log();
  return {};
}

StoreError FaultyStore::get(Table table, std::string_view key, std::string& value) const {
  if (on_operation_) on_operation_(OperationKind::get);
  const std::lock_guard lock{mutex_};
  if (StoreError failure = begin(OperationKind::get)) return failure;
  const std::string* found = current_.tables.find(table, key);
  if (found == nullptr) return {StoreStatus::not_found, {}};
  value.assign(*found);
  return {};
}

StoreError FaultyStore::scan(Table table, std::string_view from, std::string_view until,
                             const std::function<bool(std::string_view key, std::string_view value)>& visit) const {
  if (on_operation_) on_operation_(OperationKind::scan);
  const std::lock_guard lock{mutex_};
  if (StoreError failure = begin(OperationKind::scan)) return failure;
  current_.tables.scan(table, from, until, visit);
  return {};
}

void FaultyStore::set_on_operation(std::function<void(OperationKind)> on_operation) {
  on_operation_ = std::move(on_operation);
}

void FaultyStore::fail_at(std::uint64_t n, StoreStatus status) {
  assert(n > 0);
  assert(status == StoreStatus::io_error || status == StoreStatus::no_space);
  const std::lock_guard lock{mutex_};
  fail_at_operation_ = operations_ + n;
  fail_status_ = status;
}

void FaultyStore::crash_power_loss(Entropy& entropy) {
  const std::lock_guard lock{mutex_};
  const std::size_t kept = random_below(entropy, log_ends_.size() + 1);
  std::size_t end = kept == 0 ? 0 : log_ends_[kept - 1];
  std::string garbage;
  if (kept > 0 && random_bool(entropy)) {
    const std::size_t begin = kept == 1 ? 0 : log_ends_[kept - 2];
    const std::size_t whole = end;
    end = begin + random_below(entropy, whole - begin);
    // The file may have got its length without the last pages' bytes.
    if (random_bool(entropy)) {
      while (end + garbage.size() < whole) garbage.push_back(static_cast<char>(entropy.next() & 0xffU));
    }
  }
  reopen(log_.substr(0, end) + garbage);
}

void FaultyStore::crash_process() {
  const std::lock_guard lock{mutex_};
  reopen(std::string{log_});
}

std::size_t FaultyStore::unsynced_commits() const {
  const std::lock_guard lock{mutex_};
  return log_ends_.size();
}

std::vector<std::string> FaultyStore::violations() const {
  const std::lock_guard lock{mutex_};
  return violations_;
}

/// Counts the operation, and answers the failure if it is the one that is to fail.
StoreError FaultyStore::begin(OperationKind kind) const {
  static constexpr const char* names[] = {"commit", "sync", "get", "scan"};
  ++operations_;
  if (operations_ != fail_at_operation_) return {};
  return {fail_status_, std::string{"injected into a "} + names[static_cast<std::size_t>(kind)]};
}

StoreError FaultyStore::refused() const {
  return {stopped_->status, "refused, since the store has failed: " + stopped_->message};
}

void FaultyStore::sync_log() {
  replay(log_, [this](const WriteBatch& batch) {
    synced_.tables.apply(batch);
    synced_.ledger.apply(batch, nullptr);
  });
  log_.clear();
  log_ends_.clear();
}

/// Starts from the medium and what `log` holds whole; opening syncs it.
void FaultyStore::reopen(std::string_view log) {
  log_.assign(log);
  sync_log();
  current_ = synced_;
  fail_at_operation_ = 0;
  stopped_.reset();
}

}  // namespace penstock::storage
