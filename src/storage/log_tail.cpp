#include "storage/log_tail.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

// What a bad place in a log may be.
//
// A kill leaves a prefix of what was written, with the end of the file or room of zeros behind it. A loss of power may
// leave any pages of what was not synced, so that a later record, or the last fragments of one whose first is missing,
// can be intact behind a hole. Nothing of it was acknowledged as synced: syncs are of the whole log, hence all that is
// synced lies before the first hole, and the answer that is right for it is to go on from there. A hole is known by its
// whole sectors of zeros, since a log's file is never used a second time. Where a log is full and the next one is
// begun, neither is synced before the next sync is asked for, and the end of the first can be missing before the
// second.
//
// What is synced is said by the log itself: each record tells up to which number all had been synced when it was
// written. A bad place that an intact record behind it says was synced is damage, whatever it looks like.
//
// A last record has none behind it, and versions before wrote no such marks. There, bytes that have changed are told by
// what lies around them. If an intact record that is not older follows and there is no hole in between, what is bad was
// written before it, and may have been synced: dropping it would lose what was acknowledged, and dropping what follows,
// too. The same is known of a fragment that one other byte makes whole, unless that may be chance: zeros that begin and
// end anywhere are a client's, and those of a hole begin or end where a sector does. Other damage of the last record
// cannot be told from what some file systems leave of blocks that never were written, and counts as torn; so do zeros
// over whole sectors with no mark behind them, wherever they come from. Both are told, and intact records that are
// dropped with them are told as such, and kept aside by who drops them.

