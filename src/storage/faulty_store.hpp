// A store for the simulation: it knows what is on the medium and what is only with the kernel, crashes in either way,
// fails on demand, and holds its callers to the contract of drop_once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/entropy.hpp"
#include "penstock/store.hpp"
#include "storage/memory_store.hpp"

namespace penstock::storage {

/// What is known of every key that was written, to find a caller that breaks a promise a log-structured store relies
/// on: keys are put once but for those that are meant to be rewritten (see keys.hpp), and a key is dropped by drop_once
/// only if it was put exactly once.
class ContractLedger {
 public:
  /// Appends to `violations` what the batch does wrong; null where that was reported before.
  void apply(const WriteBatch& batch, std::vector<std::string>* violations);

 private:
  struct History {
    std::uint32_t puts = 0;     ///< since the key was last dropped
    bool dropped_once = false;  ///< and not put again
  };
  struct Tracked {
    std::map<std::string, History, std::less<>> keys;
    std::map<std::string, std::string, std::less<>> dropped_ranges;  ///< from, until
  };

  bool in_dropped_range(const Tracked& tracked, std::string_view key) const;
  void drop_range(Tracked& tracked, std::string_view from, std::string_view until);

  std::map<Table, Tracked> tables_;
};

/// Crashing opens the store anew, in place: what a crash leaves is found by replaying a log that is really cut. The
/// store's methods are thread-safe; a scan's `visit` must not call the store.
class FaultyStore final : public Store {
 public:
  enum class OperationKind : std::uint8_t { commit, sync, get, scan };

  /// `entropy` decides whether a commit that failed is in the log all the same; it must outlive the store.
  explicit FaultyStore(Entropy& entropy);

  StoreError commit(const WriteBatch& batch, bool sync) override;
  StoreError sync() override;
  StoreError get(Table table, std::string_view key, std::string& value) const override;
  StoreError scan(Table table, std::string_view from, std::string_view until,
                  const std::function<bool(std::string_view key, std::string_view value)>& visit) const override;

  /// Called before each operation, outside of any lock: a test's way to make the store slow, or to act in between.
  void set_on_operation(std::function<void(OperationKind)> on_operation);

  /// The n-th operation from now (1 is the next) fails with `status`. Where that is a commit its outcome is unknown;
  /// after a commit or a sync every later one is refused until a crash. Replaces a failure that is still to come.
  /// REQUIRES: n > 0; status is io_error or no_space.
  void fail_at(std::uint64_t n, StoreStatus status);

  /// Loses power: of the commits that were not synced a random prefix survives, the last of which may be torn, and is
  /// then dropped whole. Clears failures.
  void crash_power_loss(Entropy& entropy);

  /// Ends the process: what was written survives, since the kernel has it, and opening it again has synced it. Clears
  /// failures.
  void crash_process();

  /// Commits in the log that a loss of power could take; one that failed may be among them.
  std::size_t unsynced_commits() const;

  /// What callers did against the contract, in words; empty if all is well.
  std::vector<std::string> violations() const;

 private:
  struct Image {
    OrderedTables tables;
    ContractLedger ledger;
  };

  StoreError begin(OperationKind kind) const;
  StoreError refused() const;
  void sync_log();
  void reopen(std::string_view log);

  Entropy& entropy_;
  std::function<void(OperationKind)> on_operation_;

  mutable std::mutex mutex_;  // protects all below
  Image synced_;              ///< as the medium has it
  Image current_;             ///< as reads see it: synced_ and every commit that succeeded since
  std::string log_;           ///< the records of the commits since the last sync, each with length and checksum
  std::vector<std::size_t> log_ends_;  ///< where each of its records ends
  std::vector<std::string> violations_;
  mutable std::uint64_t operations_ = 0;
  std::uint64_t fail_at_operation_ = 0;  ///< 0 if none is to fail
  StoreStatus fail_status_ = StoreStatus::io_error;
  std::optional<StoreError> stopped_;  ///< set by the commit or sync that failed
};

}  // namespace penstock::storage
