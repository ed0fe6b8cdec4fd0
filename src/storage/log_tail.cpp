#include "storage/log_tail.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::storage {
namespace {

// The format of RocksDB's log: blocks of 32 KiB, filled with fragments of <masked CRC-32C u32><length u16><type u8>
// <payload>, numbers little-endian, none crossing a block. A record is one full fragment, or a first one, any number of
// middle ones and a last one; it begins with <sequence u64><count u32>, the numbers that its changes got.
constexpr std::size_t block_bytes = 32U << 10U;
constexpr std::size_t fragment_header_bytes = 7;
constexpr std::size_t type_offset = 6;
constexpr std::size_t record_header_bytes = 12;
constexpr std::size_t sequence_bytes = 8;
constexpr std::uint32_t crc_mask_delta = 0xa282ead8U;

enum class FragmentType : std::uint8_t { zero, full, first, middle, last };

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  constexpr std::uint32_t castagnoli_reversed = 0x82f63b78U;
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? (crc >> 1U) ^ castagnoli_reversed : crc >> 1U;
    table[i] = crc;
  }
  return table;
}

std::uint32_t masked_crc(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> table = make_crc_table();
  std::uint32_t crc = 0xffffffffU;
  for (const char byte : bytes) crc = table[(crc ^ static_cast<unsigned char>(byte)) & 0xffU] ^ (crc >> 8U);
  crc = ~crc;
  return ((crc >> 15U) | (crc << 17U)) + crc_mask_delta;
}

std::uint64_t read_number(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) value = (value << 8U) | static_cast<unsigned char>(bytes[i - 1]);
  return value;
}

struct Fragment {
  FragmentType type{};
  std::string_view payload;
};

/// The fragment at the front of `block`, what is left of a block; nothing if it is not intact.
std::optional<Fragment> read_fragment(std::string_view block) {
  if (block.size() < fragment_header_bytes) return std::nullopt;
  const std::size_t length = read_number(block.substr(4, 2));
  const auto type = static_cast<unsigned char>(block[type_offset]);
  if (type == 0 || type > static_cast<unsigned char>(FragmentType::last)) return std::nullopt;
  if (block.size() - fragment_header_bytes < length) return std::nullopt;
  // The checksum covers the type and the payload.
  if (masked_crc(block.substr(type_offset, 1 + length)) != read_number(block.substr(0, 4))) return std::nullopt;
  return Fragment{static_cast<FragmentType>(type), block.substr(fragment_header_bytes, length)};
}

/// Goes through the logs in order, and knows what the next record's number has to be.
class Inspection {
 public:
  /// False if an intact record comes where the history has a gap.
  bool inspect(std::string_view log) {
    begin_.reset();
    for (; !log.empty(); log.remove_prefix(std::min(block_bytes, log.size()))) {
      if (!inspect_block(log.substr(0, block_bytes))) return false;
    }
    // A record of which the end is missing.
    if (begin_) gap_ = true;
    new_log_ = true;
    return true;
  }

 private:
  bool inspect_block(std::string_view block) {
    // A rest too short for a header is filled with zeros.
    while (block.size() >= fragment_header_bytes) {
      const std::optional<Fragment> fragment = read_fragment(block);
      if (!fragment) {
        // Its length cannot be trusted either: the next place where one surely begins is the next block.
        gap_ = true;
        new_log_ = false;
        begin_.reset();
        return true;
      }
      if (!accept(*fragment)) return false;
      block.remove_prefix(fragment_header_bytes + fragment->payload.size());
    }
    return true;
  }

  bool accept(const Fragment& fragment) {
    const bool starts = fragment.type == FragmentType::full || fragment.type == FragmentType::first;
    if (starts) begin_.emplace();
    // What is left of a record whose beginning is bad.
    if (!begin_) return true;
    begin_->append(fragment.payload.substr(0, record_header_bytes - std::min(begin_->size(), record_header_bytes)));
    const bool ends = fragment.type == FragmentType::full || fragment.type == FragmentType::last;
    return !ends || accept_record(*std::exchange(begin_, std::nullopt));
  }

  bool accept_record(std::string_view header) {
    if (header.size() < record_header_bytes) return false;
    const std::uint64_t sequence = read_number(header.substr(0, sequence_bytes));
    const std::uint64_t count = read_number(header.substr(sequence_bytes));
    // The log that a start begins after it met a torn one goes on with the next number. Within a log nothing may follow
    // what is bad.
    if (gap_ && !(new_log_ && sequence == next_sequence_)) return false;
    gap_ = false;
    new_log_ = false;
    next_sequence_ = sequence + count;
    return true;
  }

  std::uint64_t next_sequence_ = 0;
  bool gap_ = false;                  // something before this place is missing
  bool new_log_ = true;               // nothing of the present log was met yet
  std::optional<std::string> begin_;  // of the record that is being put together, at most its header
};

/// The logs of a directory in the order in which they were written.
std::vector<std::filesystem::path> find_logs(const std::string& directory) {
  std::vector<std::pair<std::uint64_t, std::filesystem::path>> numbered;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator{directory, error}) {
    if (entry.path().extension() != ".log") continue;
    const std::string stem = entry.path().stem().string();
    std::uint64_t number = 0;
    const auto parsed = std::from_chars(stem.data(), stem.data() + stem.size(), number);
    if (parsed.ec == std::errc{} && parsed.ptr == stem.data() + stem.size())
      numbered.emplace_back(number, entry.path());
  }
  std::sort(numbered.begin(), numbered.end());
  std::vector<std::filesystem::path> logs;
  logs.reserve(numbered.size());
  for (auto& [number, path] : numbered) logs.push_back(std::move(path));
  return logs;
}

}  // namespace

LogTail inspect_logs(const std::string& directory) {
  Inspection inspection;
  for (const std::filesystem::path& path : find_logs(directory)) {
    std::ifstream file{path, std::ios::binary};
    const std::string log{std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
    if (!file || !inspection.inspect(log)) return LogTail::damaged;
  }
  return LogTail::torn;
}

}  // namespace penstock::storage