namespace penstock::storage {
namespace {

// The format of RocksDB's log: blocks of 32 KiB, filled with fragments of <masked CRC-32C u32><length u16><type u8>
// <payload>, numbers little-endian, none crossing a block. A record is one full fragment, or a first one, any number of
// middle ones and a last one; it begins with <sequence u64><count u32>, the numbers that its changes got.
constexpr std::size_t block_bytes = 32U << 10U;
constexpr std::size_t fragment_header_bytes = 7;
constexpr std::size_t crc_bytes = 4;
constexpr std::size_t type_offset = 6;
constexpr std::size_t record_header_bytes = 12;
constexpr std::size_t sequence_bytes = 8;
constexpr std::uint32_t crc_mask_delta = 0xa282ead8U;
constexpr std::uint64_t sequence_max = (1ULL << 56U) - 1;
/// The least that a disk writes as a whole.
constexpr std::size_t sector_bytes = 512;
/// The first entry of a record is the mark, which for RocksDB is data that is in the log alone: <kind u8><length u8>
/// <tag u8><sequence u64>.
constexpr std::uint32_t log_data_entry = 3;
constexpr char mark_tag = 'S';
constexpr std::size_t mark_bytes = 1 + sequence_bytes;
constexpr std::size_t mark_entry_bytes = 2 + mark_bytes;
/// As much of a record as says what it is and what had been synced.
constexpr std::size_t record_head_bytes = record_header_bytes + mark_entry_bytes;
/// With which what is in a record may end.
constexpr std::size_t padding_bytes_max = 8;

enum class FragmentType : std::uint8_t { zero, full, first, middle, last };

// One table for each of eight bytes that are taken at a time: a start reads up to 48 MiB in this way.
constexpr std::size_t crc_lanes = 8;
using CrcTables = std::array<std::array<std::uint32_t, 256>, crc_lanes>;

constexpr CrcTables make_crc_tables() {
  constexpr std::uint32_t castagnoli_reversed = 0x82f63b78U;
  CrcTables tables{};
  for (std::uint32_t i = 0; i < tables[0].size(); ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? (crc >> 1U) ^ castagnoli_reversed : crc >> 1U;
    tables[0][i] = crc;
  }
  for (std::size_t lane = 1; lane < crc_lanes; ++lane) {
    for (std::size_t i = 0; i < tables[0].size(); ++i) {
      const std::uint32_t before = tables[lane - 1][i];
      tables[lane][i] = tables[0][before & 0xffU] ^ (before >> 8U);
    }
  }
  return tables;
}
constexpr CrcTables crc_tables = make_crc_tables();
constexpr std::uint32_t crc_start = 0xffffffffU;

std::uint32_t byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

std::uint32_t crc_with(std::uint32_t crc, std::uint32_t byte) {
  return crc_tables[0][(crc ^ byte) & 0xffU] ^ (crc >> 8U);
}

std::uint64_t read_number(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) value = (value << 8U) | byte_at(bytes, i - 1);
  return value;
}

std::uint32_t crc_of(std::string_view bytes) {
  static_assert(std::endian::native == std::endian::little);
  std::uint32_t crc = crc_start;
  for (; bytes.size() >= crc_lanes; bytes.remove_prefix(crc_lanes)) {
    std::array<std::uint32_t, 2> words{};
    std::memcpy(words.data(), bytes.data(), crc_lanes);
    words[0] ^= crc;
    crc = crc_tables[7][words[0] & 0xffU] ^ crc_tables[6][(words[0] >> 8U) & 0xffU] ^
          crc_tables[5][(words[0] >> 16U) & 0xffU] ^ crc_tables[4][words[0] >> 24U] ^ crc_tables[3][words[1] & 0xffU] ^
          crc_tables[2][(words[1] >> 8U) & 0xffU] ^ crc_tables[1][(words[1] >> 16U) & 0xffU] ^
          crc_tables[0][words[1] >> 24U];
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) crc = crc_with(crc, byte_at(bytes, i));
  return ~crc;
}

std::uint32_t mask(std::uint32_t crc) { return ((crc >> 15U) | (crc << 17U)) + crc_mask_delta; }
std::uint32_t unmask(std::uint32_t masked) {
  const std::uint32_t turned = masked - crc_mask_delta;
  return (turned >> 17U) | (turned << 15U);
}

bool is_zero(std::string_view bytes) { return bytes.find_first_not_of('\0') == std::string_view::npos; }

bool is_in_one_byte(std::uint64_t difference) {
  if (difference == 0) return false;
  while ((difference & 0xffU) == 0) difference >>= 8U;
  return difference <= 0xffU;
}

struct Header {
  std::uint32_t crc = 0;
  std::size_t length = 0;
  std::uint32_t type = 0;
};

/// Of what is left of a block, which has one.
Header header_of(std::string_view block) {
  return {static_cast<std::uint32_t>(read_number(block.substr(0, crc_bytes))), read_number(block.substr(crc_bytes, 2)),
          byte_at(block, type_offset)};
}

struct Fragment {
  FragmentType type{};
  std::string_view payload;

