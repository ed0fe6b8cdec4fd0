// The Store port: ordered tables of bytes with atomic batches. Nothing here names a database.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock {

/// The tables are apart because their records live differently: messages are large, written once and dropped one by
/// one from the front; state is small and short-lived; records of streams are written once, read many times in order
/// and dropped in ranges; the catalog is none of these.
enum class Table : std::uint8_t { catalog, state, messages, records };
inline constexpr std::size_t table_count = 4;

enum class StoreStatus : std::uint8_t {
  ok,
  not_found,
  corrupt,       ///< a record or file is not what was written
  io_error,      ///< a read, write or sync failed; after a failed commit nothing more may be acknowledged
  no_space,      ///< as io_error, and the reason is a full disk
  in_use,        ///< another process has it open
  unsupported,   ///< written by a newer version
  not_writable,  ///< the directory cannot be created or written
};

struct StoreError {
  StoreStatus status = StoreStatus::ok;
  std::string message;
  explicit operator bool() const { return status != StoreStatus::ok; }
};

/// A list of changes that a store applies all or none, in order. Ops are kept as one buffer: a commit of thousands of
/// small records costs no allocation each.
class WriteBatch {
 public:
  enum class Op : std::uint8_t { put, drop, drop_once, drop_range };

  void put(Table table, std::string_view key, std::string_view value) { append(Op::put, table, key, value); }
  /// The value is `head` with `rest` behind it, which need not be put together for that.
  void put(Table table, std::string_view key, std::string_view head, std::string_view rest) {
    append(Op::put, table, key, head, rest);
  }
  /// The key may have been written any number of times.
  void drop(Table table, std::string_view key) { append(Op::drop, table, key, {}); }
  /// REQUIRES: the key was put exactly once since it was last dropped, and is only ever dropped in this way (or by a
  /// range). Lets a log-structured store forget both at once.
  void drop_once(Table table, std::string_view key) { append(Op::drop_once, table, key, {}); }
  /// Drops [from, until).
  void drop_range(Table table, std::string_view from, std::string_view until) {
    append(Op::drop_range, table, from, until);
    drops_ranges_ = true;
  }
  void append(const WriteBatch& other) {
    bytes_ += other.bytes_;
    count_ += other.count_;
    drops_ranges_ |= other.drops_ranges_;
  }
  /// Makes room for `changes` more, whose keys and values have `bytes` together.
  void reserve(std::size_t changes, std::size_t bytes) {
    bytes_.reserve(bytes_.size() + changes * header_bytes + bytes);
  }
  void clear() {
    bytes_.clear();
    count_ = 0;
    drops_ranges_ = false;
  }
  bool empty() const { return count_ == 0; }
  std::size_t count() const { return count_; }
  std::size_t size_bytes() const { return bytes_.size(); }
  bool drops_ranges() const { return drops_ranges_; }

  /// Calls visit(Op, Table, key, value_or_until) for each change in order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (std::size_t at = 0; at < bytes_.size();) {
      const auto op = static_cast<Op>(bytes_[at]);
      const auto table = static_cast<Table>(bytes_[at + 1]);
      const std::size_t first = length_at(at + 2);
      const std::size_t second = length_at(at + 6);
      const std::string_view all{bytes_};
      visit(op, table, all.substr(at + header_bytes, first), all.substr(at + header_bytes + first, second));
      at += header_bytes + first + second;
    }
  }

 private:
  static constexpr std::size_t header_bytes = 10;

  void append(Op op, Table table, std::string_view first, std::string_view second, std::string_view rest = {}) {
    std::array<char, header_bytes> header{static_cast<char>(op), static_cast<char>(table)};
    set_length(header, 2, first.size());
    set_length(header, 6, second.size() + rest.size());
    bytes_.append(header.data(), header.size());
    bytes_.append(first);
    bytes_.append(second);
    bytes_.append(rest);
    ++count_;
  }
  static void set_length(std::array<char, header_bytes>& header, std::size_t at, std::size_t n) {
    for (std::size_t i = 0; i < 4; ++i) header.at(at + i) = static_cast<char>((n >> (8U * i)) & 0xffU);
  }
  std::size_t length_at(std::size_t at) const {
    std::size_t n = 0;
    for (unsigned i = 0; i < 4; ++i) {
      n |= static_cast<std::size_t>(static_cast<unsigned char>(bytes_[at + i])) << (8U * i);
    }
    return n;
  }

  std::string bytes_;
  std::size_t count_ = 0;
  bool drops_ranges_ = false;
};

/// Thread-safe: any number of readers beside one committer.
class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;

  /// Applies the batch, all or none. When it returns ok the batch is visible to every read and survives the end of this
  /// process; if `sync`, this batch and all before it survive the loss of power too. After any other answer the outcome
  /// is unknown and the store must be opened anew.
  virtual StoreError commit(const WriteBatch& batch, bool sync) = 0;

  /// Makes all that was committed survive the loss of power.
  virtual StoreError sync() = 0;

  /// not_found if there is no such key.
  virtual StoreError get(Table table, std::string_view key, std::string& value) const = 0;

  /// Visits [from, until) in the order of the keys' bytes until `visit` answers false. The views live for that call.
  virtual StoreError scan(Table table, std::string_view from, std::string_view until,
                          const std::function<bool(std::string_view key, std::string_view value)>& visit) const = 0;
};

}  // namespace penstock