  bool begins() const { return type == FragmentType::full || type == FragmentType::first; }
  bool ends() const { return type == FragmentType::full || type == FragmentType::last; }
};

/// The fragment at the front of `block`, what is left of a block; nothing if it is not intact.
std::optional<Fragment> read_fragment(std::string_view block) {
  if (block.size() < fragment_header_bytes) return std::nullopt;
  const Header header = header_of(block);
  // Kinds beyond these are of logs whose files are used again, which ours are not.
  if (header.type == 0 || header.type > static_cast<std::uint32_t>(FragmentType::last)) return std::nullopt;
  if (block.size() - fragment_header_bytes < header.length) return std::nullopt;
  // The checksum covers the type and the payload.
  if (mask(crc_of(block.substr(type_offset, 1 + header.length))) != header.crc) return std::nullopt;
  return Fragment{static_cast<FragmentType>(header.type), block.substr(fragment_header_bytes, header.length)};
}

/// Whether another value in one of the two bytes of the length makes the fragment at the front of `block` intact.
bool is_length_bad(std::string_view block) {
  const Header header = header_of(block);
  std::uint32_t crc = crc_with(crc_start, header.type);
  for (std::size_t length = 0; length <= block.size() - fragment_header_bytes; ++length) {
    if (is_in_one_byte(length ^ header.length) && mask(~crc) == header.crc) return true;
    if (length + fragment_header_bytes < block.size())
      crc = crc_with(crc, byte_at(block, fragment_header_bytes + length));
  }
  return false;
}

struct BadByte {
  std::size_t at = 0;
  std::uint32_t change = 0;  ///< the bits that are wrong
};

/// The one byte of `bytes` that has to be another for them to have a checksum from which theirs differs so.
std::optional<BadByte> bad_byte_of(std::string_view bytes, std::uint32_t difference) {
  // Which byte a step of the checksum went by can be told from what it made of the highest one.
  static constexpr std::array<std::uint8_t, 256> steps = [] {
    std::array<std::uint8_t, 256> made{};
    for (std::uint32_t i = 0; i < made.size(); ++i) made.at(crc_tables[0].at(i) >> 24U) = static_cast<std::uint8_t>(i);
    return made;
  }();
  for (std::size_t i = difference == 0 ? 0 : bytes.size(); i > 0; --i) {
    const std::uint32_t step = steps[difference >> 24U];
    difference = ((difference ^ crc_tables[0][step]) << 8U) | step;
    if (difference <= 0xffU) return BadByte{i - 1, difference};
  }
  return std::nullopt;
}

/// Whether a sector, or what is left of it, was never written between two places of a log.
bool has_hole(std::string_view log, std::size_t from, std::size_t until) {
  for (std::size_t sector = from / sector_bytes; (sector + 1) * sector_bytes <= until; ++sector) {
    const std::size_t begin = std::max(from, sector * sector_bytes);
    if (is_zero(log.substr(begin, (sector + 1) * sector_bytes - begin))) return true;
  }
  return false;
}

/// Whether zeros between two places of a log, whole sectors of them, look like a hole: they begin or end where a sector
/// does, or begin with what is looked at. Those with which a record pads its end are none, whatever follows.
bool has_zeros_of_hole(std::string_view log, std::size_t from, std::size_t until) {
  std::size_t begin = std::min(log.find('\0', from), log.size());
  while (begin + padding_bytes_max < until) {
    const std::size_t end = std::min(log.find_first_not_of('\0', begin), log.size());
    const std::size_t sector = begin == from ? from : (begin + sector_bytes - 1) / sector_bytes * sector_bytes;
    const bool has_sector = (sector / sector_bytes + 1) * sector_bytes <= end;
    const bool is_aligned = begin == sector || end % sector_bytes == 0 || end == log.size();
    if (has_sector && is_aligned) return true;
    begin = std::min(log.find('\0', end), log.size());
  }
  return false;
}

/// Whether a byte is one of so many zeros that a hole may have taken it.
bool is_in_zeros(std::string_view log, std::size_t at) {
  if (log[at] != '\0') return false;
  const std::size_t before = log.find_last_not_of('\0', at);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  return std::min(log.find_first_not_of('\0', at), log.size()) - begin >= sector_bytes;
}

/// Whether a bad fragment is whole but for one byte.
enum class Mend : std::uint8_t {
  none,
  likely,  ///< or it is one of which the end was cut off, or, seldom, one with a hole: a record behind it tells
  sure,    ///< nothing but damage can have made it bad
};

/// Of the fragment at `at`. Where there is a hole one in 500 would look so by chance, and one in 16,000 as if one bit
/// had changed.
Mend mend_of(std::string_view log, std::size_t at) {
  const std::string_view block = log.substr(at, block_bytes - at % block_bytes);
  if (block.size() < fragment_header_bytes) return Mend::none;
  // A sector that was on the medium before the fragment was begun at its end, and was not written again: of the header
  // that may be one byte alone.
  if (is_zero(log.substr(at, sector_bytes - at % sector_bytes))) return Mend::none;
  const Header header = header_of(block);
  if (is_length_bad(block)) return Mend::sure;
  if (block.size() - fragment_header_bytes < header.length) return Mend::none;
  const std::string_view covered = block.substr(type_offset, 1 + header.length);
  const std::uint32_t crc = crc_of(covered);
  if (is_in_one_byte(mask(crc) ^ header.crc)) return Mend::sure;
  const std::optional<BadByte> bad = bad_byte_of(covered, crc ^ unmask(header.crc));
  // Zeros at the end, more than records pad with, may be what is left of one that was cut off, and so may a single one.
  const std::size_t written = covered.find_last_not_of('\0') + 1;
  if (!bad || bad->at >= written || is_in_zeros(log, at + type_offset + bad->at)) return Mend::none;
  if (has_zeros_of_hole(log, at, at + fragment_header_bytes + header.length)) {
    return std::has_single_bit(bad->change) ? Mend::likely : Mend::none;
  }
  return covered.size() - written <= padding_bytes_max ? Mend::sure : Mend::likely;
}

/// Up to which number everything was synced when the record was written that begins with `payload`; 0 if it does not
/// say.
std::uint64_t mark_in(std::string_view payload) {
  if (payload.size() < record_head_bytes) return 0;
  payload.remove_prefix(record_header_bytes);
  if (byte_at(payload, 0) != log_data_entry || byte_at(payload, 1) != mark_bytes || payload[2] != mark_tag) return 0;
  return read_number(payload.substr(3, sequence_bytes));
}

/// Goes through the logs in order, and knows what the next record's number has to be.
class Inspection {
 public:
  explicit Inspection(LogBooks books) : books_(books) {}

  /// False if what was found is damage, after which there is nothing more to look for.
  bool inspect(std::string name, std::string_view log) {
    name_ = std::move(name);
    log_ = log;
    at_ = end_ = 0;
    begin_.reset();
    has_record_ = false;
    while (at_ < log_.size()) {
      // A rest of a block too short for a header is filled up, and read by nobody.
      const std::size_t left = block_bytes - at_ % block_bytes;
      if (left < fragment_header_bytes) {
        at_ += std::min(left, log_.size() - at_);
        continue;
      }
      const std::optional<Fragment> fragment = read_fragment(log_.substr(at_, left));
      if (!fragment || fragment->begins() == begin_.has_value()) return stop();
      if (!accept(*fragment)) return false;
    }
    return begin_ ? stop() : leave();
  }

  LogReport finish() {
    // What is in tables was in a log that was synced before.
    if (report_.condition != LogCondition::damaged && next_ && *next_ <= books_.last_sequence) {
      fail(name_ + " ends before what the tables have: the newest log, or the end of one, is missing");
    }
    return std::move(report_);
  }

  void fail(std::string where) {
    report_.condition = LogCondition::damaged;
    report_.where = std::move(where);
    report_.is_settled = false;
  }

 private:
  std::string place(std::size_t at) const { return name_ + ", byte " + std::to_string(at); }

  bool accept(const Fragment& fragment) {
    if (fragment.begins()) begin_.emplace();
    begin_->append(fragment.payload.substr(0, record_head_bytes - std::min(begin_->size(), record_head_bytes)));
    at_ += fragment_header_bytes + fragment.payload.size();
    return !fragment.ends() || accept_record(*std::exchange(begin_, std::nullopt));
  }

  bool accept_record(std::string_view head) {
    if (head.size() < record_header_bytes) {
      fail(place(end_) + ": a record without a number");
      return false;
    }
    const std::uint64_t sequence = read_number(head.substr(0, sequence_bytes));
    const bool is_first = !std::exchange(has_record_, true);
    // A log goes on with the next number, also one that a start begins after a torn end.
    if (is_first && next_ && sequence == *next_) gap_.reset();
    if (gap_) return accept_behind_gap(mark_in(head));
    if (next_ && (is_first ? sequence != *next_ : sequence < *next_)) {
      std::string where =
          place(end_) + (is_torn_before_ ? ": it does not go on where the log before it is bad, " + report_.where
                                         : ": it does not go on where the log before it ends, of which the end, or "
                                           "one between them, is missing");
      const std::uint64_t mark = mark_in(head);
      // A log that is full is synced with the next one, of which more may be on the medium until then.
      if (!is_first || sequence < *next_ || mark == 0) {
        fail(std::move(where));
        return false;
      }
      gap_ = std::move(where);
      return accept_behind_gap(mark);
    }
    if (is_torn_before_) {
      report_.is_settled = true;
      report_.remains.clear();
    }
    is_torn_before_ = false;
    next_ = sequence + read_number(head.substr(sequence_bytes, record_header_bytes - sequence_bytes));
    end_ = at_;
    return true;
  }

  /// Of a record that says that everything up to `mark` had been synced, where numbers before it are missing.
  bool accept_behind_gap(std::uint64_t mark) {
    if (mark < *next_) return true;
    fail(*gap_);
    return false;
  }

  /// At a place that is not intact, or within a record at the end of the log.
  bool stop() {
    if (is_zero(log_.substr(end_))) return leave();
    if (gap_) {
      const std::optional<std::size_t> following = find_record(at_);
      if (!following || !was_synced_before(*following)) return leave();
      fail(*gap_);
      return false;
    }
    const Mend mend = mend_of(log_, at_);
    const std::optional<std::size_t> following = mend == Mend::sure ? std::nullopt : find_record(at_);
    if (mend == Mend::sure || (mend == Mend::likely && (following || is_intact_behind()))) {
      fail(place(end_) + ": a record in which one byte has changed");
      return false;
    }
    if (following && (!has_hole(log_, at_, *following) || was_synced_before(*following))) {
      fail(place(end_) + ": a damaged record, and an intact one behind it at byte " + std::to_string(*following));
      return false;
    }
    tear(following.has_value());
    return leave();
  }

  /// What is behind the last whole record, or all that follows a gap, is dropped.
  void tear(bool has_records) {
    const std::size_t written = log_.find_last_not_of('\0') + 1;
    const std::string where =
        std::to_string(written - end_) + " bytes of " + name_ + " from byte " + std::to_string(end_) + " on";
    const bool goes_on = is_torn_before_ && !report_.remains.empty();
    report_.where = goes_on ? report_.where + " and " + where : where;
    report_.condition = LogCondition::torn;
    report_.is_settled = false;
    report_.remains.push_back({name_, end_, written, has_records});
    is_torn_before_ = true;
  }

  /// Whether the fragment is that follows the one at the bad place, by the latter's length.
  bool is_intact_behind() const {
    std::size_t at = at_ + fragment_header_bytes + header_of(log_.substr(at_)).length;
    const std::size_t left = block_bytes - at % block_bytes;
    if (left < fragment_header_bytes) at += left;
    return at < log_.size() && read_fragment(log_.substr(at, block_bytes - at % block_bytes)).has_value();
  }

  /// Whether a record from `at` on says that what is bad had been synced before it was written. Where the number of the
  /// bad one is not known, since it is the first of all, it is one that is not above that of the next.
  bool was_synced_before(std::size_t at) const {
    std::optional<std::uint64_t> bad = next_;
    for (std::optional<std::size_t> next = at; next; next = find_record(at)) {
      const auto fragment = read_fragment(log_.substr(*next, block_bytes - *next % block_bytes));
      at = *next + fragment_header_bytes + fragment->payload.size();
      if (fragment->payload.size() < record_header_bytes) continue;
      if (!bad) bad = read_number(fragment->payload.substr(0, sequence_bytes));
      if (mark_in(fragment->payload) >= *bad) return true;
    }
    return false;
  }

  bool leave() {
    if (gap_ && !is_zero(log_)) tear(true);
    if (end_ < log_.size()) report_.ends[log_number_of(name_)] = end_;
    return true;
  }

  /// Where the beginning of an intact record is that is not older than what was read before, behind a bad place. Since
  /// no length can be trusted there, it may be at any byte; only from one that is intact on the next is known.
  std::optional<std::size_t> find_record(std::size_t at) const {
    while (at < log_.size()) {
      const std::string_view block = log_.substr(at, block_bytes - at % block_bytes);
      const bool plausible = begins_plausibly(block);
      const bool continues = block.size() >= fragment_header_bytes &&
                             (header_of(block).type == static_cast<std::uint32_t>(FragmentType::middle) ||
                              header_of(block).type == static_cast<std::uint32_t>(FragmentType::last));
      const std::optional<Fragment> fragment =
          plausible || (continues && at % block_bytes == 0) ? read_fragment(block) : std::nullopt;
      if (fragment && fragment->begins()) return at;
      at += fragment ? fragment_header_bytes + fragment->payload.size() : 1;
    }
    return std::nullopt;
  }

  /// Whether it is worth it to sum up what may be the first fragment of a record.
  bool begins_plausibly(std::string_view block) const {
    if (block.size() < fragment_header_bytes) return false;
    const Header header = header_of(block);
    const std::size_t fits = block.size() - fragment_header_bytes;
    // One that is not the whole record fills its block.
    const bool whole = header.type == static_cast<std::uint32_t>(FragmentType::full) && header.length <= fits;
    const bool first = header.type == static_cast<std::uint32_t>(FragmentType::first) && header.length == fits;
    if (!whole && !first) return false;
    if (header.length < record_header_bytes) return first;
    const std::uint64_t sequence = read_number(block.substr(fragment_header_bytes, sequence_bytes));
    // Each number that was given since has taken some bytes of this log.
    return sequence >= next_.value_or(0) && sequence <= (next_ ? *next_ + log_.size() : sequence_max);
  }

  const LogBooks books_;
  LogReport report_;
  std::optional<std::uint64_t> next_;
  bool is_torn_before_ = false;  // the last log that has records, or anything, has a torn end
  /// Numbers are missing between the logs before and this one, which is damage if any record says that they were
  /// synced: where, in the words for that.
  std::optional<std::string> gap_;

  std::string name_;
  std::string_view log_;
  std::size_t at_ = 0;                // the next fragment
  std::size_t end_ = 0;               // behind the last whole record
  std::optional<std::string> begin_;  // of the record that is being put together, at most its head
  bool has_record_ = false;           // the log has one that is whole
};

/// The logs of a directory, from the first that is needed on, in the order in which they were written.
std::vector<std::filesystem::path> find_logs(const std::string& directory, std::uint64_t first) {
  std::vector<std::pair<std::uint64_t, std::filesystem::path>> numbered;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator{directory, error}) {
    const std::uint64_t number = log_number_of(entry.path().filename().string());
    if (number > 0 && number >= first) numbered.emplace_back(number, entry.path());
  }
  std::sort(numbered.begin(), numbered.end());
  std::vector<std::filesystem::path> logs;
  logs.reserve(numbered.size());
  for (auto& [number, path] : numbered) logs.push_back(std::move(path));
  return logs;
}

bool read(const std::filesystem::path& path, std::string& bytes) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return false;
  bytes.resize(size);
  std::ifstream file{path, std::ios::binary};
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  return static_cast<std::uintmax_t>(file.gcount()) == size && !file.bad();
}

}  // namespace

std::uint64_t log_number_of(const std::string& name) {
  constexpr std::string_view extension = ".log";
  if (!name.ends_with(extension)) return 0;
  const char* const end = name.data() + name.size() - extension.size();
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(name.data(), end, number);
  return parsed.ec == std::errc{} && parsed.ptr == end ? number : 0;
}

std::string log_name_of(std::uint64_t number) {
  constexpr std::size_t digits_min = 6;
  std::string digits = std::to_string(number);
  if (digits.size() < digits_min) digits.insert(0, digits_min - digits.size(), '0');
  return digits + ".log";
}

std::string sync_mark(std::uint64_t sequence) {
  std::string mark(1, mark_tag);
  for (std::size_t i = 0; i < sequence_bytes; ++i) mark.push_back(static_cast<char>((sequence >> (8 * i)) & 0xffU));
  return mark;
}

LogReport inspect_logs(const std::string& directory, const LogBooks& books) {
  Inspection inspection(books);
  std::string bytes;
  for (const std::filesystem::path& path : find_logs(directory, books.first_log)) {
    const std::string name = path.filename().string();
    if (!read(path, bytes)) {
      inspection.fail(name + " cannot be read");
      break;
    }
    if (!inspection.inspect(name, bytes)) break;
  }
  return inspection.finish();
}

}  // namespace penstock::storage
